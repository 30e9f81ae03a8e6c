"""How a one-shot client ends: with an answer, or with why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ovsnet.bench.oneshot import OneShot
from ovsnet.bench.probe_protocol import OpenFlowProbe
from ovsnet.errors import ConnectionLost, DeadlineExceeded, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect_once
from ovsnet.io.pending import PendingRequests
from ovsnet.protocol.openflow import MessageType, Version, hello
from ovsnet.protocol.openflow.message import pack_message
from tests.patience import PATIENCE

GREETING = hello() + pack_message(Version.OF13, MessageType.ECHO_REQUEST, 1)
ANSWER = hello() + pack_message(Version.OF13, MessageType.ECHO_REPLY, 1)

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def switch(path: Path, behaviour: Behaviour) -> AsyncIterator[Address]:
    """A listener that does as it is told with everybody who comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield Address.unix(path)


async def answered(address: Address, timeout: float = 30.0) -> None:
    """Raises why there is no answer."""
    calls: PendingRequests[None] = PendingRequests(str(address))
    answer = calls.open(0, timeout)
    client = OneShot(address, OpenFlowProbe(), calls, 0)
    try:
        await connect_once(client)
        await answer
    finally:
        client.leave()
        assert not len(calls)


async def test_it_says_all_at_once_and_leaves_with_the_answer(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(GREETING)) == GREETING
        writer.write(ANSWER)
        assert await reader.read() == b""
        ended.set()

    async with switch(tmp_path / "s", answer) as address, asyncio.timeout(PATIENCE):
        await answered(address)
        await ended.wait()


async def test_peer_that_hangs_up_is_a_loss(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(GREETING))

    async with switch(tmp_path / "s", hang_up) as address:
        with pytest.raises(ConnectionLost, match="closed the connection"):
            await answered(address)


async def test_peer_that_leaves_unread_what_we_said_is_a_loss(tmp_path: Path) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with switch(tmp_path / "s", leave) as address:
        with pytest.raises(ConnectionLost):
            await answered(address)


async def test_peer_that_talks_nonsense_is_told(tmp_path: Path) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0")
        await reader.read()

    async with switch(tmp_path / "s", nonsense) as address:
        with pytest.raises(ProtocolError, match="not HELLO"):
            await answered(address)


async def test_silence_ends_it(tmp_path: Path) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with switch(tmp_path / "s", silence) as address:
        with pytest.raises(DeadlineExceeded):
            await answered(address, timeout=0.2)
