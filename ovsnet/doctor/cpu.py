"""CPU quota and throttling of the daemons' cgroups.

A quota that is used up stops every thread until the next period, the main loop among them: OpenFlow and database
connections then break for silence (kube-ovn #3530). cgroup v2: cpu.max and cpu.stat; v1: cpu.cfs_quota_us,
cpu.cfs_period_us (Documentation/scheduler/sched-bwc.rst). The tightest of a group and its parents counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.running import daemons, nobody_runs
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

MOUNT = PurePosixPath("/sys/fs/cgroup")

TOO_FEW = 1.0
"""CPUs. vswitchd has a main loop, handlers and revalidators at work at once; kube-ovn #3530 was fixed with two."""

HURTS = 0.05
WORTH_A_LOOK = 0.01
"""Shares of all periods in which the group was throttled."""


class Quota(msgspec.Struct, frozen=True):
    """Of one cgroup: how many CPUs' time it may use, and in what share of its periods it ran out."""

    group: str
    cpus: float
    throttled: float


@examination("cpu.quota")
def quota(host: Host, live: Live) -> Iterator[Finding]:
    """No daemon is bound to less than one CPU."""
    found = _quotas(host, live)
    if found is None:
        yield nobody_runs()
        return
    tight = {name: one for name, one in found.items() if one is not None and one.cpus < TOO_FEW}
    evidence = [f"{name}: {one.cpus:g} CPUs by {one.group}" for name, one in found.items() if one]
    if tight:
        yield warning(
            f"{', '.join(tight)} may use less than one CPU: packets and connections will wait.",
            "Raise the CPU limit of the container or CPUQuota= of the service to 2 or more.",
            *evidence,
        )
    else:
        yield ok("No daemon is bound to less than one CPU.", *evidence)


@examination("cpu.throttled")
def throttled(host: Host, live: Live) -> Iterator[Finding]:
    """No daemon was stopped for having used up its quota."""
    found = _quotas(host, live)
    if found is None:
        yield nobody_runs()
        return
    bound = {name: one for name, one in found.items() if one is not None}
    evidence = [
        f"{name}: throttled in {one.throttled:.1%} of the periods of {one.group}" for name, one in bound.items()
    ]
    worst = max((one.throttled for one in bound.values()), default=0.0)
    hit = ", ".join(name for name, one in bound.items() if one.throttled >= WORTH_A_LOOK)
    remedy = "Raise the CPU limit of the container or CPUQuota= of the service."
    if worst >= HURTS:
        yield warning(f"{hit} was throttled in up to {worst:.0%} of all periods.", remedy, *evidence)
    elif worst >= WORTH_A_LOOK:
        yield note(f"{hit} was throttled now and then, in up to {worst:.1%} of all periods.", remedy, *evidence)
    else:
        yield ok("No daemon was throttled to speak of.", *evidence)


def _quotas(host: Host, live: Live) -> dict[str, Quota | None] | None:
    """By daemon that runs; None when none is seen. Raises UnfitEnvironment."""
    return {name: tightest_quota(host, pid) for name, pid in daemons(host, live).items()} or None


def tightest_quota(host: Host, pid: int) -> Quota | None:
    """The tightest quota of a process, or None when there is none. Raises UnfitEnvironment."""
    found = [one for group in _groups(host, pid) if (one := _quota(host, group)) is not None]
    return min(found, key=lambda one: one.cpus, default=None)


def _groups(host: Host, pid: int) -> Iterator[PurePosixPath]:
    """Directories of the process's cgroup and its parents, in each hierarchy that may hold a quota."""
    for line in host.need(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = (MOUNT / controllers, MOUNT / "cpu") if controllers else (MOUNT,)
        # ".." says that the group lies outside our cgroup namespace (cgroup_namespaces(7)): not for us to see.
        inner = PurePosixPath(path.lstrip("/"))
        if ".." not in inner.parts:
            yield from (mount / each for mount in dict.fromkeys(mounts) for each in (inner, *inner.parents))


def _quota(host: Host, group: PurePosixPath) -> Quota | None:
    text = host.read(str(group / "cpu.max"))
    if text is None:
        allowed, period = host.read(str(group / "cpu.cfs_quota_us")), host.read(str(group / "cpu.cfs_period_us"))
        text = f"{allowed.strip()} {period.strip()}" if allowed and period else "max"
    time, _, every = text.strip().partition(" ")
    if not time.isdigit() or not every.isdigit():
        return None
    return Quota(str(group), int(time) / int(every), _throttled_share(host.read(str(group / "cpu.stat")) or ""))


def _throttled_share(stat: str) -> float:
    fields = dict(line.split(maxsplit=1) for line in stat.splitlines() if " " in line)
    return int(fields.get("nr_throttled", 0)) / max(int(fields.get("nr_periods", 0)), 1)
