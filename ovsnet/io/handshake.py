"""Connections whose TLS handshake goes on: each counts from its accept on, can be cut, and has a deadline.

``loop.create_server(ssl=…)`` tells nobody of a connection until its handshake is over. Thousands that say no more than
their first word would cost 70 kB each, and count nowhere. So we accept by ourselves where TLS is spoken.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Protocol

from ovsnet.io.tls import RenewedContext

log = logging.getLogger("ovsnet")

PAUSE = 0.05
"""Seconds until the next try, where none can be accepted: no descriptor may be left."""


class Counts(Protocol):
    """The server that serves them, as far as it is needed here."""

    def __call__(self) -> asyncio.Protocol: ...

    def arrived(self, handshake: Handshake) -> None: ...

    def left(self, handshake: Handshake) -> None: ...

    def late(self) -> None: ...


class Handshake:
    """One connection, from its accept until TLS stands. To the server's table it looks like a handler and its
    transport."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._begun = False
        self.task: asyncio.Task[None] | None = None

    async def run(self, server: Counts, context: ssl.SSLContext, patience: float) -> None:
        """Make it a connection of ``server``; what fails is the client's affair."""
        self._begun = True
        try:
            async with asyncio.timeout(patience):
                await asyncio.get_running_loop().connect_accepted_socket(
                    server, self._sock, ssl=context, ssl_handshake_timeout=2 * patience
                )
        except TimeoutError:
            server.late()
        except OSError:  # ssl.SSLError is one
            pass
        finally:
            server.left(self)

    def abort(self) -> None:
        """Cut it. Before its task has begun, nobody else owns the socket."""
        if self.task is not None:
            self.task.cancel()
        if not self._begun:
            self._sock.close()

    def get_extra_info(self, name: str) -> socket.socket | None:
        """As a transport's."""
        return self._sock if name == "socket" and self._sock.fileno() >= 0 else None

    def close(self) -> None:
        """What the server asks of all connections before it ends."""
        self.abort()

    async def shutdown(self, timeout: float | None) -> None:
        """What the server asks of all connections when it ends."""
        self.abort()


class SecureAcceptor:
    """Accepts on a listening socket, which becomes its own, until it is closed."""

    def __init__(self, server: Counts, sock: socket.socket, context: RenewedContext, patience: float) -> None:
        self._server = server
        self._sock = sock
        self._context = context
        self._patience = patience
        sock.setblocking(False)
        self._task = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accept nobody more."""
        self._task.cancel()
        self._task.add_done_callback(lambda _: self._sock.close())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(self._sock)
            except OSError:
                await asyncio.sleep(PAUSE)
                continue
            handshake = Handshake(sock)
            try:
                self._begin(handshake)
            except Exception:  # whatever it is, the next client finds a listener
                log.exception("A connection was given up before its handshake.")
                handshake.abort()
                self._server.left(handshake)

    def _begin(self, handshake: Handshake) -> None:
        context = self._context.current()
        handshake.task = asyncio.get_running_loop().create_task(handshake.run(self._server, context, self._patience))
        self._server.arrived(handshake)
