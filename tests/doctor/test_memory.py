"""Limits of memory, and what was killed for them."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

GROUP = "/sys/fs/cgroup/ovs.slice/ovs.service"


def limited(tree: Tree, used: int, limit: str, kills: int = 0) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write(f"{GROUP}/memory.current", f"{used << 20}\n")
    tree.write(f"{GROUP}/memory.max", f"{limit}\n")
    tree.write(f"{GROUP}/memory.stat", "inactive_file 0\nactive_file 0\n")
    tree.write(f"{GROUP}/memory.events", f"oom 0\noom_kill {kills}\n")


def test_nothing_is_seen_without_a_daemon(tree: Tree) -> None:
    assert tree.one("memory.limit").severity is Severity.UNSEEN
    assert tree.one("memory.killed").severity is Severity.OK


@pytest.mark.parametrize(
    ("used", "limit", "severity"),
    [(100, str(256 << 20), Severity.OK), (240, str(256 << 20), Severity.WARNING), (240, "max", Severity.OK)],
)
def test_daemon_near_its_limit_is_warned_of(tree: Tree, used: int, limit: str, severity: Severity) -> None:
    limited(tree, used, limit)
    found = tree.one("memory.limit")
    assert found.severity is severity
    assert bool(found.evidence) is (limit != "max")
    if severity is Severity.WARNING:
        assert "94%" in found.summary
        assert "240 MiB of 256 MiB" in found.evidence[0]


def test_kills_in_the_daemons_own_group_are_counted(tree: Tree) -> None:
    limited(tree, 100, str(256 << 20), kills=3)
    found = tree.one("memory.killed")
    assert found.severity is Severity.WARNING
    assert "ovs-vswitchd: 3 times" in found.evidence[0]


@pytest.mark.parametrize(("count", "severity"), [(0, Severity.OK), (2, Severity.NOTE)])
def test_kills_elsewhere_are_a_note(tree: Tree, count: int, severity: Severity) -> None:
    limited(tree, 100, str(256 << 20))
    tree.write("/proc/vmstat", f"nr_free_pages 1\noom_kill {count}\n")
    assert tree.one("memory.killed").severity is severity
