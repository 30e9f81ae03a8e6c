"""A session with peers that are not a good switch: a typed error, bounded memory, and nothing left over."""

from __future__ import annotations

import asyncio
import struct
from contextlib import aclosing

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, ProtocolError
from ovsnet.openflow import connect
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow.message import MessageType, pack_message, stats_request_type
from ovsnet.protocol.openflow.multipart import MultipartKind
from tests.openflow.peers import HELLO, Peer, read_message, says
from tests.patience import PATIENCE

MULTIPART_REPLY = stats_request_type(6) + 1
FLOW = struct.pack("!H2xBxHHHHHQ", 40, 0, 0, 0, 0, 0, 0, 0) + struct.pack("!HH4x", 1, 4) + struct.pack("!HH4x", 0, 4)
"""One of 1.5, without a field or an action."""


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b'{"method":"echo","params":[],"id":"echo"}',
        b"\0" * 8,
        bytes.fromhex("0600000700000000"),
        bytes.fromhex("0605000800000001"),
        b"\xff" * 65536,
    ],
    ids=["HTTP", "JSON-RPC", "zeros", "short length", "no HELLO first", "ones"],
)
async def test_peer_that_is_no_switch_is_a_protocol_error(peer: Peer, data: bytes) -> None:
    address = await peer(says(data))
    with pytest.raises(ProtocolError):
        await connect(address, timeout=PATIENCE)


@pytest.mark.parametrize("data", [b"", HELLO[:1], HELLO[:7]], ids=["nothing", "one byte", "most of HELLO"])
async def test_silent_peer_is_late_and_the_connection_is_given_back(peer: Peer, data: bytes) -> None:
    ended = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        while await reader.read(65536):
            pass
        ended.set()

    address = await peer(behave)
    with pytest.raises(DeadlineExceeded):
        await connect(address, timeout=PATIENCE, patience=0.05)
    await ended.wait()


@pytest.mark.parametrize("data", [b"", HELLO[:7]])
async def test_peer_that_closes_before_hello_is_lost(peer: Peer, data: bytes) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    address = await peer(behave)
    with pytest.raises(ConnectionLost):
        await connect(address, timeout=PATIENCE)


async def test_peer_that_half_closes_in_an_answer_is_lost(peer: Peer) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        await read_message(reader)
        writer.write(pack_message(6, MessageType.ECHO_REPLY, 1, b"12345678")[:12])
        writer.write_eof()
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        with pytest.raises(ConnectionLost, match="after 12 bytes of a message"):
            await switch.echo(b"12345678", timeout=PATIENCE)


async def test_peer_that_dribbles_is_understood(peer: Peer) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in HELLO + pack_message(6, MessageType.ECHO_REPLY, 1, b"ok"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        waiting = asyncio.create_task(switch.echo(timeout=PATIENCE))
        assert await waiting >= 0


async def test_echo_request_of_the_switch_is_answered(peer: Peer) -> None:
    """Or the switch would end the session (rconn.c, its inactivity probe)."""
    answer: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO + pack_message(6, MessageType.ECHO_REQUEST, 0, b"alive?"))
        await read_message(reader)
        answer.set_result(await read_message(reader))
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE):
        assert await answer == wire.Message(6, MessageType.ECHO_REPLY, 0, b"alive?")


async def test_messages_that_nobody_asked_for_disturb_nobody(peer: Peer) -> None:
    packet_in, port_status = 10, 12

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        request = await read_message(reader)
        for kind in (packet_in, port_status, MessageType.ERROR, MessageType.ECHO_REPLY):
            writer.write(pack_message(6, kind, 0xFFFF, struct.pack("!HH12x", 1, 5)))
        writer.write(pack_message(6, MessageType.ECHO_REPLY, request.xid))
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        assert await switch.echo(timeout=PATIENCE) > 0


async def test_answer_of_another_kind_is_a_protocol_error(peer: Peer) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        request = await read_message(reader)
        writer.write(pack_message(6, MessageType.ECHO_REPLY, request.xid))
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        with pytest.raises(ProtocolError):
            await switch.features(timeout=PATIENCE)


async def test_reply_without_end_is_cut_off(peer: Peer) -> None:
    """A multipart reply whose parts always promise more, 64 KiB each, for as long as we read."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        request = await read_message(reader)
        part = pack_message(6, 19, request.xid, struct.pack("!HH4x", 3, 1) + bytes(65512))
        while True:
            writer.write(part)
            await writer.drain()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        with pytest.raises(ProtocolError, match="hold more than"):
            await switch.tables(timeout=PATIENCE)
        assert isinstance(await switch.closed, ProtocolError)


@pytest.mark.parametrize("how", ["left", "cancelled"])
async def test_rest_of_a_dump_that_was_left_is_no_flood(peer: Peer, how: str) -> None:
    """However long it is: we asked for it. More messages than a peer may push come after the reader has gone."""
    gone = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        request = await read_message(reader)
        part = struct.pack("!HH4x", MultipartKind.FLOW, 1)
        more = pack_message(6, MULTIPART_REPLY, request.xid, part + FLOW)
        writer.write(more)
        await gone.wait()
        for _ in range(30):
            writer.write(more * 1000)
            await writer.drain()
        writer.write(pack_message(6, MULTIPART_REPLY, request.xid, struct.pack("!HH4x", 1, 0)))
        echo = await read_message(reader)
        writer.write(pack_message(6, MessageType.ECHO_REPLY, echo.xid))
        await reader.read()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        if how == "left":
            async with aclosing(switch.flows(timeout=PATIENCE)) as flows:
                await anext(flows)
        else:
            flows = switch.flows(timeout=PATIENCE)
            await anext(flows)
            task = asyncio.ensure_future(anext(flows))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        gone.set()
        await switch.echo(timeout=PATIENCE)
        assert not switch._replies


async def test_flood_of_echo_requests_from_a_peer_that_does_not_read_is_cut_off(peer: Peer) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HELLO)
        request = pack_message(6, MessageType.ECHO_REQUEST, 0, bytes(65000))
        while True:
            writer.write(request)
            await writer.drain()

    async with connect(await peer(behave), timeout=PATIENCE) as switch:
        end = await switch.closed
        assert isinstance(end, ProtocolError)
        assert "reads none of our answers" in str(end)


async def test_connect_that_is_cancelled_gives_the_connection_back(peer: Peer) -> None:
    accepted, ended = asyncio.Event(), asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        while await reader.read(65536):
            pass
        ended.set()

    connecting = asyncio.ensure_future(connect(await peer(behave), timeout=PATIENCE))
    await accepted.wait()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await ended.wait()
