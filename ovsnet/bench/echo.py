"""How fast one daemon answers on held connections, with so many requests in flight on each.

What a daemon pays for an answer depends on how many it gives in one pass of its main loop, whose poll and wake-ups they
share. ovs-vswitchd takes up to 50 messages of each connection (connmgr.c, ``ofconn_run``), so a window beyond that
only adds latency. ovsdb-server takes one of each (jsonrpc-server.c, ``ovsdb_jsonrpc_session_run``): there it is more
connections that help, and not a larger window.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec
from msgspec.structs import replace

from ovsnet.bench.harness import measured, require_files
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.measures import Measures
from ovsnet.bench.probe_protocol import PROTOCOLS, ProtocolName
from ovsnet.bench.result import Run, Setting
from ovsnet.bench.shard import Shard
from ovsnet.bench.workload import Turn
from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel


class Echo(msgspec.Struct, frozen=True):
    """``count`` requests over all ``connections``, ``window`` in flight on each. ``deadline`` is the longest silence
    in seconds."""

    protocol: ProtocolName
    address: Address
    connections: int
    window: int
    count: int
    deadline: float = 5.0
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """Distinguishes it from the other runs of a document."""
        return f"{self.protocol} {self.connections} x {self.window}"

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it."""
        return {
            "address": str(self.address),
            "connections": self.connections,
            "window": self.window,
            "count": self.count,
            "deadline": self.deadline,
        }

    def part(self, shard: Shard) -> Echo:
        """What one of several machines does of it."""
        return replace(self, connections=shard.part(self.connections), count=shard.part(self.count))

    def operations(self, shard: Shard) -> int:
        """How many requests are ours."""
        return shard.part(self.count)


class EchoMeasures(Measures, kw_only=True):
    """Latencies, from the write that the request was part of."""

    from_request: Histogram = msgspec.field(default_factory=Histogram)


async def measure(echo: Echo, run: Run[EchoMeasures], turn: Turn) -> None:
    """Our part of it. Raises PeerError when the daemon does not answer."""
    require_files(echo.connections)
    async with measured(run, echo.protocol, echo.address, timeout=echo.deadline, tls=echo.tls):
        turn.begin(run)
        await Echoing(echo.part(turn.shard), run).echo()


class Echoing:
    """One such run. What it finds is in ``run`` at any moment."""

    def __init__(self, echo: Echo, run: Run[EchoMeasures]) -> None:
        self._echo = echo
        self._run = run

    async def echo(self) -> None:
        """Run to the end. A connection that is lost, or silent past the deadline, is a problem and the end."""
        try:
            await self._all()
        except PeerError as error:
            self._run.problems.append(str(error))

    async def _all(self) -> None:
        echo = self._echo
        shares = [echo.count // echo.connections + (number < echo.count % echo.connections)
                  for number in range(echo.connections)]  # fmt: skip
        async with AsyncExitStack() as stack:
            streams = []
            for share in shares:
                stream = _Stream(echo, share, self._run)
                stack.callback(stream.channel.abort)
                await connect(stream.channel, timeout=echo.deadline, tls=echo.tls)
                streams.append(stream)
            self._run.began, since = time.time(), time.monotonic()
            try:
                for stream in streams:
                    stream.begin(echo.window)
                await self._until_done(streams)
            finally:
                self._run.ended = self._run.began + time.monotonic() - since

    async def _until_done(self, streams: Sequence[_Stream]) -> None:
        pending = {stream.done for stream in streams}
        while pending:
            before = self._run.done
            finished, pending = await asyncio.wait(
                pending, timeout=self._echo.deadline, return_when=asyncio.FIRST_EXCEPTION
            )
            for each in finished:
                each.result()
            if pending and self._run.done == before:
                raise DeadlineExceeded(f"{self._echo.address} gave no answer within {self._echo.deadline:g} s.")


class _Stream:
    """One connection. A request's latency runs from the write that it was part of."""

    def __init__(self, echo: Echo, count: int, run: Run[EchoMeasures]) -> None:
        self._protocol = PROTOCOLS[echo.protocol]()
        self._run = run
        self._latency = run.measures.from_request
        self._unsent = self._missing = count
        self._sent: deque[tuple[int, int]] = deque()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.channel = Channel(echo.address, self._protocol, self._on_events, self._on_lost)

    def begin(self, window: int) -> None:
        """Fill the window."""
        if self.channel.lost is not None:
            self._on_lost(self.channel.lost)
        elif self._missing:
            self._send(window)
        else:
            self.done.set_result(None)

    def _send(self, room: int) -> None:
        sending = min(room, self._unsent)
        if sending:
            self._unsent -= sending
            self._sent.append((time.monotonic_ns(), sending))
            self.channel.write(self._protocol.ask(sending))

    def _on_events(self, events: Sequence[int]) -> None:
        answers = sum(events)
        self._note(answers)
        self._missing -= answers
        if self._missing:
            self._send(answers)
        elif not self.done.done():
            self.done.set_result(None)

    def _note(self, answers: int) -> None:
        """Answers come in the order of the requests."""
        now = time.monotonic_ns()
        self._run.measures.done += answers
        while answers and self._sent:
            at, number = self._sent.popleft()
            taken = min(number, answers)
            self._latency.record(now - at, taken)
            answers -= taken
            if taken < number:
                self._sent.appendleft((at, number - taken))

    def _on_lost(self, error: PeerError) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionLost(str(error)))
            self.done.exception()  # several may be lost at once, and one of them is reported
