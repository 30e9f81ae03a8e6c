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
from dataclasses import dataclass, replace
from itertools import count
from random import Random

import anyio

from ovsnet.bench.arrivals import LAG_ALLOWED, Arrivals, ClosedLoop, OpenLoop
from ovsnet.bench.limiter import Gate
from ovsnet.bench.oneshot import Visit
from ovsnet.bench.probe_protocol import TALKS, Name
from ovsnet.bench.result import Run, Setting
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.shard import Shard
from ovsnet.errors import BacklogFull, ConnectionLost, DeadlineExceeded, PeerError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.connect import FIRST_RETRY, LONGEST_RETRY, connect, connect_once
from ovsnet.io.pending import PendingRequests
from ovsnet.io.tls import Tls

DEFAULT_GATE = 32
"""Half of the 65 connections that a listener of OVS holds unaccepted: that keeps the switch as busy as 64 would, at
half the latency, and leaves others room."""

MAX_CLIENTS = 4096


@dataclass(frozen=True, slots=True)
class Strategy:
    """What clients do about a full backlog.

    ``naive``    one attempt, and EAGAIN is the end: what asyncio does, which reports it as ENOTCONN
    ``retry``    try again after a jittered pause that doubles
    ``gated:N``  the same, and at most N of all clients are between connect and close
    """

    text: str
    retries: bool
    gate: int | None

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Raises UsageError."""
        name, colon, number = text.partition(":")
        if text in ("naive", "retry"):
            return cls(text, text == "retry", None)
        size = int(number) if number.isdecimal() and number.isascii() else DEFAULT_GATE if not colon else 0
        if name != "gated" or size < 1:
            raise UsageError(
                f"{text!r} is no strategy.", remedy="Name naive, retry, gated, or gated:N with N of at least 1."
            )
        return cls(f"gated:{size}", True, size)


@dataclass(frozen=True, slots=True)
class Race:
    """``count`` one-shots by ``clients`` at once. ``rate`` makes it open-loop: so many arrivals per second, whatever
    the daemon does. ``deadline`` is the patience of a client, in seconds from its first attempt."""

    protocol: Name
    address: Address
    clients: int
    count: int
    strategy: Strategy
    rate: float | None = None
    deadline: float = 5.0
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """What tells it from the other races of a document."""
        loop = f"open {self.rate:g}/s" if self.rate else "closed"
        return f"{self.protocol} {self.clients} {self.strategy.text} {loop}"

    def settings(self) -> dict[str, Setting]:
        """What the document tells of it."""
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


class Racing:
    """One race. What it finds is in ``run`` at any moment, so that it may be cut short."""

    def __init__(self, race: Race, run: Run, rng: Random) -> None:
        self._race = race
        self._run = run
        self._rng = rng
        self._talk = TALKS[race.protocol]
        self._pending: PendingRequests[None] = PendingRequests(str(race.address))
        self._keys = count()
        self._gate: contextlib.AbstractAsyncContextManager[object]
        self._gate = Gate(race.strategy.gate) if race.strategy.gate else contextlib.nullcontext()

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
        arrivals = OpenLoop(plan, self._run.latency("generator lag"))
        tasks.start_soon(arrivals.feed)
        return arrivals

    def _judge_lag(self) -> None:
        lag = self._run.latencies.get("generator lag")
        if lag and (late := lag.percentile(0.99) / 1e9) > LAG_ALLOWED:
            self._run.problems.append(
                f"The generator did not keep up with {self._race.rate:g} arrivals/s: 1 % came more than "
                f"{late * 1000:.1f} ms late through its own fault."
            )

    async def _serve(self, arrivals: Arrivals) -> None:
        while (arrived := await arrivals.next()) is not None:
            self._run.count("started")
            try:
                async with self._gate:
                    connected = time.monotonic()
                    await self._one_shot(connected + self._race.deadline)
            except PeerError as error:
                self._run.count("lost")
                self._run.count(f"lost {errno_name(error)}")
                await asyncio.sleep(0)  # a connect that fails at once waits for nothing, and would keep the loop
            else:
                now = time.monotonic()
                self._run.count("done")
                self._run.latency("from connect").record(int((now - connected) * 1e9))
                self._run.latency("from arrival").record(int((now - arrived) * 1e9))

    async def _one_shot(self, deadline: float) -> None:
        key = next(self._keys)
        visit = Visit(self._race.address, self._talk(), self._pending, key)
        answer = self._pending.open(key, self._race.deadline)
        try:
            await self._connect(visit, deadline)
            await answer
        finally:
            visit.leave()
            self._pending.forget(key)  # who never connected would be kept until its deadline, by the hundred thousand

    async def _connect(self, visit: Visit, deadline: float) -> None:
        """As ``transport.connect``, but each EAGAIN is counted."""
        if visit.address.scheme != "unix":
            await connect(visit, timeout=self._race.deadline, tls=self._race.tls)
            return
        delay = FIRST_RETRY
        while True:
            try:
                await connect_once(visit)
            except BacklogFull:
                self._run.count("EAGAIN")
                pause = delay * self._rng.uniform(0.5, 1.5)
                if not self._race.strategy.retries or time.monotonic() + pause > deadline:
                    raise
            else:
                return
            await asyncio.sleep(pause)
            delay = min(delay * 2, LONGEST_RETRY)


def errno_name(error: PeerError) -> str:
    """Why a client was lost, by the name that a person would look up."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno:
        return errno.errorcode.get(cause.errno, str(cause.errno))
    if isinstance(error, DeadlineExceeded):
        return "timeout"
    return "closed" if isinstance(error, ConnectionLost) else error.reason
