"""A check to run and a daemon to ask, for tests of how a check is run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from ovsnet.errors import OvsnetError
from ovsnet.health.checks.declaration import Check
from ovsnet.health.checks.result import Answer
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.presence import Presence, Sighting
from ovsnet.node.silence import Finding, Verdict

NOW = 7.0


SEEN = {
    Presence.RUNS: Sighting(Presence.RUNS, 1, "process 1 runs"),
    Presence.GONE: Sighting(Presence.GONE, None, "process 1 has ended"),
    Presence.UNSEEN: Sighting(Presence.UNSEEN, None, "nothing of it can be seen from here"),
}


class Daemon:
    """Notes what it is asked, and explains every silence by ``verdict``. ``late`` is whether a silence goes on.
    One that is ``ending`` runs for as many looks as are left. After ``met_after`` looks, a connection to it stands."""

    def __init__(
        self,
        verdict: Verdict = Verdict.LATE,
        *,
        presence: Presence = Presence.RUNS,
        late: bool = False,
        distant: bool = False,
        ended_at: float | None = None,
        ending: bool = False,
        looks_left: int = 0,
        pidfile: bool = True,
        met_after: int | None = None,
    ) -> None:
        self.verdict = verdict
        self.sighting = SEEN[presence]
        self.late = late
        self.distant = distant
        self.stranger: int | None = None
        self.pid = 1
        self.ended_at = ended_at
        self.nameless: int | None = None
        self.seconds: float | None = 3600.0
        self.ending = ending
        self.looks_left = looks_left
        self.pidfile = pidfile
        self.met_after = met_after
        self.looks = 0
        self.turned_away = False
        self.pause = 0.0
        self.notes: list[str] = []

    async def sight(self) -> Sighting:
        self.notes.append("sought")
        return self.sighting

    def process(self) -> object:
        """There is one to look at."""
        return self

    def has_ended(self, pid: int) -> bool:
        self.looks += 1
        self.looks_left -= 1
        return self.ending and self.looks_left < 0

    @property
    def times_met(self) -> int:
        return int(self.met_after is not None and self.looks >= self.met_after)

    def has_pidfile(self) -> bool:
        return self.pidfile

    def age(self, pid: int | None) -> float | None:
        return self.seconds

    def forget_sighting(self) -> None:
        if self.ending and self.looks_left < 0:
            self.sighting = SEEN[Presence.GONE]

    def refused(self) -> bool:
        """Whether it was heard since it turned us away before."""
        return False

    def look(self, hung_after: float, own_lag: float) -> Finding:
        self.notes.append(f"looked {hung_after:g} {own_lag:g}")
        return Finding(self.verdict, "process 1 sleeps", {"silent_seconds": 2.5})

    def out_of_descriptors(self) -> None:
        """It has some left."""

    damaged_database = out_of_descriptors


def node(daemon: Daemon) -> Node:
    refusals: Counter[str] = Counter()
    fake = SimpleNamespace(
        daemons={"ovs-vswitchd": daemon},
        links_of={"ovs-vswitchd": [SimpleNamespace(pause=daemon.pause)]},
        settings=SimpleNamespace(hung_after=3.0, switch="on"),
        own_lag=0.25,
        clock=lambda: NOW,
        backlog_refusals=refusals,
        sight=lambda name: daemon.sight(),
        rundir=SimpleNamespace(is_blank=lambda: False, ovs=Path("/run/openvswitch")),
        peer_asked=lambda name, socket: daemon.stranger,
    )
    return cast("Node", fake)


def probing(*outcomes: Answer | OvsnetError, needs: tuple[str, ...] = ()) -> Check:
    """A check whose probe has these outcomes, one after the other, and then the last one each time."""
    left = list(outcomes)

    async def probe(node: Node) -> Answer:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, OvsnetError):
            raise outcome
        return outcome

    return Check("x.y", "It holds.", probe, "ovs-vswitchd", Socket.CONTROL, needs, 1.0, 0.0)
