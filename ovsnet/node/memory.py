"""How near a daemon is to the memory limit of its cgroup, and whether the kernel has killed there.

What counts is what the kernel cannot take back: usage without the file cache and without reclaimable slabs, such as the
names of files that probes opened, which it drops before it kills a process (Documentation/admin-guide/cgroup-v2.rst,
"Memory Interface Files"; version 1 counts no slabs in its memory.stat, cgroup-v1/memory.rst).

A group further up may have the limit that is met first. It counts as far as the pod, and outside of one while most of
what it uses is the daemon's: at the limit of ``kubepods.slice``, which all pods of a node share, the kernel kills
whatever is biggest there (mm/oom_kill.c, ``select_bad_process``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ovsnet.node.pressure import V2, field, membership, places, read

NEAR = 0.9
"""Of the limit."""

LASTS = 30.0
"""Seconds for which a daemon that was seen with room must be near its limit: a peak is not a fault."""

KILL_COUNTS = 3600.0
"""Seconds for which a kill is reported."""

NO_LIMIT = 1 << 62
"""Bytes: version 1 has LONG_MAX, rounded to a page, for none."""

_POD = re.compile(r"pod[0-9a-f]{8}[-_][0-9a-f]{4}")
"""In the name of a pod's group, which outlives the groups of its containers."""


class Memory(msgspec.Struct, frozen=True):
    """The group that is nearest to its limit; bytes. Without a limit ``limit`` is 0. ``setting`` is the file that holds
    it. ``kills`` counts those in the process' own group; ``pod_kills`` those in its pod, of any container: 0 outside
    of one."""

    group: str
    setting: str
    used: int
    limit: int
    kills: int
    pod_kills: int = 0

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.used / self.limit if self.limit else 0.0


class _Names(msgspec.Struct, frozen=True):
    """Files and fields of one version of cgroups."""

    usage: str
    limit: str
    reclaimable: tuple[str, ...]
    events: str


_V1 = _Names(
    "memory.usage_in_bytes", "memory.limit_in_bytes", ("total_inactive_file", "total_active_file"), "memory.oom_control"
)
_V2 = _Names("memory.current", "memory.max", ("inactive_file", "active_file", "slab_reclaimable"), "memory.events")


def memories(
    pids: Mapping[str, int], proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> dict[str, Memory | None]:
    """Of each of these daemons; None where nothing is counted. Those of one container share a cgroup: it is read
    once."""
    groups = {name: membership(pid, proc) for name, pid in pids.items()}
    found = {group: _of_group(group, cgroups) for group in set(groups.values())}
    return {name: found[group] for name, group in groups.items()}


def _of_group(membership: str, cgroups: Path) -> Memory | None:
    for files, place in dict.fromkeys(places(membership, "memory", cgroups)):
        names = _V2 if files is V2 else _V1
        above = (group for group in (place, *place.parents) if group.is_relative_to(cgroups))
        if counted := [group for group in above if read(group / names.usage)]:
            own, pod = counted[0], next((group for group in counted if _POD.search(group.name)), None)
            nearest = max(_limits(counted, pod, names), key=lambda each: each[1] / each[2], default=(own, 0, 0))
            group, used, limit = nearest
            setting = str(group / names.limit) if limit else ""
            kills = _kills(own, names)
            return Memory(str(group), setting, used, limit, kills, 0 if pod is None else _kills(pod, names))
    return None


def _limits(groups: list[Path], pod: Path | None, names: _Names) -> Iterator[tuple[Path, int, int]]:
    """The groups whose limits are the daemon's, from its own upwards: what each uses, and may."""
    for number, group in enumerate(groups):
        text = read(group / names.limit).strip()
        if text.isdigit() and 0 < int(text) < NO_LIMIT:
            used = _used(group, names)
            if number and pod is None and 2 * _used(groups[0], names) < used:
                return
            yield group, used, int(text)
        if group == pod:
            return


def _used(group: Path, names: _Names) -> int:
    counted = read(group / "memory.stat")
    reclaimable = sum(int(field(counted, name) or 0) for name in names.reclaimable)
    return max(0, int(read(group / names.usage) or 0) - reclaimable)


def _kills(group: Path, names: _Names) -> int:
    return int(field(read(group / names.events), "oom_kill") or 0)


class MemoryWatch:
    """What was seen of one daemon's memory before. Pure: ``now`` is seconds of any clock."""

    def __init__(self) -> None:
        self._before: Memory | None = None
        self._pid = 0
        self._killed_at: float | None = None
        self._near_since: float | None = None

    def look(self, found: Memory, now: float, pid: int) -> str:
        """``killed``, ``near`` or nothing. Since when one has been near that is at the first look is not known: it
        is reported at once."""
        before, self._before = self._before, found
        if before is not None and self._was_killed(before, found, pid):
            self._killed_at = now
        self._pid = pid
        if found.share < NEAR:
            self._near_since = None
        elif self._near_since is None:
            self._near_since = now - LASTS if before is None else now
        if self._killed_at is not None and now - self._killed_at < KILL_COUNTS:
            return "killed"
        return "near" if self._near_since is not None and now - self._near_since >= LASTS else ""

    def _was_killed(self, before: Memory, found: Memory, pid: int) -> bool:
        """A container that is killed starts again in a new group, whose count begins at zero; its pod's goes on, and
        counts other containers too: of those this daemon's process goes on."""
        return found.kills > before.kills or (pid != self._pid and found.pod_kills > before.pod_kills)
