"""How near a daemon is to the memory limit of its cgroup, and whether the kernel has killed there.

What counts is what the kernel cannot take back: usage without the file cache, which it drops before it kills a process
(Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files"; cgroup-v1/memory.rst). Any group further up may
have the limit that is met first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
"""In the name of a pod's group. It outlives the groups of its containers, and counts for them."""


class Memory(msgspec.Struct, frozen=True):
    """The group that is nearest to its limit; bytes. ``setting`` is the file that holds the limit. ``kills`` counts
    those in the process' own group, or in its pod's."""

    group: str
    setting: str
    used: int
    limit: int
    kills: int

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.used / self.limit if self.limit else 0.0


class _Names(msgspec.Struct, frozen=True):
    """Files and fields of one version of cgroups."""

    usage: str
    limit: str
    cache: tuple[str, str]
    events: str


_V1 = _Names(
    "memory.usage_in_bytes", "memory.limit_in_bytes", ("total_inactive_file", "total_active_file"), "memory.oom_control"
)
_V2 = _Names("memory.current", "memory.max", ("inactive_file", "active_file"), "memory.events")


def memories(
    pids: Mapping[str, int], proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> dict[str, Memory | None]:
    """Of each of these daemons; None where no limit can be seen. Those of one container share a cgroup: it is read
    once."""
    groups = {name: membership(pid, proc) for name, pid in pids.items()}
    found = {group: _of_group(group, cgroups) for group in set(groups.values())}
    return {name: found[group] for name, group in groups.items()}


def _of_group(membership: str, cgroups: Path) -> Memory | None:
    for files, place in dict.fromkeys(places(membership, "memory", cgroups)):
        names = _V2 if files is V2 else _V1
        groups = [group for group in (place, *place.parents) if group.is_relative_to(cgroups)]
        limits = {group: read(group / names.limit).strip() for group in groups}
        limited = {group: int(text) for group, text in limits.items() if text.isdigit() and int(text) < NO_LIMIT}
        if limited:
            kills = _kills(groups, names)
            found = (_memory(group, limit, names, kills) for group, limit in limited.items())
            return max(found, key=lambda each: each.share)
    return None


def _memory(group: Path, limit: int, names: _Names, kills: int) -> Memory:
    counted = read(group / "memory.stat")
    cache = sum(int(field(counted, name) or 0) for name in names.cache)
    usage = int(read(group / names.usage) or 0)
    return Memory(str(group), str(group / names.limit), max(0, usage - cache), limit, kills)


def _kills(groups: list[Path], names: _Names) -> int:
    counting = [groups[0], *(group for group in groups[1:] if _POD.search(group.name))] if groups else []
    return max((int(field(read(group / names.events), "oom_kill") or 0) for group in counting), default=0)


class MemoryWatch:
    """What was seen of one daemon's memory before. Pure: ``now`` is seconds of any clock."""

    def __init__(self) -> None:
        self._kills: int | None = None
        self._killed_at: float | None = None
        self._near_since: float | None = None

    def look(self, found: Memory, now: float) -> str:
        """``killed``, ``near`` or nothing. Since when one has been near that is at the first look is not known: it
        is reported at once."""
        first = self._kills is None
        if self._kills is not None and found.kills > self._kills:
            self._killed_at = now
        self._kills = found.kills
        if found.share < NEAR:
            self._near_since = None
        elif self._near_since is None:
            self._near_since = now - LASTS if first else now
        if self._killed_at is not None and now - self._killed_at < KILL_COUNTS:
            return "killed"
        return "near" if self._near_since is not None and now - self._near_since >= LASTS else ""
