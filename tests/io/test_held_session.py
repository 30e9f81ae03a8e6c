"""What every session has: who is at the other end, when it was heard, and why it is over."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ovsnet.errors import ConnectionLost, SocketMissing
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.io.transport import Channel
from tests.io.mute import Mute
from tests.patience import PATIENCE


def session(where: Path | Address) -> HeldSession:
    address = where if isinstance(where, Address) else Address.unix(where)
    return HeldSession(Channel(address, Mute(), lambda events: None, lambda error: None))


@contextlib.asynccontextmanager
async def opened(held: HeldSession) -> AsyncIterator[HeldSession]:
    async with held:
        await held.open(timeout=PATIENCE)
        yield held


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    await reader.read()
    writer.close()


async def test_session_knows_its_peer_and_is_closed_by_leaving_the_block(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with await asyncio.start_unix_server(greet, path), asyncio.timeout(PATIENCE):
        async with session(path) as held:
            assert (held.peer_pid, held.heard_at) == (None, 0.0)
            await held.open(timeout=PATIENCE)
            assert held.address == Address.unix(path)
            assert held.peer_pid == os.getpid()
            while not held.heard_at:  # noqa: ASYNC110 - there is no event for the first bytes
                await asyncio.sleep(0)
            assert not held.closed.done()
        assert isinstance(held.closed.result(), ConnectionLost)
        await held.aclose()


async def test_end_that_the_peer_makes_is_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with await asyncio.start_unix_server(lambda reader, writer: writer.close(), path):
        held = session(path)
        await held.open(timeout=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            assert "closed the connection" in str(await held.closed)


async def test_session_that_was_never_opened_is_closed_without_a_wait(tmp_path: Path) -> None:
    held = session(tmp_path / "none")
    with pytest.raises(SocketMissing):
        await held.open(timeout=PATIENCE)
    await held.aclose()
    assert held.closed.done()


def removed(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_suffix(".away"))


def regular(path: Path) -> None:
    path.unlink()
    path.touch()


def unreachable(path: Path) -> None:
    path.parent.rename(path.parent.with_suffix(".away"))


@pytest.mark.parametrize("lose", [removed, moved, regular, unreachable], ids=lambda each: each.__name__)
async def test_socket_that_was_removed_or_replaced_leads_here_no_more(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path = tmp_path / "r" / "s"
    path.parent.mkdir()
    async with await asyncio.start_unix_server(greet, path), opened(session(path)) as held:
        assert held.named
        lose(path)
        assert not held.named
        assert not held.closed.done(), "the connection itself goes on"


async def test_socket_of_another_server_leads_elsewhere_and_its_own_leads_back(tmp_path: Path) -> None:
    path, away = tmp_path / "s", tmp_path / "away"
    async with await asyncio.start_unix_server(greet, path), opened(session(path)) as held:
        path.rename(away)
        async with await asyncio.start_unix_server(greet, path):
            assert not held.named
        away.replace(path)
        assert held.named


async def test_what_leads_to_the_same_socket_by_another_name_or_mode_leads_here(tmp_path: Path) -> None:
    path, link = tmp_path / "s", tmp_path / "link"
    link.symlink_to(path)
    async with await asyncio.start_unix_server(greet, path), opened(session(link)) as held:
        path.chmod(0o700)
        os.utime(path, (1, 1))
        assert held.named
        link.unlink()
        link.hardlink_to(path)
        assert held.named


async def test_connection_over_tcp_has_no_file_to_lose() -> None:
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(session(Address.parse(f"tcp:127.0.0.1:{port}"))) as held:
        assert held.named
