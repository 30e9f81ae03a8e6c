"""The daemons of one node, and those in the middle that all nodes share. Pure.

A log of a crash loop has thousands of lives and connections, and each is asked for those around it: so they are sorted
once, and found by their time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

from ovsnet.explain.daemons import CONTROLLER, OVSDB, VSWITCHD
from ovsnet.explain.event import Event
from ovsnet.explain.history import Absence, History, Life

LOCAL = (OVSDB, VSWITCHD, CONTROLLER)
FAR = 1e12


class View(msgspec.Struct, frozen=True):
    """One node: its own histories, and all that there are."""

    node: str
    all: Sequence[History]
    _histories: dict[str, list[History]] = msgspec.field(default_factory=dict)
    _lives: dict[str, list[Life]] = msgspec.field(default_factory=dict)
    _absences: dict[tuple[str, str], list[Absence]] = msgspec.field(default_factory=dict)
    _ends: dict[tuple[str, str], list[float]] = msgspec.field(default_factory=dict)
    _losses: dict[str, list[tuple[Absence, Event]]] = msgspec.field(default_factory=dict)

    def of(self, daemon: str) -> list[History]:
        """The histories of a daemon that this node deals with: its own, or those of the middle."""
        if (found := self._histories.get(daemon)) is None:
            own = [each for each in self.all if each.daemon == daemon and each.node == self.node]
            found = own if own or daemon in LOCAL else [each for each in self.all if each.daemon == daemon]
            self._histories[daemon] = found
        return found

    def lives(self, daemon: str) -> list[Life]:
        """Its processes, in order of time."""
        if (found := self._lives.get(daemon)) is None:
            found = sorted((life for each in self.of(daemon) for life in each.lives), key=_began)
            self._lives[daemon] = found
        return found

    def started(self, daemon: str, since: float, until: float) -> list[Life]:
        """Those that began from ``since`` to ``until``."""
        lives = self.lives(daemon)
        return lives[bisect_left(lives, since, key=_began) : bisect_right(lives, until, key=_began)]

    def absences(self, observer: str, target: str) -> list[Absence]:
        """When ``observer``'s main thread lacked ``target``, as far as its lines can tell, in order of time."""
        if (found := self._absences.get((observer, target))) is None:
            found = [
                absence
                for each in self.of(observer)
                for absence in each.absences
                if absence.target == target and not absence.thread and not absence.cut
            ]
            found.sort(key=lambda absence: absence.began)
            self._absences[observer, target] = found
        return found

    def lacked(self, observer: str, target: str, at: float) -> Absence | None:
        """The first absence that lasted beyond ``at``, or is open."""
        absences = self.absences(observer, target)
        if (ends := self._ends.get((observer, target))) is None:
            latest = accumulate((FAR if each.ended is None else each.ended for each in absences), max)
            ends = self._ends[observer, target] = list(latest)
        number = bisect_left(ends, at)
        return absences[number] if number < len(absences) else None

    def lost(self, daemon: str) -> list[tuple[Absence, Event]]:
        """Whenever a client lost ``daemon``, of this node or of the middle, in order of time."""
        if (found := self._losses.get(daemon)) is None:
            found = [
                (absence, absence.lost)
                for each in self.all
                if daemon not in LOCAL or each.node == self.node
                for absence in each.absences
                if absence.target == daemon and absence.lost is not None
            ]
            found.sort(key=lambda each: each[0].began)
            self._losses[daemon] = found
        return found

    def missed(self, told: History, until: float) -> Event | None:
        """When the other members of its cluster first missed one that began again at ``until``."""
        found = (
            absence.lost
            for each in self.all
            if each.daemon == told.daemon and each is not told
            for absence in each.peers
            if absence.lost is not None and absence.began <= until <= (absence.ended or FAR)
        )
        return max(found, key=lambda event: event.at, default=None)

    @property
    def last(self) -> float:
        """The last line of all daemons."""
        return max((each.last for each in self.all), default=0.0)

    def covers(self, daemon: str, at: float) -> bool:
        """Whether there are lines of ``daemon`` from before and after ``at``."""
        return any(each.first <= at <= each.last + 1 for each in self.of(daemon))


def _began(life: Life) -> float:
    return life.began or 0.0


def views(told: Sequence[History]) -> Iterator[View]:
    """Each node that has a daemon of its own; what has none is one nameless node."""
    names = sorted({each.node for each in told if each.daemon in LOCAL}) or [""]
    yield from (View(name, told) for name in names)
