"""The server's connections: how many there may be, and which one is cut when there are too many.

The order in which they are cut is that of ``_connections``: the first in it has been silent for longest. A connection
moves to the end whenever it asks, or takes an event. With ``max_connections`` at 3:

    a b c           all places are taken
    a b c d         d connects: one too many. The round begins: a b c d are present
    b c d a         a asks, and moves to the end
    b c d a e       e connects: it is not part of this round
      c d a e       TURNS later all that were present have been read. The first of them, b, is cut
      c d a e       still one too many: the next round begins, with c d a e

Refusing new connections instead would lock a probe out for as long as slow or idle clients hold all places, and a
kubelet counts that as a failure. Cutting at once would hit probes: whether a client asks is not known before it is
read, and a hundred probes may wait to be read after our loop was held up.

So for TURNS turns of the loop there may be more than ``max_connections``, but never more than BACKLOG more: the first
in the order is cut at once, read or not, for the next one that comes.

A connection counts from its accept on: one in its TLS handshake is in the same order. No step here may fail
because of the connection it is about, which may have ended in any turn of the loop; what raises would switch the limit
off, and leave the connection that has just come without reader and deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import cast

from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_exceptions import HTTPException
from aiohttp.web_protocol import RequestHandler, RequestPayloadError
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_server import Server

from ovsnet.agent.counters import Counters
from ovsnet.deadlines import BACKLOG
from ovsnet.io.handshake import Handshake
from ovsnet.io.listen import discard_unsent
from ovsnet.io.memory import give_back
from ovsnet.io.nofile import Places, nofile, places
from ovsnet.web.events import EventStream

KEEPALIVE = 5.0
"""Seconds for a client to send a whole request, to take its answer, and to stay idle afterwards. A kubelet closes after
each probe."""

TURNS = 4
"""Turns of the loop after which every connection has been read: reading begins in the first, the data in the socket
arrives by the second, the third wakes the connection's task and the fourth begins to answer."""

CROWD = 128
"""Connections that leave megabytes behind: each may have held a queue of requests and an answer."""

HANDSHAKES = 256
"""TLS handshakes that go on at once: each takes 70 kB, and a few milliseconds of work when its client is alive."""

SHORT = 4096
"""Bytes of an answer that fits into any buffer."""

CUT_REASONS = CROWDED, SLOW_READER, HANDSHAKE = "crowded", "slow-reader", "handshake"
"""Why we ended a connection."""

Handle = Callable[[BaseRequest], Awaitable[StreamResponse]]


class Request(BaseRequest):
    """No answer, neither ours nor aiohttp's to a bad request, says which versions run here."""

    async def _prepare_hook(self, response: StreamResponse) -> None:
        response.headers["Server"] = "ovsnet"


