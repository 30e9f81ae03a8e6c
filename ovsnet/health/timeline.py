"""How far a start has come: which stage was reached, and when. Pure.

A start begins with a daemon's own start, never with the observer's. A stage is reached by the first ``ok`` of its
check after that. When a daemon restarts, the stages that depend on it are open again; the others keep their time,
because their fact still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from ovsnet.health.checks.result import Result, Status


class Stage(msgspec.Struct, frozen=True):
    """One step of a start: the check that proves it, and the daemons with whose start it opens again."""

    name: str
    check: str
    daemons: tuple[str, ...]


STAGES = (
    Stage("database", "ovsdb.echo", ("ovsdb-server",)),
    Stage("switch", "vswitchd.ofproto", ("ovs-vswitchd",)),
    Stage("openflow", "openflow.echo", ("ovs-vswitchd",)),
    Stage("controller", "controller.connection", ("ovn-controller",)),
    Stage("flows", "openflow.flows", ("ovs-vswitchd", "ovn-controller")),
)

START_ORDER = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")
"""A daemon further right starts after those on its left, and may not be there yet when they are."""


class Reached(msgspec.Struct, frozen=True):
    """A stage that was reached: when, by the observer's clock, and how many seconds after the start began. None when
    the start began before the observer did: nobody saw how long it took."""

    stage: str
    at: float
    took_seconds: float | None


class Timeline:
    """The current start, as seen from ``now`` on. ``began`` is when its first daemon started; None while no start of
    a daemon is known.

    Only stages whose check is among ``checks`` count.
    """

    def __init__(self, now: float, checks: Collection[str]) -> None:
        self.began: float | None = None
        self._watched_since = now
        self._stages = [stage for stage in STAGES if stage.check in checks]
        self._reached: dict[str, Reached] = {}
        self._starts: dict[str, float] = {}
        self._long_running: set[str] = set()
        self._waiting = self._first_open()

    def restarted(self, daemon: str, at: float) -> None:
        """``daemon`` started at ``at``. While a start is under way, it becomes part of it."""
        opened = [stage.name for stage in self._stages if daemon in stage.daemons]
        if not opened:
            return
        self._starts[daemon] = at
        self._long_running.discard(daemon)
        under_way = self.began is not None and self.waiting_for() is not None
        self.began = min(self.began, at) if self.began is not None and under_way else at
        for name in opened:
            self._reached.pop(name, None)
        self._waiting = self._first_open()

    def revoke(self, daemon: str) -> None:
        """``daemon`` has run for long: no start waits for it, and what started under its name was another process."""
        self._long_running.add(daemon)
        if self._starts.pop(daemon, None) is not None:
            self.began = min(self._starts.values(), default=None)

    def observe(self, result: Result) -> None:
        """Note the stage that ``result`` proves. A check that is not used here proves its stage too: there is nothing
        to wait for. What was asked before a daemon started proves nothing of that one."""
        proven = result.status is Status.OK or result.reason == "not-used"
        for stage in self._stages:
            if stage.check != result.name or not proven or stage.name in self._reached:
                continue
            if all(self._starts.get(daemon, result.as_of) <= result.as_of for daemon in stage.daemons):
                self._reached[stage.name] = Reached(stage.name, result.at, self._took(result.at))
                self._waiting = self._first_open()

    def _took(self, at: float) -> float | None:
        seen = self.began is not None and self.began >= self._watched_since
        return max(at - self.began, 0.0) if seen and self.began is not None else None

    def without(self, checks: Collection[str]) -> Timeline:
        """The same start, as if the stages of ``checks`` did not exist."""
        other = Timeline(self._watched_since, [stage.check for stage in self._stages if stage.check not in checks])
        other.began, other._reached, other._starts = self.began, dict(self._reached), dict(self._starts)
        other._long_running = set(self._long_running)
        other._waiting = other._first_open()
        return other

    def waiting_for(self) -> str | None:
        """The first stage that is not reached, or None when all are."""
        return self._waiting

    def _first_open(self) -> str | None:
        return next((stage.name for stage in self._stages if stage.name not in self._reached), None)

    def under_way(self, now: float, allowance: float) -> bool:
        """Whether a daemon started less than ``allowance`` seconds ago, and a stage is still to be reached. One of
        daemons that have all run for longer was reached before any agent looked, and is not part of that start."""
        if self.began is None or now - self.began >= allowance:
            return False
        return any(
            stage.name not in self._reached and not self._long_running.issuperset(stage.daemons)
            for stage in self._stages
        )

    def excuses(
        self, daemon: str, now: float, allowance: float, *, lost_at: float | None = None, after_others: bool = True
    ) -> bool:
        """Whether what ``daemon`` lacks is part of a start: it, or one that starts before it, started less than
        ``allowance`` seconds ago, and after ``lost_at``, when ``daemon`` itself was lost. ``after_others``: it may not
        have started after those yet."""
        ahead = START_ORDER[: START_ORDER.index(daemon) + 1] if daemon in START_ORDER else START_ORDER
        ahead = ahead if after_others else (daemon,)
        starts = [at for name, at in self._starts.items() if name in ahead and now - at < allowance]
        return any(lost_at is None or at > lost_at for at in starts)

    @property
    def ended(self) -> float | None:
        """When the last stage was reached; None while one is open."""
        return max((each.at for each in self._reached.values()), default=None) if self.waiting_for() is None else None

    def reached(self) -> Iterable[Reached]:
        """The stages that were reached, in order."""
        return [self._reached[stage.name] for stage in self._stages if stage.name in self._reached]


def check_of(stage: str) -> str:
    """The check that proves ``stage``."""
    return next(each.check for each in STAGES if each.name == stage)
