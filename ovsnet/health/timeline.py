"""How far a start has come: which stage was reached, and when. Pure.

A stage is reached by the first ``ok`` of its check after the daemons' start. When a daemon starts anew, the stages
that hang on it are open again; the others stand, because their fact still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ovsnet.health.checks.result import Result, Status


@dataclass(frozen=True, slots=True)
class Stage:
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


@dataclass(frozen=True, slots=True)
class Reached:
    """A stage that was reached: when, by the observer's clock, and how many seconds after the start began."""

    stage: str
    at: float
    took_seconds: float


class Timeline:
    """The current start. ``began`` is when its first daemon started, or when we began to watch.

    Only stages whose check is among ``checks`` count.
    """

    def __init__(self, now: float, checks: Collection[str]) -> None:
        self.began = now
        self._stages = [stage for stage in STAGES if stage.check in checks]
        self._reached: dict[str, float] = {}

    def restarted(self, daemon: str, at: float) -> None:
        """``daemon`` has started anew at ``at``. While a start is under way, it becomes part of it."""
        self.began = at if self.waiting_for() is None else min(self.began, at)
        for stage in self._stages:
            if daemon in stage.daemons:
                self._reached.pop(stage.name, None)

    def observe(self, result: Result) -> None:
        """Note the stage that ``result`` proves. A check that is not used here proves its stage too: there is nothing
        to wait for."""
        for stage in self._stages:
            proven = result.status is Status.OK or result.reason == "not-used"
            if stage.check == result.name and proven and stage.name not in self._reached:
                self._reached[stage.name] = result.at

    def without(self, checks: Collection[str]) -> Timeline:
        """The same start, as if the stages of ``checks`` did not exist."""
        other = Timeline(self.began, [stage.check for stage in self._stages if stage.check not in checks])
        other._reached = dict(self._reached)
        return other

    def waiting_for(self) -> str | None:
        """The first stage that is not reached, or None when the start is over."""
        return next((stage.name for stage in self._stages if stage.name not in self._reached), None)

    @property
    def ended(self) -> float | None:
        """When the last stage was reached; None while the start is under way."""
        return max(self._reached.values(), default=None) if self.waiting_for() is None else None

    def reached(self) -> Iterable[Reached]:
        """The stages that were reached, in order. One that stood when this start began took none of its time."""
        return [
            Reached(stage.name, self._reached[stage.name], max(self._reached[stage.name] - self.began, 0.0))
            for stage in self._stages
            if stage.name in self._reached
        ]


def check_of(stage: str) -> str:
    """The check that proves ``stage``."""
    return next(each.check for each in STAGES if each.name == stage)
