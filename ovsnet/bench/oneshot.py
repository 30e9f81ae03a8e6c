"""One client of a race: it connects, greets and asks in one write, and leaves when it has its answer.

What ``transport.Channel`` does, at a third of its CPU time: a connection that lives for one answer needs no flow
control, and the peer at its other end does not matter.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ovsnet.bench.probe_protocol import ProbeProtocol
from ovsnet.errors import ConnectionLost, PeerError
from ovsnet.io.address import Address
from ovsnet.io.pending import PendingRequests
from ovsnet.io.transport import Endpoint


class OneShot(Endpoint):
    """The answer, or why there is none, goes to ``pending`` under ``key``."""

    def __init__(self, address: Address, protocol: ProbeProtocol, pending: PendingRequests[None], key: int) -> None:
        self.address = address
        self._protocol = protocol
        self._pending = pending
        self._key = key
        self._transport: asyncio.Transport | None = None
        self._over = False

    def leave(self) -> None:
        """Close, whatever was said. Everything that came was read, so the daemon logs no warning."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by shape, not by class
        if self._over:  # given up while it was connecting
            self._transport.abort()
            return
        greeting = self._protocol.data_to_send()
        self._transport.write(greeting + self._protocol.ask(1))

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            answers = self._protocol.receive_data(data)
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
