"""Many clients that connect, greet, ask for one echo, and close politely, all at once.

A listener of OVS has room for 64 connections that it has not accepted, and the switch accepts one of them a pass of its
main loop (connmgr.c, ``ofservice_run``). So what a client does about a full backlog decides what happens: see
``Strategy``. A polite close comes after both HELLOs and after everything is read: anything else is a line in the
switch's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Mapping
from itertools import count
from random import Random
from typing import ClassVar

import anyio
import msgspec
from msgspec.structs import replace

from ovsnet.bench.arrivals import LAG_ALLOWED, Arrivals, ClosedLoop, OpenLoop
from ovsnet.bench.canary import Canary
from ovsnet.bench.harness import measured, require_files
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.limiter import Limiter
from ovsnet.bench.measures import Measures, Tally
from ovsnet.bench.oneshot import OneShot
from ovsnet.bench.probe_protocol import PROTOCOLS, ProtocolName
from ovsnet.bench.result import Run, Setting
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.shard import Shard
from ovsnet.bench.workload import Turn
from ovsnet.errors import BacklogFull, ConnectionLost, DeadlineExceeded, PeerError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.connect import backlog_pauses, connect, connect_once
from ovsnet.io.pending import PendingRequests
from ovsnet.io.tls import Tls
from ovsnet.texts import whole_number

DEFAULT_LIMIT = 32
"""Half of the 65 connections that a listener of OVS holds unaccepted: that keeps the switch as busy as 64 would, at
half the latency, and leaves others room."""

IDLE = 0.3
"""Seconds in which the canary measures the daemon at rest."""


class Strategy(msgspec.Struct, frozen=True):
    """What clients do about a full backlog.

    ``naive``    one attempt, and EAGAIN is the end: what asyncio does, which reports it as ENOTCONN
    ``retry``    try again after a jittered pause that doubles
    ``gated:N``  the same, and at most N of all clients are between connect and close
    """

    text: str
    retries: bool
    limit: int | None

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Raises UsageError."""
        name, colon, number = text.partition(":")
        if text in ("naive", "retry"):
            return cls(text, text == "retry", None)
        size = (whole_number(number) or 0) if colon else DEFAULT_LIMIT
        if name != "gated" or size < 1:
            raise UsageError(
                f"{text!r} is not a strategy.", remedy="Use naive, retry, gated, or gated:N with N at least 1."
            )
        return cls(f"gated:{size}", True, size)


