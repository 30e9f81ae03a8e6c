"""CPUs, threads and dispatch mode of ovs-vswitchd, on made-up hosts."""

from pathlib import Path

import pytest

from ovsnet.node.facts import Live
from ovsnet.node.vswitchd_threads import (
    Threads,
    default_revalidators,
    kernels_handlers,
    per_cpu_dispatch,
    running_threads,
    usable_cpus,
    why_handlers_are_fixed,
)
from tests.doctor.conftest import Tree

KERNEL = {"bridges": {"br-int": ""}, "offered_datapaths": frozenset({"system", "netdev"})}
USERSPACE = {"bridges": {"br-int": "netdev"}, "offered_datapaths": frozenset({"system", "netdev"})}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def ask(tree: Tree, version: str = "3.3.0", facts: dict[str, object] | None = None) -> None:
    tree.database(ovs_version=version, **(KERNEL if facts is None else facts))


@pytest.mark.parametrize(
    ("cpus", "online", "asked", "handlers", "expected"),
    [
        # all CPUs are usable: one handler each, or three quarters less one
        (96, 96, {}, 96, True),
        (96, 96, {}, 71, False),
        (96, 96, {"n-handler-threads": "10"}, 96, True),
        (96, 96, {"n-handler-threads": "10"}, 10, False),
        (96, 96, {"n-revalidator-threads": "4"}, 92, False),
        # bound by affinity: the next prime, or before a5cacea5f one each
        (10, 96, {"n-handler-threads": "4"}, 11, True),
        (10, 96, {"n-handler-threads": "4"}, 10, True),
        (10, 96, {"n-handler-threads": "4"}, 4, False),
        (13, 16, {}, 16, True),
        # what both would give, and what neither would
        (10, 10, {"n-handler-threads": "10"}, 10, None),
        (1, 1, {}, 1, None),
        (96, 96, {"n-handler-threads": "10"}, 36, None),
        (96, 96, {"n-handler-threads": "x"}, 71, False),
    ],
)
@pytest.mark.parametrize("kernel", ["6.1.0", "5.14.0-427.el9", "4.18.0-147.5.1.es8_24"])
def test_dispatch_mode_is_told_by_the_handlers_that_run_and_never_by_the_kernels_number(
    tree: Tree, kernel: str, cpus: int, online: int, asked: dict[str, str], handlers: int, expected: bool | None
) -> None:
    """openvswitch/ovs-issues #318: a kernel 4.18 of a vendor overrides the setting."""
    tree.kernel(kernel)
    tree.write("/sys/devices/system/cpu/online", f"0-{online - 1}")
    tree.daemon("ovs-vswitchd", 100, cpus=f"0-{cpus - 1}")
    tree.threads(100, handlers, 4)
    tree.database(ovs_version="3.5.2", other_config=asked, **KERNEL)
    assert per_cpu_dispatch(tree.host(), tree.live) is expected


@pytest.mark.parametrize(
    ("version", "facts", "expected"),
    [("2.15.9", KERNEL, False), ("3.3.0", USERSPACE, False), ("3.3.0", KERNEL, None), ("", {}, None)],
)
def test_without_threads_only_what_cannot_dispatch_per_cpu_is_told(
    tree: Tree, version: str, facts: dict[str, object], expected: bool | None
) -> None:
    ask(tree, version, facts)
    assert per_cpu_dispatch(tree.host(), tree.live) is expected


@pytest.mark.parametrize(
    ("cpus", "handlers", "revalidators"), [(64, 0, 17), (64, 10, 54), (4, 8, 1), (1, 0, 1), (96, 0, 25)]
)
def test_revalidators_take_what_the_set_handlers_leave(cpus: int, handlers: int, revalidators: int) -> None:
    """ofproto/ofproto-dpif-upcall.c, udpif_set_threads()."""
    assert default_revalidators(cpus, handlers) == revalidators


@pytest.mark.parametrize(
    ("cpus", "online", "handlers"), [(4, 4, 4), (4, 8, 5), (13, 16, 16), (2, 2, 2), (1, 2, 1), (23, 96, 29)]
)
def test_kernels_handlers_are_the_next_prime_where_not_all_cpus_are_usable(
    cpus: int, online: int, handlers: int
) -> None:
    """lib/dpif-netlink.c, dpif_netlink_calculate_n_handlers()."""
    assert kernels_handlers(cpus, online) == handlers


def test_running_version_outranks_the_written_one(tree: Tree) -> None:
    ask(tree, "3.3.0")
    live = Live(tree.live.database, {"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 2.13.1"})
    assert per_cpu_dispatch(tree.host(), live) is False


def test_cpus_are_those_that_vswitchd_may_use(tree: Tree) -> None:
    assert usable_cpus(tree.host(), tree.live) == 4
    tree.daemon("ovs-vswitchd", 100, cpus="0,2-3")
    assert usable_cpus(tree.host(), tree.live) == 3


def test_threads_are_counted_by_their_names(tree: Tree) -> None:
    assert running_threads(tree.host(), tree.live) is None
    tree.daemon("ovs-vswitchd", 100)
    tree.threads(100, 3, 2)
    assert running_threads(tree.host(), tree.live) == Threads(3, 2)


@pytest.mark.parametrize(
    ("handlers", "version", "facts", "word"),
    [
        (4, "3.3.0", KERNEL, "per CPU"),
        (2, "3.3.0", KERNEL, ""),
        (0, "3.4.0", USERSPACE, "userspace"),
        (2, "3.3.0", USERSPACE, ""),
        (2, "", {}, ""),
    ],
)
def test_number_of_handlers_is_fixed_by_the_kernel_or_by_having_none(
    tree: Tree, handlers: int, version: str, facts: dict[str, object], word: str
) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.threads(100, handlers, 2)
    ask(tree, version, facts)
    why = why_handlers_are_fixed(tree.host(), tree.live)
    assert word in why
    assert bool(why) == bool(word)
