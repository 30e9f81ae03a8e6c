"""When each fact came back after a restart. Pure: moments are passed in.

The stages are those of the agent's timeline. A stage that the timeline does not open again, because its own daemon did
not start again, may still be interrupted (ovs-vswitchd serves no OpenFlow while its database is away); then the moment
is that at which the agent found its check to be ok again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from ovsnet.bench.measures import Measures
from ovsnet.bench.race import ClientCounts
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.timeline import STAGES, Reached

ENOUGH = 0.99
"""Of the flows before: those that are learned need not come back."""


class RestartMeasures(Measures, kw_only=True):
    """Seconds from the start of the daemon until each fact was back, one of each round.

    The stages of the agent's timeline; all flows that were there before; the node is ready; a change in the northbound
    has reached the node. ``short_of_flows`` and ``all_back`` are as in ``Recovery.samples``; ``clients`` are the load
    clients beside it.
    """

    titles: ClassVar[Mapping[str, str]] = {"clients": "hammer"}

    socket: list[float] = msgspec.field(default_factory=list)
    database: list[float] = msgspec.field(default_factory=list)
    switch: list[float] = msgspec.field(default_factory=list)
    openflow: list[float] = msgspec.field(default_factory=list)
    controller: list[float] = msgspec.field(default_factory=list)
    flows: list[float] = msgspec.field(default_factory=list)
    all_flows: list[float] = msgspec.field(default_factory=list)
    ready: list[float] = msgspec.field(default_factory=list)
    synced: list[float] = msgspec.field(default_factory=list)
    short_of_flows: list[float] = msgspec.field(default_factory=list)
    all_back: list[float] = msgspec.field(default_factory=list)
    clients: ClientCounts | None = None


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
        """Whatever answers after this is the new process."""
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

        ``short_of_flows`` is for how long the switch held fewer than before; ``all_back`` counts from the stop.
        """
        moments = self._moments({each.stage: each.at for each in reached})
        found = {what: max(at - self.started_at, 0.0) for what, at in moments.items()}
        found["short_of_flows"] = self.flows.lost_seconds
        found["all_back"] = max([*moments.values(), self.started_at]) - self.stopped_at
        return found

    def _moments(self, reached: dict[str, float]) -> dict[str, float]:
        moments = {"socket": self.socket.back_at}
        for stage in STAGES:
            seen = (reached.get(stage.name, 0.0), self._ok_at.get(stage.check, 0.0))
            moments[stage.name] = max(seen) if max(seen) > self.stopped_at else None
        moments |= {"all_flows": self.flows.back_at, "ready": self.ready.back_at, **self.others}
        return {what: at for what, at in moments.items() if at is not None}
