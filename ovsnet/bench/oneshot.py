"""One client of a race: it connects, greets and asks in one write, and leaves when it has its answer.

What ``transport.Channel`` does, at a third of its CPU time: a connection that lives for one answer needs no flow
control, and nobody asks who is at its other end.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ovsnet.bench.probe_protocol import Talk
from ovsnet.errors import ConnectionLost, PeerError
from ovsnet.io.address import Address
from ovsnet.io.pending import PendingRequests
from ovsnet.io.transport import Endpoint


class Visit(Endpoint):
    """The answer, or why there is none, is told to ``calls`` under ``key``."""

    def __init__(self, address: Address, talk: Talk, calls: PendingRequests[None], key: int) -> None:
        self.address = address
        self._talk = talk
        self._pending = calls
        self._key = key
        self._transport: asyncio.Transport | None = None
        self._over = False

    def leave(self) -> None:
        """Close, whatever was said. Everything that came was read, so the daemon finds nothing to complain about."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by shape, not by class
        if self._over:  # given up while it was connecting
            self._transport.abort()
            return
        greeting = self._talk.data_to_send()
        self._transport.write(greeting + self._talk.ask(1))

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            answers = self._talk.receive_data(data)
        except PeerError as error:
            self._fail(error)
            return
        if answers:
            self.leave()
            self._pending.answer(self._key, None)

    def eof_received(self) -> None:
        self._fail(ConnectionLost(f"{self.address} closed the connection."))

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over:
            self._fail(ConnectionLost(f"The connection to {self.address} broke: {error}."))

    def _fail(self, error: PeerError) -> None:
        self.leave()
        self._pending.refuse(self._key, error)
