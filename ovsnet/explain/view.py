"""The daemons of one node, and those in the middle that all nodes share. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ovsnet.explain.daemons import CONTROLLER, OVSDB, VSWITCHD
from ovsnet.explain.history import Absence, History, Life

LOCAL = (OVSDB, VSWITCHD, CONTROLLER)
FAR = 1e12


class View(msgspec.Struct, frozen=True):
    """One node: its own histories, and all that there are."""

    node: str
    all: Sequence[History]

    def of(self, daemon: str) -> list[History]:
        """The histories of a daemon that this node deals with: its own, or those of the middle."""
        own = [each for each in self.all if each.daemon == daemon and each.node == self.node]
        return own if own or daemon in LOCAL else [each for each in self.all if each.daemon == daemon]

    def lives(self, daemon: str) -> list[Life]:
        """Its processes, in order of time."""
        return sorted((life for each in self.of(daemon) for life in each.lives), key=lambda life: life.began or 0.0)

    def absences(self, observer: str, target: str) -> list[Absence]:
        """When ``observer``'s main thread lacked ``target``."""
        return [
            absence
            for each in self.of(observer)
            for absence in each.absences
            if absence.target == target and not absence.thread
        ]

    @property
    def last(self) -> float:
        """The last line of anybody."""
        return max((each.last for each in self.all), default=0.0)

    def covers(self, daemon: str, at: float) -> bool:
        """Whether there are lines of ``daemon`` from before and after ``at``."""
        return any(each.first <= at <= each.last + 1 for each in self.of(daemon))


def views(told: Sequence[History]) -> Iterator[View]:
    """Each node that has a daemon of its own; what has none is one nameless node."""
    names = sorted({each.node for each in told if each.daemon in LOCAL}) or [""]
    yield from (View(name, told) for name in names)
