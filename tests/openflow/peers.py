"""What peers that are not a good switch are made of."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

from ovsnet.io.address import Address
from ovsnet.protocol import openflow as wire

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Peer = Callable[[Behave], Awaitable[Address]]

HELLO = wire.hello()


async def read_message(reader: asyncio.StreamReader) -> wire.Message:
    """The next that the client sends."""
    version, kind, length, xid = struct.unpack("!BBHI", await reader.readexactly(8))
    return wire.Message(version, kind, xid, await reader.readexactly(length - 8))


def says(data: bytes) -> Behave:
    """Sends that, and stays."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        while await reader.read(65536):
            pass

    return behave
