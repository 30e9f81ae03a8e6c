"""What ovs-vswitchd says of its datapaths: packets that it lost, flows and their limit. Pure."""

from __future__ import annotations

import re

import msgspec

_LOOKUPS = re.compile(r"^(?P<name>\S+@\S+):\n  lookups: hit:\d+ missed:\d+ lost:(?P<lost>\d{1,20})$", re.MULTILINE)
_FLOWS = re.compile(
    r"^(?P<name>\S+@\S+):\n"
    r"\s+flows\s*: \(current (?P<current>\d{1,20})\) \(avg \d+\) \(max \d+\) \(limit (?P<limit>\d{1,20})\)$",
    re.MULTILINE,
)


def lost(shown: str) -> dict[str, int]:
    """Packets by datapath that no handler had room for (lib/dpctl.c, ``show_dpif``)."""
    return {each["name"]: int(each["lost"]) for each in _LOOKUPS.finditer(shown)}


class Flows(msgspec.Struct, frozen=True):
    """How many flows a datapath holds, and may hold now."""

    datapath: str
    current: int
    limit: int


def flows(shown: str) -> list[Flows]:
    """Of ``upcall/show`` (ofproto/ofproto-dpif-upcall.c, ``upcall_unixctl_show``), the fullest first."""
    found = [Flows(each["name"], int(each["current"]), int(each["limit"])) for each in _FLOWS.finditer(shown)]
    return sorted(found, key=lambda each: each.limit - each.current)


SHORTEST = 0.1
"""Seconds. Two looks that follow each other more closely say nothing of a rate."""


class Growth:
    """How fast a counter grows from one look to the next."""

    def __init__(self) -> None:
        self._before: tuple[int, float] | None = None
        self._rate = 0.0

    def look(self, total: int, now: float) -> float | None:
        """Per second since the last look; None at the first. A counter that went back was reset."""
        if self._before is None:
            self._before = total, now
            return None
        before, at = self._before
        if now - at >= SHORTEST:
            self._before, self._rate = (total, now), max(total - before, 0) / (now - at)
        return self._rate
