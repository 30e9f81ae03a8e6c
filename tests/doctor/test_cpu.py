"""Quotas and throttling, in both versions of cgroups."""

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.cpu import Quota, tightest_quota

from .conftest import Tree

GROUP = "/sys/fs/cgroup/ovs.slice/ovs.service"


@pytest.fixture
def vswitchd(tree: Tree) -> Tree:
    tree.daemon("ovs-vswitchd", 100)
    return tree


def test_nothing_is_seen_without_a_daemon(tree: Tree) -> None:
    assert tree.one("cpu.quota").severity is Severity.UNSEEN
    assert tree.one("cpu.throttled").severity is Severity.UNSEEN


def test_daemon_without_a_quota_is_well(vswitchd: Tree) -> None:
    vswitchd.write(f"{GROUP}/cpu.max", "max 100000\n")
    assert tightest_quota(vswitchd.host(), 100) is None
    assert vswitchd.one("cpu.quota").severity is Severity.OK
    assert vswitchd.one("cpu.throttled").severity is Severity.OK


@pytest.mark.parametrize(("quota", "severity"), [("200000", Severity.OK), ("50000", Severity.WARNING)])
def test_less_than_one_cpu_is_warned_of(vswitchd: Tree, quota: str, severity: Severity) -> None:
    vswitchd.write(f"{GROUP}/cpu.max", f"{quota} 100000\n")
    assert vswitchd.one("cpu.quota").severity is severity


def test_tightest_of_the_parents_counts(vswitchd: Tree) -> None:
    vswitchd.write(f"{GROUP}/cpu.max", "200000 100000\n")
    vswitchd.write("/sys/fs/cgroup/ovs.slice/cpu.max", "30000 100000\n")
    assert tightest_quota(vswitchd.host(), 100) == Quota("/sys/fs/cgroup/ovs.slice", 0.3, 0.0)


@pytest.mark.parametrize(("times", "severity"), [(1, Severity.OK), (20, Severity.NOTE), (50, Severity.WARNING)])
def test_share_of_throttled_periods_decides(vswitchd: Tree, times: int, severity: Severity) -> None:
    vswitchd.write(f"{GROUP}/cpu.max", "200000 100000\n")
    vswitchd.write(f"{GROUP}/cpu.stat", f"usage_usec 5\nnr_periods 1000\nnr_throttled {times}\nthrottled_usec 1\n")
    assert vswitchd.one("cpu.throttled").severity is severity


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_first_version_of_cgroups_is_read(vswitchd: Tree, mount: str) -> None:
    vswitchd.write("/proc/100/cgroup", "7:memory:/other\n4:cpu,cpuacct:/kubepods/ovs\n0::/\n")
    vswitchd.write(f"/sys/fs/cgroup/{mount}/kubepods/ovs/cpu.cfs_quota_us", "80000\n")
    vswitchd.write(f"/sys/fs/cgroup/{mount}/kubepods/ovs/cpu.cfs_period_us", "100000\n")
    vswitchd.write(f"/sys/fs/cgroup/{mount}/kubepods/cpu.cfs_quota_us", "-1\n")
    vswitchd.write(f"/sys/fs/cgroup/{mount}/kubepods/cpu.cfs_period_us", "100000\n")
    found = tightest_quota(vswitchd.host(), 100)
    assert found is not None
    assert found.cpus == 0.8


def test_group_outside_our_namespace_is_not_guessed_at(vswitchd: Tree) -> None:
    vswitchd.write("/proc/100/cgroup", "0::/../ovs\n")
    vswitchd.write("/sys/fs/ovs/cpu.max", "10000 100000\n")
    assert tightest_quota(vswitchd.host(), 100) is None
