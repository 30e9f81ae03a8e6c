"""What OVSDB and unixctl have in common: requests, deadlines, and a peer that says nonsense."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from ovsnet.errors import ConnectionLost, DeadlineExceeded, ProtocolError, RequestRefused, UsageError
from ovsnet.io.address import Address
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.protocol.jsonrpc import Body, whole


class Peer:
    """The other end, in the test's own hands: what was sent, and what it answers."""

    def __init__(self, listener: socket.socket, address: Address) -> None:
        self.listener = listener
        self.address = address
        self.notifications: list[tuple[str, bytes]] = []
        self.conversation: socket.socket | None = None

    async def connected(self, *, refusing: bool = False) -> JsonRpcSession:
        def on_notification(method: str, params: Body) -> None:
            if refusing:
                raise ProtocolError("The notification makes no sense.")
            self.notifications.append((method, bytes(whole(params))))

        session = JsonRpcSession(
            self.address,
            max_bytes=1 << 20,
            refusal=lambda error: RequestRefused(str(error)),
            on_notification=on_notification,
        )
        await session.open(timeout=5)
        self.conversation, _ = await asyncio.get_running_loop().sock_accept(self.listener)
        return session

    async def hear(self) -> bytes:
        assert self.conversation is not None
        return await asyncio.get_running_loop().sock_recv(self.conversation, 1 << 16)

    async def say(self, text: bytes) -> None:
        assert self.conversation is not None
        await asyncio.get_running_loop().sock_sendall(self.conversation, text)


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    with tempfile.TemporaryDirectory(prefix="rpc-") as name, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(name) / "sock")
        listener.setblocking(False)
        listener.bind(path)
        listener.listen()
        peer = Peer(listener, Address.unix(path))
        yield peer
        if peer.conversation is not None:
            peer.conversation.close()


async def test_request_and_its_reply(peer: Peer) -> None:
    session = await peer.connected()
    asking = asyncio.create_task(session.request("add", (1, 2), timeout=10))
    assert msgspec.json.decode(await peer.hear()) == {"id": 0, "method": "add", "params": [1, 2]}
    await peer.say(b'{"id":0,"result":3,"error":null}')
    assert bytes(await asking) == b"3"
    await session.aclose()


async def test_error_reply_becomes_the_callers_kind_of_error(peer: Peer) -> None:
    session = await peer.connected()
    asking = asyncio.create_task(session.request("add", (), timeout=10))
    await peer.hear()
    await peer.say(b'{"id":0,"error":"too few"}')
    with pytest.raises(RequestRefused, match="too few"):
        await asking
    await session.aclose()


async def test_notifications_come_in_order(peer: Peer) -> None:
    session = await peer.connected()
    await peer.say(b'{"id":null,"method":"a","params":[1]}{"id":null,"method":"b","params":[]}')
    asking = asyncio.create_task(session.request("x", (), timeout=10))
    await peer.hear()
    await peer.say(b'{"id":0,"result":[],"error":null}')
    await asking
    assert peer.notifications == [("a", b"[1]"), ("b", b"[]")]
    await session.aclose()


async def test_requests_of_the_peer_are_refused(peer: Peer) -> None:
    session = await peer.connected()
    await peer.say(b'{"id":"q","method":"dance","params":[]}')
    assert msgspec.json.decode(await peer.hear()) == {"id": "q", "result": None, "error": "unknown method"}
    await session.aclose()


async def test_notification_that_makes_no_sense_ends_the_conversation(peer: Peer) -> None:
    session = await peer.connected(refusing=True)
    asking = asyncio.create_task(session.request("x", (), timeout=10))
    await peer.hear()
    await peer.say(b'{"id":null,"method":"a","params":[1]}')
    with pytest.raises(ProtocolError, match="makes no sense"):
        await asking
    with pytest.raises(ProtocolError, match="makes no sense"):
        await session.request("y", (), timeout=10)


async def test_what_cannot_be_sent_is_a_usage_error_and_harms_nothing(peer: Peer) -> None:
    session = await peer.connected()
    with pytest.raises(UsageError):
        await session.request("x", (object(),), timeout=10)
    with pytest.raises(UsageError):
        await session.request("x", ("\0",), timeout=10)
    assert session.channel.lost is None
    await session.aclose()


async def test_patience_ends_with_silence(peer: Peer) -> None:
    session = await peer.connected()
    with pytest.raises(DeadlineExceeded, match=r"sent nothing for 0\.02 s"):
        await session.request_patiently("x", (), silence=0.02, longest=60)
    await peer.say(b'{"id":0,"result":[],"error":null}')
    asking = asyncio.create_task(session.request("y", (), timeout=10))
    while b'"y"' not in await peer.hear():
        pass
    await peer.say(b'{"id":1,"result":"on time","error":null}')
    assert bytes(await asking) == b'"on time"'
    await session.aclose()


async def test_patience_has_a_limit(peer: Peer) -> None:
    """A peer that dribbles for ever is given up too."""
    session = await peer.connected()

    async def dribble() -> None:
        await peer.say(b'{"id":0,"result":["')
        while True:
            await peer.say(b"x")
            await asyncio.sleep(0.01)

    task = asyncio.create_task(dribble())
    with pytest.raises(DeadlineExceeded, match=r"no answer within 0\.3 s"):
        await session.request_patiently("x", (), silence=0.1, longest=0.3)
    task.cancel()
    await session.aclose()


async def test_patient_call_learns_of_the_end_at_once(peer: Peer) -> None:
    session = await peer.connected()
    asking = asyncio.create_task(session.request_patiently("x", (), silence=30, longest=60))
    await peer.hear()
    assert peer.conversation is not None
    peer.conversation.close()
    with pytest.raises(ConnectionLost):
        await asking


async def test_calls_wait_for_room_and_not_for_ever(peer: Peer) -> None:
    """A peer that reads nothing: the first calls fill the socket, the next must not queue without bound."""
    session = await peer.connected()
    with pytest.raises(DeadlineExceeded):
        await session.request("x", ("x" * (4 << 20),), timeout=0.02)
    with pytest.raises(DeadlineExceeded, match="has read nothing"):
        await session.request("x", (), timeout=0.02)
    await session.aclose()
    assert session.closed.done()


async def test_without_a_listener_for_notifications_they_are_dropped(peer: Peer) -> None:
    session = JsonRpcSession(peer.address, max_bytes=1 << 20, refusal=lambda error: RequestRefused(str(error)))
    await session.open(timeout=5)
    peer.conversation, _ = await asyncio.get_running_loop().sock_accept(peer.listener)
    await peer.say(b'{"id":null,"method":"a","params":[1]}')
    asking = asyncio.create_task(session.request("x", (), timeout=10))
    await peer.hear()
    await peer.say(b'{"id":0,"result":[],"error":null}')
    assert bytes(await asking) == b"[]"
    await session.aclose()
