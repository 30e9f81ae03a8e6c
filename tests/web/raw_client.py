"""Clients of the server that write their requests themselves, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.patience import PATIENCE
from tests.web.conftest import Served

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

PROBE = (
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-probe/1.30\r\nAccept: */*\r\nConnection: close\r\n\r\n"
)
ASK = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.asynccontextmanager
async def connected(served: Served) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection(served.host, served.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def say(served: Served, data: bytes) -> bytes:
    """Send bytes on a connection of their own, and return all that comes back until the server ends it."""
    async with connected(served) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(data)
        return await reader.read()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer on a connection that stays open."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await reader.readexactly(int(length.partition(b":")[2]))
