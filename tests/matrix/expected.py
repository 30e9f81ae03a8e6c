"""What is right of one fault, or of two at once, and which two go together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ovsnet.health.cause import State
from ovsnet.health.causes import causes
from tests.faults.fault import Fault, Observer
from tests.faults.verdicts import VERDICTS

PLACES = [(cause.code, cause.state) for cause in causes()]
"""The causal order. A code may have several rows, which differ in their state."""

RANK = {code: rank for rank, (code, _) in reversed(list(enumerate(PLACES)))}
"""Place of each code in it: of two, the lower is the root."""

EXCEPTIONS: dict[frozenset[str], tuple[str, str]] = {}
"""Two faults, the code that is the root of them together, and why it is not the first in the causal order."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What every observer must say. ``dead``: ``/ovs/livez`` must fail, after ``dead_after``; else it must pass."""

    codes: frozenset[str]
    state: State
    exit_code: int
    dead: bool
    passing: frozenset[str]
    also: frozenset[str]
    innocent: frozenset[str]

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Expected:
        """Of all of them together: the root, what must stand beside it, the worst state. One that another hides counts
        for nothing but what it may show in passing."""
        told = [fault for fault in faults if not _hidden(fault, faults)]
        each = [_alone(fault) for fault in told]
        broken = [fault for fault in told if fault.codes != {"healthy"}] or told
        codes = broken[0].codes if len(broken) == 1 else _root(broken)
        state = max((one.state for one in each), default=State.READY)
        return cls(
            codes,
            state,
            max((one.exit_code for one in each if one.state is state), default=0),
            any(one.dead for one in each),
            frozenset().union(*(fault.passing | fault.codes | _started_often(fault) for fault in faults)),
            _beside(told, codes),
            frozenset().union(*(one.innocent for one in each)),
        )


def _alone(fault: Fault) -> Expected:
    verdicts = [VERDICTS[code] for code in sorted(fault.codes)]
    state = max(verdict.state for verdict in verdicts) if fault.state is None else fault.state
    worst = max(verdict.exit for verdict in verdicts)
    exit_code = fault.exit_code if fault.exit_code is not None else worst if state.serves == (worst == 0) else None
    if exit_code is None:
        exit_code = 0 if state.serves else 1
    dead = any(verdict.dead for verdict in verdicts)
    return Expected(fault.codes, state, exit_code, dead, fault.passing, fault.also, fault.innocent)


def _started_often(fault: Fault) -> frozenset[str]:
    """A row makes its fault several times within seconds, and some start a daemon more than once each time."""
    return frozenset(f"{part}-restarting" for part in fault.breaks) & RANK.keys()


def _beside(faults: Sequence[Fault], root: frozenset[str]) -> frozenset[str]:
    """Codes that must stand beside the root. Of a fault that may have several codes, any might."""
    sure = (fault.codes if len(fault.codes) == 1 else frozenset() for fault in faults)
    return frozenset({"healthy"}).union(*sure, *(fault.also for fault in faults)) - root - {"healthy"}


def _hidden(fault: Fault, faults: Sequence[Fault]) -> bool:
    others = [other for other in faults if other is not fault]
    return bool(fault.hidden_by & {word for other in others for word in (other.name, *other.codes)})


def _root(faults: Sequence[Fault]) -> frozenset[str]:
    """Those that may be the first in the causal order, where a fault may have several codes, and shows one of them."""
    if found := EXCEPTIONS.get(frozenset(fault.name for fault in faults)):
        return frozenset({found[0]})
    places = [{code: _place(code, fault.state) for code in fault.codes - {"healthy"}} for fault in faults]
    places = [each for each in places if each]
    if not places:
        return frozenset({"healthy"})
    first = min(max(each.values()) for each in places)
    return frozenset(code for each in places for code, place in each.items() if place <= first)


def _place(code: str, state: State | None) -> int:
    exact = (rank for rank, place in enumerate(PLACES) if place == (code, state))
    return next(exact, RANK[code])


def observers(faults: Iterable[Fault]) -> list[Observer]:
    """Those for whom all of the faults say something."""
    kinds: tuple[Observer, ...] = ("held", "start", "fresh", "check")
    return [kind for kind in kinds if all(kind in fault.observers for fault in faults)]


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """As they can be brought about: settings need the database, flows the switch."""
    return sorted(faults, key=lambda fault: (fault.breaks >= {"ovsdb"}, fault.breaks >= {"vswitchd"}, fault.name))


def pairs(faults: Iterable[Fault], count: int, seed: int) -> list[tuple[Fault, ...]]:
    """So many pairs of faults that break different parts of the node, each fault about as often as any other."""
    rng = random.Random(seed)
    known = [fault for fault in faults if fault.breaks and fault.codes - {"healthy"} <= RANK.keys()]
    possible = [pair for pair in combinations(known, 2) if not pair[0].breaks & pair[1].breaks]
    rng.shuffle(possible)
    used = dict.fromkeys((fault.name for fault in known), 0)
    chosen: list[tuple[Fault, ...]] = []
    while possible and len(chosen) < count:
        pair = min(possible, key=lambda pair: sum(used[fault.name] for fault in pair))
        possible.remove(pair)
        chosen.append(tuple(in_order(pair)))
        for fault in pair:
            used[fault.name] += 1
    return chosen


def sample(faults: Iterable[Fault], share: float, seed: int) -> list[Fault]:
    """A seeded part of the faults."""
    every = list(faults)
    return random.Random(seed).sample(every, round(len(every) * share))
