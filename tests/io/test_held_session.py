"""What every session has: who is at the other end, when it was heard, and why it is over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnet.errors import ConnectionLost, SocketMissing
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.io.transport import Channel

PATIENT = 30.0


class Mute:
    """A protocol that takes any bytes and says nothing."""

    def receive_data(self, data: bytes) -> Sequence[object]:
        return ()

    def data_to_send(self) -> bytes:
        return b""

    def eof_received(self) -> None:
        pass


def session(path: Path) -> HeldSession:
    return HeldSession(Channel(Address.unix(path), Mute(), lambda events: None, lambda error: None))


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    await reader.read()
    writer.close()


async def test_session_knows_its_peer_and_is_closed_by_leaving_the_block(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with await asyncio.start_unix_server(greet, path), asyncio.timeout(PATIENT):
        async with session(path) as held:
            assert (held.peer_pid, held.heard_at) == (None, 0.0)
            await held.open(timeout=PATIENT)
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
        await held.open(timeout=PATIENT)
        async with asyncio.timeout(PATIENT):
            assert "closed the connection" in str(await held.closed)


async def test_session_that_was_never_opened_is_closed_without_a_wait(tmp_path: Path) -> None:
    held = session(tmp_path / "none")
    with pytest.raises(SocketMissing):
        await held.open(timeout=PATIENT)
    await held.aclose()
    assert held.closed.done()
