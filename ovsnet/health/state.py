"""What is known of the node at this moment: the last result of each check, the timeline, the diagnosis. Pure."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable

import msgspec

from ovsnet.health.causes import SHOWS_FAULTS
from ovsnet.health.checks.result import NOT_YET, Result, Status
from ovsnet.health.diagnosis import Diagnosis, diagnose
from ovsnet.health.timeline import Timeline, check_of
from ovsnet.node.components import COMPONENTS
from ovsnet.node.silence import Verdict

FIRST_ANSWERS = 60.0
"""Seconds for which readiness waits for the first answer of each check, which may deny it. A daemon that is slow for
longer serves all the same."""

ONLY_DEGRADES = frozenset(component.name for component in COMPONENTS.values() if component.only_degrades)


class Change(msgspec.Struct, frozen=True):
    """What a new result changed: the check's status or reason, the diagnosis, or both."""

    result: Result | None
    diagnosis: Diagnosis | None

    def __bool__(self) -> bool:
        return self.result is not None or self.diagnosis is not None


class HealthState:
    """Results come in by ``record``; all others read.

    ``checks`` are the names of those that will come; ``allowance`` is how many seconds a start may take. ``ready`` is
    the state with hysteresis: it rises after ``rise`` seconds of being well, and falls after ``fall`` seconds of a
    fault that is not proven; a proven one makes it fall at once.
    """

    def __init__(
        self, now: float, checks: Collection[str], *, allowance: float, rise: float = 0.0, fall: float = 0.0
    ) -> None:
        self.results: dict[str, Result] = {}
        self.since: dict[str, float] = {}
        """By check, when it came to the status and reason that it has."""
        self.timeline = Timeline(now, checks)
        self._allowance = allowance
        self.diagnosis = diagnose({}, self.timeline, now=now, allowance=allowance)
        self._told = False
        self.dead_since: float | None = None
        self.ready = False
        self._rise = rise
        self._fall = fall
        self._turned_at = now
        self._began = now
        self._answered: set[str] = set()

    def continued(self, *, allowance: float, rise: float, fall: float) -> HealthState:
        """A copy that goes on from here under other settings: what is as before is no change to it."""
        other = copy.copy(self)
        other.results, other.since, other._answered = dict(self.results), dict(self.since), set(self._answered)
        other.timeline = self.timeline.without(())
        other._allowance, other._rise, other._fall = allowance, rise, fall
        return other

    def restarted(self, daemon: str, at: float, now: float) -> None:
        """``daemon`` started at ``at``. One that has run for longer than a start may take is not a start, and
        revokes that of another process which was met before."""
        if now - at < self._allowance:
            self.timeline.restarted(daemon, at)
        else:
            self.timeline.revoke(daemon)

    def record(self, results: Iterable[Result], now: float) -> list[Change]:
        """Take results that belong together and diagnose once. Returns what changed.

        Where nothing did, no result shows a fault and no start is under way, only time could make another diagnosis,
        and ``judge`` is called for that: the diagnosis is most of what a result costs.
        """
        results = list(results)
        starting = not self._told or self.timeline.waiting_for() is not None
        changes = [change for result in results if (change := self._take(result))]
        if not (changes or starting or any(result.status in SHOWS_FAULTS for result in results)):
            return []
        if (diagnosis := self.judge(now)) is not None:
            changes.append(Change(None, diagnosis))
        return changes

    def judge(self, now: float) -> Diagnosis | None:
        """Diagnose again, because time passed or a daemon restarted. Returns the diagnosis when its code or state is
        new, as the first one is."""
        before = self.diagnosis
        self.diagnosis = diagnose(self.results, self.timeline, now=now, allowance=self._allowance, before=before)
        if not self.diagnosis.dead:
            self.dead_since = None
        elif self.dead_since is None:
            self.dead_since = now
        self._turn(before, now)
        changed = not self._told or (before.code, before.state) != (self.diagnosis.code, self.diagnosis.state)
        self._told = True
        return self.diagnosis if changed else None

    def _turn(self, before: Diagnosis, now: float) -> None:
        serves = self.diagnosis.state.serves
        if serves != before.state.serves:
            self._turned_at = now
        elapsed = now - self._turned_at
        if serves and elapsed >= self._rise and (self.ready or not (self._may_be_hung() or self.waits_for(now))):
            self.ready = True
        elif not serves and (self.diagnosis.proven or elapsed >= self._fall):
            self.ready = False

    def _may_be_hung(self) -> bool:
        """Whether a daemon is silent and was not seen to move: an agent that starts beside a hung one would say ready
        until that is proven."""
        late = (each for each in self.results.values() if each.reason == Verdict.LATE)
        return any(not COMPONENTS[each.daemon].only_degrades for each in late if each.daemon in COMPONENTS)

    def waits_for(self, now: float) -> list[str]:
        """The checks that have still to say for the first time how things are: what is late may say that all is lost.
        Readiness waits for them."""
        if now - self._began >= FIRST_ANSWERS:
            return []
        return [name for name, each in self.results.items() if name not in self._answered and _is_open(each)]

    def awaits(self, check: str, now: float) -> float | None:
        """For how many seconds a start has been under way whose next stage ``check`` proves; None of any other."""
        began, waiting = self.timeline.began, self.timeline.waiting_for()
        if began is None or waiting is None or check_of(waiting) != check:
            return None
        return now - began if self.timeline.under_way(now, self._allowance) else None

    def dead_for(self, now: float) -> float:
        """Seconds for which OVS is proven dead; 0 while it lives."""
        return 0.0 if self.dead_since is None else now - self.dead_since

    def _take(self, result: Result) -> Change | None:
        before = self.results.get(result.name)
        self.results[result.name] = result
        self.timeline.observe(result)
        if not _is_open(result):
            self._answered.add(result.name)
        if before is not None and (before.status, before.reason) == (result.status, result.reason):
            return None
        self.since[result.name] = result.at
        return Change(result, None)


def _is_open(result: Result) -> bool:
    """Whether an answer is still to come that may deny readiness."""
    if result.name.partition(".")[0] in ONLY_DEGRADES:
        return False
    return result.status is Status.SLOW or result.reason == NOT_YET
