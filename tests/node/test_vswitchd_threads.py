"""CPUs, threads and dispatch mode of ovs-vswitchd, on made-up hosts."""

from pathlib import Path

import pytest

from ovsnet.node.facts import Live
from ovsnet.node.vswitchd_threads import (
    Threads,
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
    ("kernel", "version", "facts", "expected"),
    [
        ("5.15.0-91-generic", "2.16.0", KERNEL, True),
        ("5.14.0-503.el9", "3.3.0", KERNEL, False),
        ("6.1.0", "2.15.9", KERNEL, False),
        ("6.1.0", "3.3.0", USERSPACE, False),
        ("6.1.0", "", KERNEL, None),
        ("6.1.0", "3.3.0", {}, None),
    ],
)
def test_dispatch_mode_follows_from_versions_and_datapath(
    tree: Tree, kernel: str, version: str, facts: dict[str, object], expected: bool | None
) -> None:
    tree.kernel(kernel)
    ask(tree, version, facts)
    assert per_cpu_dispatch(tree.host(), tree.live) is expected


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
    ("kernel", "version", "facts", "word"),
    [
        ("6.1.0", "3.3.0", KERNEL, "per CPU"),
        ("4.18.0", "3.4.0", USERSPACE, "userspace"),
        ("4.18.0", "3.3.0", USERSPACE, ""),
        ("4.18.0", "3.4.0", KERNEL, ""),
        ("6.1.0", "", {}, ""),
    ],
)
def test_number_of_handlers_is_fixed_by_the_kernel_or_by_having_none(
    tree: Tree, kernel: str, version: str, facts: dict[str, object], word: str
) -> None:
    tree.kernel(kernel)
    ask(tree, version, facts)
    why = why_handlers_are_fixed(tree.host(), tree.live)
    assert word in why
    assert bool(why) == bool(word)
