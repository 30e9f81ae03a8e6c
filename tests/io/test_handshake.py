"""A fault of ours ends one connection, and no listener."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import cast

import pytest

from ovsnet.io.handshake import Handshake, SecureAcceptor
from ovsnet.io.tls import RenewedContext
from tests.patience import PATIENCE


class Server:
    """Its table is out of order when the first client comes."""

    def __init__(self) -> None:
        self.came = 0
        self.second = asyncio.Event()

    def __call__(self) -> asyncio.Protocol:
        return asyncio.Protocol()

    def arrived(self, handshake: Handshake) -> None:
        self.came += 1
        if self.came == 1:
            raise RuntimeError("out of order")
        self.second.set()

    def left(self, handshake: Handshake) -> None: ...

    def late(self) -> None: ...


class Context:
    def current(self) -> ssl.SSLContext:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


async def test_listener_outlives_what_goes_wrong_with_one_client(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        acceptor = SecureAcceptor(server, listener.dup(), cast("RenewedContext", Context()), PATIENCE)
        try:
            reader, first = await asyncio.open_connection(*place)
            async with asyncio.timeout(PATIENCE):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""  # that client is told
                _, second = await asyncio.open_connection(*place)
                await server.second.wait()
            for each in (first, second):
                each.transport.abort()
        finally:
            acceptor.close()
    assert "given up before its handshake" in caplog.text
