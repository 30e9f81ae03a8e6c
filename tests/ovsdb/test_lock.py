"""Locks that are given up, asked for twice, or stolen in the moment they come. That real servers grant, queue and
steal them is in test_client."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, UsageError
from ovsnet.ovsdb import Client, connect
from ovsnet.ovsdb.errors import LockReleased, LockStolen, Refused
from tests.ovsdb.scripted import Refusal, scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

ROOT = Path(__file__).parents[2]


async def test_request_that_was_given_up_is_taken_back() -> None:
    async with scripted() as (server, address), Client(address, probe=None) as client:
        await client.connected(timeout=PATIENCE)
        server.delays["lock"] = 0.05
        waiting = asyncio.create_task(client.lock("l", timeout=PATIENCE).__aenter__())
        await server.heard("lock")
        waiting.cancel()
        await server.heard("unlock")
        with pytest.raises(DeadlineExceeded):
            async with client.lock("l", timeout=0.01):
                pass
        await server.heard("unlock", 2)
        async with client.lock("l", timeout=PATIENCE) as lock:
            assert lock.held
        assert server.methods().count("unlock") == 3


async def test_lock_that_is_queued_and_given_up_can_be_asked_for_again() -> None:
    queue = scripted(lock=lambda params: {"locked": False})
    async with queue as (server, address), Client(address, probe=None) as client:
        await client.connected(timeout=PATIENCE)
        for times in (1, 2):
            with pytest.raises(DeadlineExceeded):
                async with client.lock("l", timeout=0.05):
                    pass
            await server.heard("unlock", times)


async def test_refused_request_needs_no_unlock() -> None:
    async with scripted(lock=lambda params: Refusal("no")) as (server, address), connect(address) as session:
        with pytest.raises(Refused):
            await session.lock("l", timeout=PATIENCE)
        with pytest.raises(Refused):
            await session.lock("l", timeout=PATIENCE)
        assert server.methods() == ["lock", "lock"]


@pytest.mark.parametrize("ends", [False, True])
async def test_second_task_is_refused_and_the_first_hears_of_its_loss(ends: bool) -> None:
    async with scripted() as (server, address), connect(address) as session:
        first = await session.lock("l", timeout=PATIENCE)
        with pytest.raises(UsageError, match="asked for the lock l already"):
            await session.lock("l", timeout=PATIENCE)
        if ends:
            server.cut()
        else:
            server.send("stolen", "l")
        lost = await asyncio.wait_for(first.lost, PATIENCE)
        assert isinstance(lost, ConnectionLost if ends else LockStolen)
        assert not first.held
        assert server.methods() == ["lock"]


async def test_lock_that_was_released_releases_no_later_one() -> None:
    async with scripted() as (server, address), connect(address) as session:
        first = await session.lock("l", timeout=PATIENCE)
        await first.release(timeout=PATIENCE)
        second = await session.lock("l", timeout=PATIENCE)
        await first.release(timeout=PATIENCE)
        first.abandon()
        assert second.held
        assert server.methods() == ["lock", "unlock", "lock"]


async def test_theft_that_comes_with_the_answer_is_heard() -> None:
    async with scripted(lock=lambda params: None) as (server, address), connect(address) as session:
        asking = asyncio.ensure_future(session.lock("l", timeout=PATIENCE))
        await server.heard("lock")
        answer = {"id": session._core._next_id - 1, "result": {"locked": True}, "error": None}
        stolen = {"id": None, "method": "stolen", "params": ["l"]}
        server.write(json.dumps(answer).encode() + json.dumps(stolen).encode())
        lock = await asyncio.wait_for(asking, PATIENCE)
        assert not lock.held
        assert isinstance(lock.lost.result(), LockStolen)


async def test_grant_of_an_earlier_request_is_none_of_the_next() -> None:
    """The server may have granted what we are taking back."""
    async with scripted(lock=lambda params: {"locked": False}) as (server, address), connect(address) as session:
        (await session.lock("l", timeout=PATIENCE)).abandon()
        server.delays["lock"] = 0.05
        asking = asyncio.ensure_future(session.lock("l", timeout=PATIENCE))
        await server.heard("lock", 2)
        server.send("locked", "l")
        assert not (await asyncio.wait_for(asking, PATIENCE)).held


async def test_lock_of_a_session_is_held_in_its_block() -> None:
    """Also one that the server grants later; what is left of the timeout is for that."""
    async with scripted(lock=lambda params: {"locked": False}) as (server, address), connect(address) as session:
        entering = asyncio.ensure_future(session["D"].lock("l", timeout=PATIENCE).__aenter__())
        await server.heard("lock")
        await session.echo(timeout=PATIENCE)
        assert not entering.done()
        server.send("locked", "l")
        lock = await asyncio.wait_for(entering, PATIENCE)
        assert lock.held
        await lock.release(timeout=PATIENCE)
        with pytest.raises(DeadlineExceeded, match="Another client held the lock l for"):
            async with session.lock("l", timeout=0.1):
                pass
        await server.heard("unlock", 2)


async def test_block_of_a_session_says_why_its_lock_was_lost() -> None:
    async def hold(error: Exception | None) -> None:
        async with session.lock("l", timeout=PATIENCE) as lock:
            server.send("stolen", "l")
            await asyncio.wait_for(lock.lost, PATIENCE)
            if error is not None:
                raise error

    async with scripted() as (server, address), connect(address) as session:
        with pytest.raises(LockStolen):
            await hold(None)
        with pytest.raises(ZeroDivisionError):
            await hold(ZeroDivisionError())


@pytest.mark.parametrize("way", ["release", "abandon", "unlock", "block"])
async def test_whoever_waits_for_its_loss_hears_of_a_release(way: str) -> None:
    async with scripted() as (_, address), connect(address) as session:
        async with session.lock("l", timeout=PATIENCE) as lock:
            loss = asyncio.ensure_future(lock.lost)
            match way:
                case "release":
                    await lock.release(timeout=PATIENCE)
                case "abandon":
                    lock.abandon()
                case "unlock":
                    await session.unlock("l", timeout=PATIENCE)
        assert isinstance(await asyncio.wait_for(loss, PATIENCE), LockReleased)
        assert not lock.held


async def test_whoever_waits_for_a_lock_hears_that_it_was_given_up() -> None:
    async with scripted(lock=lambda params: {"locked": False}) as (_, address), connect(address) as session:
        lock = await session.lock("l", timeout=PATIENCE)
        waiting = asyncio.create_task(lock.acquired(timeout=PATIENCE))
        await session.echo(timeout=PATIENCE)
        await lock.release(timeout=PATIENCE)
        with pytest.raises(LockReleased):
            await asyncio.wait_for(waiting, PATIENCE)


async def test_names_are_those_that_a_server_takes(server: Server) -> None:
    """Nothing is sent for others: the server's own words would be of <id>, and of no lock."""
    wrong: list[Any] = ["", "my-tool", "1a", "a b", "a\n", "\xe4", 7, None]
    async with connect(server.address) as session:
        for name in wrong:
            with pytest.raises(UsageError, match="is not a valid name for a lock"):
                await session.lock(name, timeout=PATIENCE)
            with pytest.raises(Refused):
                await session.request("lock", (name,), timeout=PATIENCE)
        for name in ("_", "A1_b"):
            async with session.lock(name, timeout=PATIENCE) as lock:
                assert lock.held


def test_names_of_locks_in_the_docs_are_such() -> None:
    code = [ROOT / "docs/library.md", ROOT / "examples/take_lock.py", *(ROOT / "ovsnet/ovsdb").glob("*.py")]
    texts = "".join(path.read_text(encoding="utf-8") for path in code)
    names = re.findall(r'lock\("([^"]*)"\)', texts) + re.findall(r"take_lock.py \S+ (\S+)$", texts, re.MULTILINE)
    assert len(names) > 3
    assert [name for name in names if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)] == []
