"""Peers that behave as a test says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from ovsnet.io.address import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.openflow.peers import Behave, Peer


@pytest.fixture
async def peer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Peer]:
    """Starts a peer that behaves so on each connection, for as long as the test runs; returns where."""
    path = tmp_path_factory.mktemp("p") / "sock"
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []
    talks: set[asyncio.Task[None]] = set()

    async def start(behave: Behave) -> Address:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            writers.append(writer)
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await behave(reader, writer)
            writer.close()

        servers.append(await asyncio.start_unix_server(talk, path))
        return Address.unix(path)

    yield start
    for server in servers:
        server.close()
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