class CappedServer(Server):
    """A server that holds ``max_connections``: see the drawing above."""

    def __init__(self, handle: Handle, max_connections: int, counters: Counters) -> None:
        super().__init__(
            self._serve,
            request_factory=self._request,
            keepalive_timeout=KEEPALIVE,
            lingering_time=1.0,
            access_log=None,
            logger=_quiet_logger(),
            tcp_keepalive=False,
        )
        self.counters = counters
        self.allow(max_connections)
        self._handle = handle
        self._making_room: asyncio.Task[None] | None = None
        self._crowd: asyncio.TimerHandle | None = None
        self._handshakes: dict[Handshake, None] = {}
        self._streams: dict[RequestHandler, asyncio.Task[None]] = {}

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> BaseRequest:
        return Request(message, payload, protocol, writer, task, self._loop)

    def allow(self, max_connections: int) -> None:
        """Hold this many from now on, or as many as our descriptors allow."""
        self.places: Places = places(nofile(), max_connections, BACKLOG)

    def arrived(self, handshake: Handshake) -> None:
        """A TLS handshake begins. When there are too many, the longest one is cut."""
        self._connections[cast("RequestHandler", handshake)] = cast("asyncio.Transport", handshake)
        self._handshakes[handshake] = None
        if len(self._handshakes) > HANDSHAKES:
            self._cut(cast("RequestHandler", next(iter(self._handshakes))))
        self._admit()

    def left(self, handshake: Handshake) -> None:
        """The handshake is over: the connection that it made, if any, counts by itself."""
        self._handshakes.pop(handshake, None)
        self._connections.pop(cast("RequestHandler", handshake), None)

    def late(self) -> None:
        """A handshake did not end in time."""
        self.counters.cut[HANDSHAKE] += 1

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """aiohttp calls it."""
        super().connection_made(handler, transport)
        self.counters.connections += 1
        self._admit()

    def _admit(self) -> None:
        if self._excess > self.places.waiting:
            self._cut(next(iter(self._connections)))
        if self._excess > 0 and (self._making_room is None or self._making_room.done()):
            self._making_room = self._loop.create_task(self._make_room())
        if len(self._connections) >= CROWD and self._crowd is None:
            self._await_calm()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """aiohttp calls it. A client that left /events would otherwise be waited for until the next beat."""
        super().connection_lost(handler, exc)
        if (stream := self._streams.pop(handler, None)) is not None:
            stream.cancel()

    async def end(self, patience: float) -> None:
        """Let open requests finish, then cut those that are left, all within ``patience`` seconds: half of them are for
        answers that are being made. aiohttp alone would give each connection its time twice, and then wait for what its
        client does not read."""
        ending = self._loop.create_task(self.shutdown(patience / 4))
        await asyncio.wait([ending], timeout=patience / 2)
        ending.cancel()
        for transport in list(self._connections.values()):
            _abort(transport)

    @property
    def _excess(self) -> int:
        return max(len(self._connections) - self.places.held, 0)

    async def _make_room(self) -> None:
        """Round after round, until there are no longer too many."""
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

    def _cut(self, handler: RequestHandler) -> None:
        # Removed here: otherwise it would count until the loop calls its connection_lost.
        transport = self._connections.pop(handler)
        if isinstance(handler, Handshake):
            self._handshakes.pop(handler, None)
        _abort(transport)
        self.counters.cut[CROWDED] += 1

    def _heard_of(self, request: BaseRequest) -> None:
        """Move it to the end: it is cut last."""
        if (transport := self._connections.pop(request.protocol, None)) is not None:
            self._connections[request.protocol] = transport

    async def _serve(self, request: BaseRequest) -> StreamResponse:
        self._heard_of(request)
        response = await self._handle(request)
        if _waits_for_nobody(response, request.transport):
            return response  # aiohttp sends it at once
        if isinstance(response, EventStream) and request.method == "GET":
            await self._stream(response, request)
        await self._send(response, request)
        return response

    async def _send(self, response: StreamResponse, request: BaseRequest) -> None:
        """aiohttp would send it once we return, and wait without limit for a client that does not read."""
        late = self._loop.call_later(KEEPALIVE, self._cut_slow_reader, request)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            pass  # the client is gone, or was cut
        finally:
            late.cancel()

    async def _stream(self, events: EventStream, request: BaseRequest) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._streams[request.protocol] = task
        try:
            await events.run(request, KEEPALIVE, self._heard_of)
        except ConnectionError:
            pass
        except TimeoutError:
            self._cut_slow_reader(request)
        finally:
            self._streams.pop(request.protocol, None)

    def _cut_slow_reader(self, request: BaseRequest) -> None:
        _abort(request.transport)
        self.counters.cut[SLOW_READER] += 1


def _waits_for_nobody(response: StreamResponse, transport: asyncio.Transport | None) -> bool:
    """A short answer fits into an empty buffer, so it needs no timer, which would cost a tenth of the request."""
    # Not content_length, which is computed at each access: two cost a fifteenth of a request.
    body = response.body if isinstance(response, Response) else None
    short = isinstance(body, bytes) and len(body) < SHORT
    return short and transport is not None and not transport.get_write_buffer_size()


def _abort(transport: asyncio.Transport | None) -> None:
    """Close it now: an orderly close would wait until the client has read what is still to be sent. It may have ended
    already, in this same turn of the loop."""
    if transport is not None:
        discard_unsent(transport.get_extra_info("socket"))
        transport.abort()


def _quiet_logger() -> logging.Logger:
    """A bad request is the client's fault: one line at debug level, no traceback. Errors of ours still show in
    full."""
    logger = logging.getLogger("ovsnet.http")
    logger.addFilter(_tame)
    return logger


def _tame(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HTTPException | RequestPayloadError) or (
        error is not None and type(error).__module__.startswith("aiohttp.http")
    ):
        record.exc_info = None
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger("ovsnet.http").isEnabledFor(logging.DEBUG)
    return True
