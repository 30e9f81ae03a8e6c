"""When each fact came back after a restart. Pure: moments are passed in.

The stages are those of the agent's timeline. A stage that the timeline does not open again, because its own daemon did
not start anew, may still be interrupted (ovs-vswitchd serves no OpenFlow while its database is away); then the moment
is that at which the agent found its check to be ok again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ovsnet.health.checks.result import Result, Status
from ovsnet.health.timeline import STAGES, Reached

ENOUGH = 0.99
"""Of the flows before: those that are learned need not come back."""


class Turning:
    """A fact that holds, is lost and comes back. ``back_at`` is when it came back last; None when it never went."""

    def __init__(self) -> None:
        self.holds = True
        self.back_at: float | None = None
        self.lost_seconds = 0.0
        self._seen_at: float | None = None

    def observe(self, holds: bool, now: float) -> None:
        """``now`` is when it was seen so; until then it was as seen before."""
        if not self.holds and self._seen_at is not None:
            self.lost_seconds += now - self._seen_at
        if holds and not self.holds:
            self.back_at = now
        self.holds, self._seen_at = holds, now


class Recovery:
    """What comes back after ``stopped_at``. Set ``started_at`` when the start begins: samples count from there."""

    def __init__(self, stopped_at: float, flows: int) -> None:
        self.stopped_at = stopped_at
        self.started_at = stopped_at
        self.gone_at = stopped_at
        """After this, whoever answers is the new one."""
        self._enough = flows * ENOUGH
        self._ok_at: dict[str, float] = {}
        self.socket = Turning()
        self.flows = Turning()
        self.ready = Turning()
        self.others: dict[str, float] = {}

    def result(self, result: Result) -> None:
        """A result that changed."""
        if result.status is Status.OK:
            self._ok_at[result.name] = result.at

    def count(self, flows: int, now: float) -> None:
        """So many flows are in the switch; none where it is not there."""
        self.flows.observe(flows >= self._enough, now)

    def samples(self, reached: Iterable[Reached]) -> dict[str, float]:
        """Seconds from the start until each fact was back; ``reached`` is the agent's timeline.

        ``short of flows`` is for how long the switch held fewer than before; ``all back`` counts from the stop.
        """
        moments = self._moments({each.stage: each.at for each in reached})
        found = {what: max(at - self.started_at, 0.0) for what, at in moments.items()}
        found["short of flows"] = self.flows.lost_seconds
        found["all back"] = max([*moments.values(), self.started_at]) - self.stopped_at
        return found

    def _moments(self, reached: dict[str, float]) -> dict[str, float]:
        moments = {"socket": self.socket.back_at}
        for stage in STAGES:
            seen = (reached.get(stage.name, 0.0), self._ok_at.get(stage.check, 0.0))
            moments[stage.name] = max(seen) if max(seen) > self.stopped_at else None
        moments |= {"all flows": self.flows.back_at, "ready": self.ready.back_at, **self.others}
        return {what: at for what, at in moments.items() if at is not None}
