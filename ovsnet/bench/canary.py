"""A client that does nothing wrong, and pays for the load: one held connection that asks for an echo every few
milliseconds.

It runs in a process of its own, or it would measure how busy the engine's own loop is. It asks by a plan and counts
from the planned moment, so that a stall of the daemon is felt by every echo that it delays.
"""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from ovsnet import openflow, ovsdb
from ovsnet.bench.child import Companion, Orders, report, serve
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.timer import Timer
from ovsnet.errors import PeerError
from ovsnet.io.address import Address

CanaryProtocol = Literal["openflow", "ovsdb"]
"""What it can speak."""

PERIOD = 0.005
"""Seconds between two echoes."""

ECHO_TIMEOUT = 10.0
"""Seconds after which an echo is given up."""


class CanaryPlan(msgspec.Struct, frozen=True):
    """Whom to ask."""

    protocol: CanaryProtocol
    address: str


class Connected(msgspec.Struct, frozen=True):
    """It is ready."""


class LoadBegins(msgspec.Struct, frozen=True):
    """From now on it is the load that it feels."""


class CanaryFindings(msgspec.Struct):
    """Echoes before the load, and under it; ``lost`` says why the connection ended, if it did."""

    idle: Histogram = msgspec.field(default_factory=Histogram)
    loaded: Histogram = msgspec.field(default_factory=Histogram)
    lost: str = ""


class Canary(Companion[Connected, CanaryFindings]):
    """``async with Canary(…) as canary``: it is connected inside the block. Report when the load begins, and ask it to
    end."""

    title = "The canary's process"
    not_ready = PeerError

    def __init__(self, protocol: CanaryProtocol, address: Address) -> None:
        super().__init__(__name__, CanaryPlan(protocol, str(address)), Connected, CanaryFindings)

    def load_begins(self) -> None:
        """From now on echoes count as those under load."""
        self.order(LoadBegins())


async def echo_until_ended(plan: CanaryPlan) -> CanaryFindings:
    """The work of the process."""
    address, findings = Address.parse(plan.address), CanaryFindings()
    connect = openflow.connect if plan.protocol == "openflow" else ovsdb.connect
    async with await connect(address, timeout=ECHO_TIMEOUT) as session:
        canary = _Echoing(session, findings)
        report(Connected())
        try:
            await canary.run()
        except PeerError as error:
            findings.lost = str(error)
            await canary.orders.ended.wait()
    return findings


class _Echoing:
    def __init__(self, session: openflow.Session | ovsdb.Session, findings: CanaryFindings) -> None:
        self._session = session
        self._findings = findings
        self._histogram = findings.idle
        self.orders = Orders(LoadBegins, self._load_begins)

    def _load_begins(self, order: LoadBegins) -> None:
        self._histogram = self._findings.loaded

    async def run(self) -> None:
        """Once more after the end: only an answer proves that the daemon was there until then."""
        plan = Schedule(lambda: PERIOD, 1 << 62, time.monotonic())
        with Timer() as timer:
            last = False
            while not last:
                last = self.orders.ended.is_set()
                await timer.until(plan.next_at or 0.0)
                for moment in plan.due(time.monotonic()):
                    histogram = self._histogram
                    await self._session.echo(timeout=ECHO_TIMEOUT)
                    histogram.record(int((time.monotonic() - moment) * 1e9))


if __name__ == "__main__":
    serve(CanaryPlan, echo_until_ended)
