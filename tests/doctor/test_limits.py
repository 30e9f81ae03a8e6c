"""File limits against what ports and threads need."""

from ovsnet.config import Settings
from ovsnet.doctor import Severity
from ovsnet.doctor.limits import BASE
from ovsnet.io.nofile import nofile_needed

from .conftest import Denied, Tree

LIMIT = "Max open files            {0}                 {0}                 files\n"


def test_limit_is_unseen_without_vswitchd(tree: Tree) -> None:
    assert tree.one("limits.vswitchd-files").severity is Severity.UNSEEN


def test_ports_times_handlers_must_fit_when_each_handler_has_a_socket_per_port(tree: Tree) -> None:
    tree.write("/sys/devices/system/cpu/online", "0-13")
    tree.daemon("ovs-vswitchd", 100, cpus="0-13")
    tree.threads(100, 10, 4)
    tree.write("/proc/100/limits", LIMIT.format(4096))
    kernel = {"bridges": {"br-int": ""}, "offered_datapaths": frozenset({"system"}), "ovs_version": "2.17.0"}
    tree.database(interfaces=300, **kernel)
    assert tree.one("limits.vswitchd-files").severity is Severity.OK
    tree.database(interfaces=400, **kernel)
    found = tree.one("limits.vswitchd-files")
    assert found.severity is Severity.WARNING
    assert f"needs up to {BASE + 2 * 14 + 4000}" in found.summary
    assert "LimitNOFILE" in found.remedy
    tree.threads(100, 14, 4)
    assert tree.one("limits.vswitchd-files").severity is Severity.OK


def test_files_that_are_open_already_count(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/limits", LIMIT.format(1024))
    for number in range(900):
        tree.write(f"/proc/100/fd/{number}")
    found = tree.one("limits.vswitchd-files")
    assert found.severity is Severity.WARNING
    assert "900 of at most 1024" in found.summary


def test_open_files_of_another_user_are_left_out(tree: Tree, deny: Denied) -> None:
    tree.daemon("ovs-vswitchd", 100)
    deny("/proc/100/fd")
    found = tree.one("limits.vswitchd-files")
    assert found.severity is Severity.OK
    assert not [each for each in found.evidence if "are open" in each]


def test_own_limit_must_carry_the_agents_connections(tree: Tree) -> None:
    assert tree.one("limits.own-files").severity is Severity.UNSEEN
    tree.write("/proc/self/limits", LIMIT.format(4096))
    found = tree.one("limits.own-files")
    assert found.severity is Severity.WARNING
    assert f"needs up to {nofile_needed(Settings().max_connections)}" in found.summary


def test_own_hard_limit_counts_because_the_agent_raises_the_soft_one(tree: Tree) -> None:
    tree.write("/proc/self/limits", "Max open files            1024                 524288               files\n")
    assert tree.one("limits.own-files").severity is Severity.OK


def test_limits_without_a_number_are_unseen(tree: Tree) -> None:
    tree.write("/proc/self/limits", "Max open files            unlimited            unlimited            files\n")
    assert tree.one("limits.own-files").severity is Severity.UNSEEN
