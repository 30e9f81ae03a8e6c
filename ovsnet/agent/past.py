"""What the agent remembers: an hour of worst states and round trips, and the last changes. Pure.

Two kinds of rings, both of a fixed size:

    tracks   SLOTS numbers of STEP seconds each, for the node and for each component that is used here: 5 bytes a slot,
             so 1.8 kB a track and 20 kB at most
    events   MOST_TURNS of the diagnosis and of starts, MOST_CHECKS of checks. A sentence is cut at LONGEST, so that
             all of them take 0.3 MB when each is that long

A slot begins with what holds at its beginning, so that a fault that lasts fills every slot, however rarely it is asked
about. Slots in which our own loop was blocked stay empty: what was then is not known.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ovsnet.health.cause import State
from ovsnet.health.checks.result import ELSEWHERE, NOT_USED, Result, Status
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.health.state import Change

FORMAT = 1
"""Of the document. It grows when a key changes its meaning or goes; new keys may come at any time."""

STEP = 10.0
SLOTS = 360

MOST_TURNS = 100
MOST_CHECKS = 400
"""Apart, so that a check that flaps does not push the diagnoses out."""

LONGEST = 240
"""Characters of a sentence that is kept."""

BY_SEVERITY = (Status.OK, Status.SKIPPED, Status.UNKNOWN, Status.SLOW, Status.FAILED)
_SEVERITY = {status: number for number, status in enumerate(BY_SEVERITY)}

NOT_KNOWN = -1


class Track:
    """Of one component, or of the node: the worst that was seen in each slot, and the longest that an answer took."""

    def __init__(self) -> None:
        self.worst = array("b", [NOT_KNOWN]) * SLOTS
        self.took = array("f", [math.nan]) * SLOTS

    def clear(self, slot: int, worst: int = NOT_KNOWN) -> None:
        """``slot`` begins."""
        self.worst[slot], self.took[slot] = worst, math.nan

    def add(self, slot: int, worst: int, took: float | None) -> None:
        """Something was seen."""
        if worst > self.worst[slot]:
            self.worst[slot] = worst
        if took is not None and not took <= self.took[slot]:
            self.took[slot] = took


class Turn(msgspec.Struct, frozen=True):
    """The diagnosis changed."""

    at: float
    code: str
    state: State
    summary: str


class Started(msgspec.Struct, frozen=True):
    """A daemon started."""

    at: float
    daemon: str


class Changed(msgspec.Struct, frozen=True):
    """A check has another status or reason than before."""

    at: float
    name: str
    status: Status
    reason: str
    detail: str


class Past:
    """Begins empty at ``now``."""

    def __init__(self, now: float) -> None:
        self._number = _number(now)
        self.node = Track()
        self.components: dict[str, Track] = {}
        self.turns: deque[Turn | Started] = deque(maxlen=MOST_TURNS)
        self.changes: deque[Changed] = deque(maxlen=MOST_CHECKS)

    def tick(self, now: float, state: State, results: Mapping[str, Result]) -> None:
        """Time has passed. Cheap while the slot is the same; a new one begins with what holds now."""
        if (number := _number(now)) == self._number:
            return
        for each in range(max(self._number + 1, number - SLOTS + 1), number + 1):
            for track in (self.node, *self.components.values()):
                track.clear(each % SLOTS)
        self._number = number
        self.node.add(self._slot, state, None)
        for result in results.values():
            self._add(result, None)

    def answers(self, results: Iterable[Result]) -> None:
        """Checks were asked. A daemon that is silent has not answered for so long."""
        for result in results:
            silent = result.values.get("silent_seconds") if result.rtt_seconds is None else None
            self._add(result, result.rtt_seconds if silent is None else float(silent))

    def change(self, change: Change, now: float) -> None:
        """Something is other than before."""
        if (result := change.result) is not None:
            detail = result.detail[:LONGEST]
            self.changes.append(Changed(result.at, result.name, result.status, result.reason, detail))
        if (found := change.diagnosis) is not None:
            self.turn(found, now)

    def turn(self, found: Diagnosis, now: float) -> None:
        """The diagnosis is another one."""
        self.node.add(self._slot, found.state, None)
        self.turns.append(Turn(now, found.code, found.state, found.summary[:LONGEST]))

    def started(self, daemon: str, at: float) -> None:
        """A daemon started."""
        self.turns.append(Started(at, daemon))

    def document(self, now: float, wall_offset: float) -> dict[str, object]:
        """All of it; the oldest slot first, and the last one has not ended. Of what nobody knows, null."""
        return {
            "format": FORMAT,
            "now": now + wall_offset,
            "since": (self._number - SLOTS + 1) * STEP + wall_offset,
            "step_seconds": STEP,
            "states": [state.label for state in State],
            "statuses": [status.value for status in BY_SEVERITY],
            "node": {"worst": self._in_order(self.node.worst)},
            "components": {
                name: {"worst": self._in_order(track.worst), "took_seconds": self._in_order(track.took)}
                for name, track in self.components.items()
            },
            "events": sorted(self._events(wall_offset), key=_at),
        }

    def turns_document(self, wall_offset: float) -> list[dict[str, object]]:
        """The changes of the diagnosis and the starts, the oldest first."""
        return sorted(self._turns(wall_offset), key=_at)

    def _events(self, wall_offset: float) -> Iterator[dict[str, object]]:
        yield from self._turns(wall_offset)
        for each in self.changes:
            yield {
                "at": each.at + wall_offset,
                "kind": "check",
                "name": each.name,
                "status": each.status.value,
                "reason": each.reason,
                "detail": each.detail,
            }

    def _turns(self, wall_offset: float) -> Iterator[dict[str, object]]:
        ended: float | None = None
        for each in reversed(self.turns):
            if isinstance(each, Started):
                yield {"at": each.at + wall_offset, "kind": "start", "daemon": each.daemon}
                continue
            yield {
                "at": each.at + wall_offset,
                "kind": "diagnosis",
                "code": each.code,
                "state": each.state.label,
                "summary": each.summary,
                "lasted_seconds": None if ended is None else ended - each.at,
            }
            ended = each.at

    @property
    def _slot(self) -> int:
        return self._number % SLOTS

    def _add(self, result: Result, took: float | None) -> None:
        if result.reason in (NOT_USED, ELSEWHERE):
            return
        component = result.name.partition(".")[0]
        track = self.components.get(component)
        if track is None:
            track = self.components[component] = Track()
        track.add(self._slot, _SEVERITY[result.status], took)

    def _in_order(self, ring: array[int] | array[float]) -> list[float | None]:
        first = (self._number + 1) % SLOTS
        return [_known(value) for value in (*ring[first:], *ring[:first])]


def _number(now: float) -> int:
    return int(now // STEP)


def _known(value: float) -> float | None:
    if isinstance(value, int):
        return None if value == NOT_KNOWN else value
    return None if math.isnan(value) else round(value, 6)


def _at(event: dict[str, object]) -> float:
    at = event["at"]
    assert isinstance(at, float)
    return at
