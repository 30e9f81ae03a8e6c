"""OpenFlow echoes with a window of requests in flight on one connection, which ``await session.echo()`` has no need of.

All requests have one xid, and replies are counted: a switch answers in order (connmgr.c, ``ofconn_run`` handles one
message after the other).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ovsnet.errors import PeerError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect
from ovsnet.io.transport import Channel
from ovsnet.protocol import openflow as wire

XID = 1
TIMEOUT = 10.0
"""Seconds for the switch to accept and to say HELLO."""


class EchoPipeline:
    """One connection. ``run`` may be called again and again."""

    def __init__(self, address: Address) -> None:
        self._core = wire.Connection()
        self._channel: Channel[wire.Event] = Channel(address, self._core, self._on_events, self._on_lost)
        self._greeted = asyncio.Event()
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = b""
        self._count = self._unsent = self._missing = 0

    async def connect(self) -> None:
        """Raises PeerError."""
        await connect(self._channel, timeout=TIMEOUT)
        async with asyncio.timeout(TIMEOUT):
            await self._greeted.wait()
        self._require_alive()

    async def run(self, count: int, *, window: int, payload: bytes) -> None:
        """Return when ``count`` echoes are back. Raises PeerError when the connection is lost."""
        self._require_alive()
        assert self._core.version is not None
        self._request = wire.echo_request(self._core.version, XID, payload)
        self._count = self._unsent = self._missing = count
        self._done = asyncio.get_running_loop().create_future()
        self._send(window)
        await self._done

    @property
    def sent(self) -> int:
        """Requests of the last run that were sent."""
        return self._count - self._unsent

    @property
    def answered(self) -> int:
        """Replies to them."""
        return self._count - self._missing

    async def aclose(self) -> None:
        """Close."""
        await self._channel.aclose()

    def _send(self, room: int) -> None:
        if sending := min(room, self._unsent):
            self._unsent -= sending
            self._channel.write(self._request * sending)

    def _on_events(self, events: Sequence[wire.Event]) -> None:
        self._greeted.set()
        replies = sum(isinstance(event, wire.Message) and event.xid == XID for event in events)
        self._missing -= replies
        if self._missing > 0:
            self._send(replies)
        elif not self._done.done():
            self._done.set_result(None)

    def _on_lost(self, error: PeerError) -> None:
        self._greeted.set()
        if not self._done.done():
            self._done.set_exception(error)
            self._done.exception()  # nobody may be waiting for it

    def _require_alive(self) -> None:
        if self._channel.lost is not None:
            raise self._channel.lost
