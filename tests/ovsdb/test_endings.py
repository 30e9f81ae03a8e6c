"""What ends can be awaited with a timeout: a session, a monitor, a lock. The wait that is given up costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ConnectionLost
from ovsnet.ovsdb import Client, connect
from ovsnet.ovsdb.errors import LockStolen
from tests.ovsdb.scripted import ROW, TXN, Scripted, scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.errors import PeerError
    from ovsnet.ovsdb import Changes, Ending


async def give_up(end: Ending) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(end, 0.01)
    assert not end.done()


async def test_of_a_session() -> None:
    async with scripted() as (_, address):
        session = await connect(address)
        await give_up(session.closed)
        assert await session.list_dbs(timeout=PATIENCE) == ["D"]
        await session.aclose()
        assert isinstance(await session.closed, ConnectionLost)
        assert session.channel._transport is not None
        assert session.channel._transport.is_closing()


async def test_of_the_session_of_a_client() -> None:
    async with scripted() as (server, address), Client(address, probe=None) as client:
        session = await client.connected(timeout=PATIENCE)
        await give_up(session.closed)
        server.cut()
        assert isinstance(await asyncio.wait_for(session.closed, PATIENCE), ConnectionLost)
        assert await client.list_dbs(timeout=PATIENCE) == ["D"]
        assert client.session is not session


async def test_of_a_monitor() -> None:
    async with scripted() as (server, address), connect(address) as session:
        monitor = await session.monitor("D", {"T": ["name"]}, timeout=PATIENCE)
        await give_up(monitor.closed)
        assert monitor.synced
        await monitor.cancel(timeout=PATIENCE)
        assert "monitor_cancel" in server.methods()


async def test_of_a_lock() -> None:
    async with scripted() as (server, address), Client(address, probe=None) as client:
        async with client.lock("l", timeout=PATIENCE) as lock:
            await give_up(lock.lost)
        assert isinstance(await lose(client, server), LockStolen)


async def lose(client: Client, server: Scripted) -> PeerError:
    with contextlib.suppress(LockStolen):
        async with client.lock("l", timeout=PATIENCE) as lock:
            await give_up(lock.lost)
            server.send("stolen", "l")
            return await asyncio.wait_for(lock.lost, PATIENCE)
    return lock.lost.result()


async def test_nothing_is_told_after_the_end() -> None:
    """Two updates come in one piece, and the first ends the session."""
    told: list[Changes] = []

    def tell(changes: Changes) -> None:
        told.append(changes)
        session.channel.abort()

    async with scripted() as (server, address), connect(address) as session:
        monitor = await session.monitor("D", {"T": ["name"]}, on_change=tell, timeout=PATIENCE)
        lock = await session.lock("l", timeout=PATIENCE)
        updates = [
            {"id": None, "method": "update3", "params": [monitor.key, TXN, {"T": {row: {"insert": {"name": row}}}}]}
            for row in (ROW, ROW[:-1] + "2")
        ]
        server.write("".join(map(json.dumps, updates)).encode())
        await asyncio.wait_for(session.closed, PATIENCE)
        assert len(told) == 1
        assert monitor.closed.done()
        assert lock.lost.done()


async def test_whoever_follows_is_told_nothing_once_the_session_was_closed() -> None:
    async with scripted() as (_, address):
        session = await connect(address)
        monitor = await session.monitor("D", {"T": ["name"]}, timeout=PATIENCE)
        lock = await session.lock("l", timeout=PATIENCE)
        session.channel.abort()  # as aclose does where the peer does not read
        assert monitor.closed.done()
        assert lock.lost.done()
        assert not lock.held
