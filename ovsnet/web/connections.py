"""The connections of the server: at most so many, and who says nothing makes room for who does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from ovsnet.tally import Tally
from ovsnet.web.events import EventStream

KEEPALIVE = 5.0
"""Seconds for a client to send a whole request, to take its answer, and to stay idle afterwards. A kubelet closes after
each probe."""

CUT_REASONS = CROWDED, SLOW_READER = "crowded", "slow-reader"
"""Why we ended a connection."""

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class CappedServer(web.Server):
    """A server of at most ``max_connections`` at once.

    One more makes the oldest give way that has no request under way. Refusing the new one instead would shut a probe
    out for as long as slow or idle clients hold all places, and a kubelet counts that as a failure.
    """

    def __init__(self, handle: Handle, max_connections: int, tally: Tally) -> None:
        super().__init__(
            self._serve,
            keepalive_timeout=KEEPALIVE,
            lingering_time=1.0,
            access_log=None,
            logger=_quiet_logger(),
            tcp_keepalive=False,
        )
        self.max_connections = max_connections
        self.tally = tally
        self._handle = handle
        self._busy: set[web.RequestHandler] = set()

    def __call__(self) -> web.RequestHandler:
        connections = self.connections
        for _ in range(len(connections) - self.max_connections + 1):
            # The order is that of age. Where all are busy, the oldest goes: it had the most time.
            oldest = next((each for each in connections if each not in self._busy), connections[0])
            connections.remove(oldest)
            self._connections.pop(oldest, None)  # it is still counted until the loop has told it of its end
            _abort(oldest.transport)
            self.tally.cut[CROWDED] += 1
        self.tally.connections += 1
        return super().__call__()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._busy.add(request.protocol)
        try:
            response = await self._handle(request)
            await self._send(response, request)
            return response
        finally:
            self._busy.discard(request.protocol)

    async def _send(self, response: web.StreamResponse, request: web.BaseRequest) -> None:
        """aiohttp would do so once we return, and wait for ever for a client that does not read."""
        try:
            async with asyncio.timeout(KEEPALIVE):
                await response.prepare(request)
            if isinstance(response, EventStream) and request.method == "GET":
                await response.run(request, KEEPALIVE)
            async with asyncio.timeout(KEEPALIVE):
                await response.write_eof()
        except ConnectionError:
            pass  # the client is gone
        except TimeoutError:
            _abort(request.transport)
            self.tally.cut[SLOW_READER] += 1


def _abort(transport: asyncio.Transport | None) -> None:
    """Close it now: in order, it would stay until the client has read what is still to be sent."""
    if transport is not None:
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
