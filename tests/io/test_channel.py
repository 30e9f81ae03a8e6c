"""A connected channel: bytes reach the core, the end is told once, and nobody makes us hold more than we should."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from ovsnet.errors import ConnectionLost, DeadlineExceeded, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect
from ovsnet.io.transport import MAX_UNREAD_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.io.conftest import Line, Lines


async def connected(line: Line, listener: socket.socket) -> socket.socket:
    """Connect; returns the peer's end."""
    await connect(line.channel, timeout=50)
    peer, _ = await asyncio.get_running_loop().sock_accept(listener)
    peer.setblocking(False)
    return peer


async def receive(peer: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count and (data := await asyncio.get_running_loop().sock_recv(peer, 65536)):
        received += data
    return received


@pytest_asyncio.fixture
async def talk(listener: socket.socket, path: Path, line: Lines) -> Line:
    """A line to the listener, not yet connected."""
    return line(Address.unix(path))


async def test_greeting_of_the_core_goes_first(talk: Line, listener: socket.socket) -> None:
    talk.core.to_send = b"hello"
    with await connected(talk, listener) as peer:
        assert await receive(peer, 5) == b"hello"
        await talk.channel.aclose()


async def test_bytes_reach_the_core_and_its_answer_the_peer(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        talk.core.to_send = b"answer"
        peer.send(b"question")
        assert await receive(peer, 6) == b"answer"
        assert b"".join(talk.heard) == b"question"
        talk.core.to_send = b"more"
        talk.channel.flush()
        talk.channel.flush()
        assert await receive(peer, 4) == b"more"
        await talk.channel.aclose()


async def test_pid_of_a_unix_peer_is_known(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener):
        assert talk.channel.peer_pid == os.getpid()
        await talk.channel.aclose()


async def test_close_by_the_peer_is_told_once(talk: Line, listener: socket.socket) -> None:
    (await connected(talk, listener)).close()
    end = await talk.channel.closed
    assert isinstance(end, ConnectionLost)
    assert str(end).endswith("closed the connection.")
    await talk.channel.aclose()
    talk.channel.abort()
    assert talk.ends == [end]
    assert talk.channel.lost is end


async def test_half_closing_peer_is_gone(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        peer.shutdown(socket.SHUT_WR)
        assert isinstance(await talk.channel.closed, ConnectionLost)
        assert await receive(peer, 1) == b""


async def test_end_inside_a_message_has_the_words_of_the_core(talk: Line, listener: socket.socket) -> None:
    def eof_received() -> None:
        raise ConnectionLost("inside a message")

    talk.core.eof_received = eof_received  # type: ignore[method-assign]
    (await connected(talk, listener)).close()
    assert str(await talk.channel.closed) == f"{talk.channel.address}: inside a message."


async def test_reset_is_a_loss_with_its_reason(tcp_listener: socket.socket, line: Lines) -> None:
    talk = line(Address("tcp", host="127.0.0.1", port=tcp_listener.getsockname()[1]))
    peer = await connected(talk, tcp_listener)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    end = await talk.channel.closed
    assert isinstance(end, ConnectionLost)
    assert "reset" in str(end)


async def test_forbidden_bytes_end_it_after_the_events_before_them(talk: Line, listener: socket.socket) -> None:
    error = ProtocolError("forbidden")
    error.events = (b"good",)

    def receive_data(data: bytes) -> Sequence[bytes]:
        raise error

    talk.core.receive_data = receive_data  # type: ignore[method-assign]
    with await connected(talk, listener) as peer:
        peer.send(b"good, bad")
        end = await talk.channel.closed
        assert (type(end), end.__cause__) == (ProtocolError, error)
        assert str(end) == f"{talk.channel.address}: forbidden."
        assert talk.heard == [b"good"]
        assert talk.ends == [end]
        talk.channel.data_received(b"late")  # what the loop had read already
        assert talk.heard == [b"good"]


async def test_peer_that_does_not_read_makes_it_congested_until_it_does(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        sent = 0
        while not talk.channel.congested:
            talk.channel.write(bytes(65536))
            sent += 65536
        with pytest.raises(DeadlineExceeded, match=r"has read nothing of what we sent for 0\.01 s"):
            await talk.channel.room(0.01)
        waiting = asyncio.create_task(talk.channel.room(50))
        assert len(await receive(peer, sent)) == sent
        await waiting
        assert not talk.channel.congested
        await talk.channel.aclose()


async def test_each_of_many_writers_gets_its_turn(talk: Line, listener: socket.socket) -> None:
    """The first that is woken fills the room again: the others go on waiting, and are neither late nor let through."""

    async def write_when_there_is_room() -> None:
        await talk.channel.room(50)
        assert not talk.channel.congested
        talk.channel.write(bytes(1 << 20))

    with await connected(talk, listener) as peer:
        talk.channel.write(bytes(1 << 20))
        writers = [asyncio.create_task(write_when_there_is_room()) for _ in range(10)]
        assert len(await receive(peer, 11 << 20)) == 11 << 20
        await asyncio.gather(*writers)
        await talk.channel.aclose()


async def test_waiting_for_room_ends_with_the_connection(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        while not talk.channel.congested:
            talk.channel.write(bytes(65536))
        waiting = asyncio.create_task(talk.channel.room(50))
        peer.close()
        with pytest.raises(ConnectionLost):
            await waiting


async def test_peer_that_asks_and_never_reads_is_cut_off(talk: Line, listener: socket.socket) -> None:
    """Answers are written without anybody asking ``congested``: a peer must not make us hold them for ever."""
    talk.core.data_to_send = lambda: bytes(1 << 20)  # type: ignore[method-assign]
    with await connected(talk, listener) as peer:
        asking = asyncio.create_task(_ask_for_ever(peer))
        end = await talk.channel.closed
        assert isinstance(end, ProtocolError)
        assert "reads none of our answers" in str(end)
        assert len(talk.heard) <= MAX_UNREAD_ANSWERS >> 20
        asking.cancel()
        await asyncio.wait([asking])


async def _ask_for_ever(peer: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await loop.sock_sendall(peer, b"?")
        await asyncio.sleep(0.001)


async def test_close_sends_what_is_queued(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        talk.channel.write(bytes(1 << 20))
        assert talk.channel.congested
        reading = asyncio.create_task(receive(peer, 1 << 20))
        await talk.channel.aclose()
        assert len(await reading) == 1 << 20
    assert len(talk.ends) == 1


async def test_close_of_a_frozen_peer_returns(talk: Line, listener: socket.socket) -> None:
    """And drops what it did not read."""
    with await connected(talk, listener) as peer:
        talk.channel.write(bytes(1 << 22))
        await talk.channel.aclose()
        assert "was closed by us" in str(talk.channel.lost)
        assert len(await receive(peer, 1 << 22)) < 1 << 22


async def test_write_after_the_end_is_dropped(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener) as peer:
        talk.channel.abort()
        talk.channel.write(b"late")
        assert await receive(peer, 1) == b""


async def test_abort_gives_the_reason_to_everybody(talk: Line, listener: socket.socket) -> None:
    with await connected(talk, listener):
        reason = ProtocolError("nonsense")
        talk.channel.abort(reason)
        assert talk.ends == [reason]
        assert await talk.channel.closed is reason


async def test_channel_that_was_given_up_while_connecting_leaves_no_connection(
    talk: Line, listener: socket.socket
) -> None:
    talk.core.to_send = b"hello"
    await talk.channel.aclose()
    with await connected(talk, listener) as peer:
        assert await receive(peer, 1) == b""
    assert len(talk.ends) == 1
