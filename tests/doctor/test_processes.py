"""What bounds ovs-vswitchd's threads and locked memory, and a second one beside it."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

GROUP = "/sys/fs/cgroup/ovs.slice/ovs.service"


@pytest.fixture
def vswitchd(tree: Tree) -> Tree:
    tree.daemon("ovs-vswitchd", 100)
    return tree


def test_nothing_is_seen_without_a_daemon(tree: Tree) -> None:
    assert tree.one("limits.vswitchd-memlock").severity is Severity.UNSEEN
    assert tree.one("limits.pids").severity is Severity.UNSEEN
    assert tree.one("switch.alone").severity is Severity.OK


@pytest.mark.parametrize(
    ("flag", "limit", "capabilities", "severity"),
    [
        ("--mlockall", "67108864", "0", Severity.WARNING),
        ("--mlockall", "67108864", "4000", Severity.OK),
        ("--mlockall", "unlimited", "0", Severity.OK),
        ("--pidfile", "67108864", "0", Severity.OK),
    ],
)
def test_memory_that_may_not_be_locked_is_warned_of(
    vswitchd: Tree, flag: str, limit: str, capabilities: str, severity: Severity
) -> None:
    vswitchd.write("/proc/100/cmdline", f"ovs-vswitchd\0{flag}\0")
    vswitchd.write("/proc/100/limits", f"Max locked memory         {limit}             {limit}            bytes\n")
    vswitchd.write("/proc/100/status", f"Name:\tovs-vswitchd\nCapEff:\t{capabilities.zfill(16)}\n")
    found = vswitchd.one("limits.vswitchd-memlock")
    assert found.severity is severity
    assert severity is Severity.OK or "64 MiB" in found.summary


@pytest.mark.parametrize(
    ("where", "used", "most", "severity"),
    [
        (GROUP, 20, "100", Severity.OK),
        (GROUP, 90, "100", Severity.WARNING),
        (GROUP, 90, "max", Severity.OK),
        ("/sys/fs/cgroup/ovs.slice", 90, "100", Severity.WARNING),
    ],
)
def test_group_with_nearly_all_its_threads_is_warned_of(
    vswitchd: Tree, where: str, used: int, most: str, severity: Severity
) -> None:
    vswitchd.write(f"{where}/pids.current", f"{used}\n")
    vswitchd.write(f"{where}/pids.max", f"{most}\n")
    found = vswitchd.one("limits.pids")
    assert found.severity is severity
    assert severity is Severity.OK or found.evidence == (f"ovs-vswitchd: {used} of {most} by {where}",)


def test_first_version_of_cgroups_is_read(vswitchd: Tree) -> None:
    vswitchd.write("/proc/100/cgroup", "4:memory:/x\n3:pids:/ovs\n")
    vswitchd.write("/sys/fs/cgroup/pids/ovs/pids.current", "99\n")
    vswitchd.write("/sys/fs/cgroup/pids/ovs/pids.max", "100\n")
    assert vswitchd.one("limits.pids").severity is Severity.WARNING


def second(tree: Tree, *, space: str = "net:[1]", parent: int = 1) -> None:
    tree.process(200, "ovs-vswitchd")
    tree.write("/proc/200/stat", f"200 (ovs-vswitchd) S {parent} 1")
    for pid, name in ((100, "net:[1]"), (200, space)):
        tree.path(f"/proc/{pid}/ns").mkdir()
        tree.path(f"/proc/{pid}/ns/net").symlink_to(name)


def test_two_switches_share_the_kernels_datapath(vswitchd: Tree) -> None:
    second(vswitchd)
    found = vswitchd.one("switch.alone")
    assert found.severity is Severity.WARNING
    assert found.evidence == ("process 100", "process 200")
    vswitchd.database(bridges={"br-int": "netdev"}, offered_datapaths=frozenset({"netdev"}))
    assert vswitchd.one("switch.alone").severity is Severity.NOTE


def test_switch_in_a_network_of_its_own_is_another_matter(vswitchd: Tree) -> None:
    second(vswitchd, space="net:[2]")
    assert vswitchd.one("switch.alone").severity is Severity.OK


def test_monitor_is_no_second_switch(vswitchd: Tree) -> None:
    second(vswitchd, parent=100)
    assert vswitchd.one("switch.alone").severity is Severity.OK
