"""The server's connections: how many there may be, and which is cut when there are too many.

The order in which they are cut is that of ``_connections``: the first in it has been silent for longest. A connection
moves to the end whenever it asks, or takes an event. With ``max_connections`` at 3:

    a b c           all places are taken
    a b c d         d connects: one too many. The round begins: a b c d are present
    b c d a         a asks, and moves to the end
    b c d a e       e connects: it is not part of this round
      c d a e       TURNS later all who were present have been read. The first of them, b, is cut
      c d a e       still one too many: the next round begins, with c d a e

Refusing new connections instead would lock a probe out for as long as slow or idle clients hold all places, and a
kubelet counts that as a failure. Cutting at once would hit probes: whether a client asks is not known before it was
read, and a hundred probes may wait to be read when our loop was held up.

So for TURNS turns of the loop there may be more than ``max_connections``, but never more than BACKLOG more: the first
in the order is cut at once, read or not, for the next one that comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import islice

from aiohttp import web

from ovsnet.agent.counters import Counters
from ovsnet.deadlines import BACKLOG
from ovsnet.io.listen import discard_unsent
from ovsnet.web.events import EventStream
from ovsnet.web.memory import give_back

KEEPALIVE = 5.0
"""Seconds for a client to send a whole request, to take its answer, and to stay idle afterwards. A kubelet closes after
each probe."""

TURNS = 4
"""Turns of the loop after which every connection that is there has been read: reading begins in the first, what waited
in the socket comes in by the second, the third wakes the connection's task and the fourth begins to answer."""

CROWD = 128
"""Connections that leave megabytes behind: each may have held a queue of requests and an answer."""

SHORT = 4096
"""Bytes of an answer that fits into any buffer."""

CUT_REASONS = CROWDED, SLOW_READER = "crowded", "slow-reader"
"""Why we ended a connection."""

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class CappedServer(web.Server):
    """A server that holds ``max_connections``: see the drawing above."""

    def __init__(self, handle: Handle, max_connections: int, counters: Counters) -> None:
        super().__init__(
            self._serve,
            keepalive_timeout=KEEPALIVE,
            lingering_time=1.0,
            access_log=None,
            logger=_quiet_logger(),
            tcp_keepalive=False,
        )
        self.max_connections = max_connections
        self.counters = counters
        self._handle = handle
        self._making_room: asyncio.Task[None] | None = None
        self._crowd: asyncio.TimerHandle | None = None

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """aiohttp calls it."""
        super().connection_made(handler, transport)
        self.counters.connections += 1
        if self._excess > BACKLOG:
            self._cut(next(iter(self._connections)))
        if self._excess > 0 and (self._making_room is None or self._making_room.done()):
            self._making_room = self._loop.create_task(self._make_room())
        if len(self._connections) >= CROWD and self._crowd is None:
            self._await_calm()

    @property
    def _excess(self) -> int:
        return max(len(self._connections) - self.max_connections, 0)

    async def _make_room(self) -> None:
        """Round after round, until there are not too many any more."""
        while self._excess:
            present = set(self._connections)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            longest_silent = (each for each in self._connections if each in present)
            for each in list(islice(longest_silent, self._excess)):
                self._cut(each)

    def _await_calm(self) -> None:
        self._crowd = self._loop.call_later(KEEPALIVE, self._clean_up)

    def _clean_up(self) -> None:
        self._crowd = None
        if len(self._connections) >= CROWD / 2:
            self._await_calm()
        else:
            give_back()

    def _cut(self, handler: web.RequestHandler) -> None:
        # Removed here: otherwise it would count until the loop has told it of its end.
        _abort(self._connections.pop(handler))
        self.counters.cut[CROWDED] += 1

    def _heard_of(self, request: web.BaseRequest) -> None:
        """It moves to the end: the last to be cut."""
        if (transport := self._connections.pop(request.protocol, None)) is not None:
            self._connections[request.protocol] = transport

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._heard_of(request)
        response = await self._handle(request)
        if isinstance(response, EventStream) and request.method == "GET":
            await self._stream(response, request)
        await self._send(response, request)
        return response

    async def _send(self, response: web.StreamResponse, request: web.BaseRequest) -> None:
        """aiohttp would do so once we return, and wait without limit for a client that does not read."""
        late = None
        if not _waits_for_nobody(response, request.transport):
            late = self._loop.call_later(KEEPALIVE, self._cut_slow_reader, request)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            pass  # the client is gone, or was cut
        finally:
            if late is not None:
                late.cancel()

    async def _stream(self, events: EventStream, request: web.BaseRequest) -> None:
        try:
            await events.run(request, KEEPALIVE, self._heard_of)
        except ConnectionError:
            pass
        except TimeoutError:
            self._cut_slow_reader(request)

    def _cut_slow_reader(self, request: web.BaseRequest) -> None:
        _abort(request.transport)
        self.counters.cut[SLOW_READER] += 1


def _waits_for_nobody(response: web.StreamResponse, transport: asyncio.Transport | None) -> bool:
    """A short answer fits into an empty buffer, so it needs no timer, which would cost a tenth of the whole request."""
    short = response.content_length is not None and response.content_length < SHORT
    return short and transport is not None and not transport.get_write_buffer_size()


def _abort(transport: asyncio.Transport | None) -> None:
    """Close it now: an orderly close would wait until the client has read what is still to be sent."""
    if transport is not None:
        discard_unsent(transport.get_extra_info("socket"))
        transport.abort()


def _quiet_logger() -> logging.Logger:
    """A bad request is the client's fault: one line at debug level, no traceback. What we did wrong still shows in
    full."""
    logger = logging.getLogger("ovsnet.http")
    logger.addFilter(_tame)
    return logger


def _tame(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, web.HTTPException | web.RequestPayloadError) or (
        error is not None and type(error).__module__.startswith("aiohttp.http")
    ):
        record.exc_info = None
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger("ovsnet.http").isEnabledFor(logging.DEBUG)
    return True