class Race(msgspec.Struct, frozen=True):
    """``count`` one-shots by ``clients`` at once. ``rate`` makes it open-loop: so many arrivals per second, whatever
    the daemon does. ``deadline`` is how long a client waits, in seconds from its first attempt."""

    protocol: ProtocolName
    address: Address
    clients: int
    count: int
    strategy: Strategy
    rate: float | None = None
    deadline: float = 5.0
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """Distinguishes it from the other races of a document."""
        loop = f"open {self.rate:g}/s" if self.rate else "closed"
        return f"{self.protocol} {self.clients} {self.strategy.text} {loop}"

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it."""
        return {
            "address": str(self.address),
            "clients": self.clients,
            "count": self.count,
            "strategy": self.strategy.text,
            "rate": self.rate,
            "deadline": self.deadline,
        }

    def part(self, shard: Shard) -> Race:
        """What one of several machines does of it."""
        rate = None if self.rate is None else self.rate / shard.of
        return replace(self, clients=shard.part(self.clients), count=shard.part(self.count), rate=rate)

    def operations(self, shard: Shard) -> int:
        """How many connections are ours."""
        return shard.part(self.count)


class ClientCounts(Measures, kw_only=True):
    """What became of clients. ``backlog_full`` is how often a connect met EAGAIN; ``lost_by`` says why clients were
    lost, by errno."""

    titles: ClassVar[Mapping[str, str]] = {"backlog_full": "EAGAIN", "lost_by": "lost"}

    started: int = 0
    backlog_full: int = 0
    lost_by: Tally = msgspec.field(default_factory=dict)


class RaceMeasures(ClientCounts, kw_only=True):
    """Latencies of the clients that were answered, from when each arrived and from when it connected; echoes of the
    canary; and how late the generator let clients arrive."""

    titles: ClassVar[Mapping[str, str]] = {
        **ClientCounts.titles, "canary_at_rest": "bystander at rest", "canary": "bystander",
    }  # fmt: skip

    from_connect: Histogram = msgspec.field(default_factory=Histogram)
    from_arrival: Histogram = msgspec.field(default_factory=Histogram)
    generator_lag: Histogram = msgspec.field(default_factory=Histogram)
    canary_at_rest: Histogram = msgspec.field(default_factory=Histogram)
    canary: Histogram = msgspec.field(default_factory=Histogram)


async def measure(race: Race, run: Run[RaceMeasures], turn: Turn) -> None:
    """Our part of a race, with a canary beside it where one can connect. Raises PeerError when the daemon does not
    answer."""
    require_files(race.clients)
    if race.address.scheme == "ssl" or race.protocol == "unixctl":
        await _measure(race, run, turn)
        return
    async with Canary(race.protocol, race.address) as canary:
        await anyio.sleep(IDLE)
        canary.load_begins()
        await _measure(race, run, turn)
        found = await canary.end()
    if found.lost and not run.problems:
        run.problems.append(f"The canary lost its connection: {found.lost}")
    run.measures.canary_at_rest, run.measures.canary = found.idle, found.loaded


async def _measure(race: Race, run: Run[RaceMeasures], turn: Turn) -> None:
    rng = Random(f"{turn.document.seed} {turn.shard} {run.round} {race.name}")
    async with measured(run, race.protocol, race.address, timeout=race.deadline, tls=race.tls):
        turn.begin(run)
        await Racing(race.part(turn.shard), run, rng).race()


class Racing:
    """One race. What it finds is in ``run`` at any moment, so that it may be cut short."""

    def __init__(self, race: Race, run: Run[RaceMeasures], rng: Random) -> None:
        self._race = race
        self._run = run
        self._measures = run.measures
        self._rng = rng
        self._protocol = PROTOCOLS[race.protocol]
        self._pending: PendingRequests[None] = PendingRequests(str(race.address))
        self._keys = count()
        self._limiter: contextlib.AbstractAsyncContextManager[object]
        self._limiter = Limiter(race.strategy.limit) if race.strategy.limit else contextlib.nullcontext()

    async def race(self, arrivals: Arrivals | None = None) -> None:
        """Run to the end. ``arrivals`` takes the place of those that the race itself would make."""
        try:
            async with anyio.create_task_group() as tasks:
                coming = arrivals or self._arrivals(tasks)
                for _ in range(min(self._race.clients, self._race.count)):
                    tasks.start_soon(self._serve, coming)
        finally:
            self._judge_lag()

    def _arrivals(self, tasks: anyio.abc.TaskGroup) -> Arrivals:
        rate = self._race.rate
        if rate is None:
            return ClosedLoop(self._race.count)
        plan = Schedule(lambda: self._rng.expovariate(rate), self._race.count, time.monotonic())
        arrivals = OpenLoop(plan, self._measures.generator_lag)
        tasks.start_soon(arrivals.feed)
        return arrivals

    def _judge_lag(self) -> None:
        if (late := self._measures.generator_lag.percentile(0.99) / 1e9) > LAG_ALLOWED:
            self._run.problems.append(
                f"The generator did not keep up with {self._race.rate:g} arrivals/s: 1 % of them were more than "
                f"{late * 1000:.1f} ms late because of it."
            )

    async def _serve(self, arrivals: Arrivals) -> None:
        measures = self._measures
        while (arrived := await arrivals.next()) is not None:
            measures.started += 1
            try:
                async with self._limiter:
                    connected = time.monotonic()
                    await self._one_shot(connected + self._race.deadline)
            except PeerError as error:
                measures.lost += 1
                why = errno_name(error)
                measures.lost_by[why] = measures.lost_by.get(why, 0) + 1
                await asyncio.sleep(0)  # a connect that fails at once waits for nothing, and would keep the loop
            else:
                now = time.monotonic()
                measures.done += 1
                measures.from_connect.record(int((now - connected) * 1e9))
                measures.from_arrival.record(int((now - arrived) * 1e9))

    async def _one_shot(self, deadline: float) -> None:
        key = next(self._keys)
        client = OneShot(self._race.address, self._protocol(), self._pending, key)
        answer = self._pending.open(key, self._race.deadline)
        try:
            await self._connect(client, deadline)
            await answer
        finally:
            client.leave()
            self._pending.forget(key)  # or clients that never connected would pile up until their deadline

    async def _connect(self, client: OneShot, deadline: float) -> None:
        """As ``io.connect``, but each EAGAIN is counted."""
        if client.address.scheme != "unix":
            await connect(client, timeout=self._race.deadline, tls=self._race.tls)
            return
        for pause in backlog_pauses(self._rng):
            try:
                await connect_once(client)
            except BacklogFull:
                self._measures.backlog_full += 1
                if not self._race.strategy.retries or time.monotonic() + pause > deadline:
                    raise
            else:
                return
            await asyncio.sleep(pause)


def errno_name(error: PeerError) -> str:
    """Why a client was lost, by the name that a person would look up."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno:
        return errno.errorcode.get(cause.errno, str(cause.errno))
    if isinstance(error, DeadlineExceeded):
        return "timeout"
    return "closed" if isinstance(error, ConnectionLost) else error.reason
