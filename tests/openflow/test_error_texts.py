"""Every error of a peer is a sentence that names the peer: OpenFlow's and unixctl's. Only a flow does not know whose it
is; it says which flow it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ovsnet import openflow, unixctl
from ovsnet.errors import ConnectError, ConnectionLost, DeadlineExceeded, PeerError
from ovsnet.io.address import Address
from ovsnet.openflow import Client, Flow, OpenFlowProtocolError, Session, Version
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow.message import MessageType, pack_message
from tests.openflow.peers import HELLO, Behave, Peer, read_message, says
from tests.patience import PATIENCE


def is_whole(error: BaseException, address: Address) -> bool:
    text = str(error)
    return str(address) in text and text.endswith(".") and not text.endswith("..") and "\n" not in text


async def ends_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HELLO[:3])


NO_SWITCHES: dict[str, Behave] = {
    "another protocol": says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a short length": says(bytes.fromhex("0600000700000000")),
    "an end": ends_at_once,
    "no common version": says(wire.hello(frozenset({Version.OF10}))),
}


@pytest.mark.parametrize("behave", NO_SWITCHES.values(), ids=NO_SWITCHES)
async def test_what_is_no_switch_is_named(peer: Peer, behave: Behave) -> None:
    address = await peer(behave)
    with pytest.raises(PeerError) as caught:
        await openflow.connect(address, versions=frozenset({Version.OF15}), timeout=PATIENCE)
    assert is_whole(caught.value, address)


async def test_silence_is_named(peer: Peer) -> None:
    address = await peer(says(b""))
    with pytest.raises(DeadlineExceeded) as caught:
        await openflow.connect(address, timeout=PATIENCE, patience=0.05)
    assert is_whole(caught.value, address)


async def all_of(found: AsyncIterator[object]) -> None:
    async for each in found:
        str(each)


def asking(name: str) -> Callable[[Session], Awaitable[object]]:
    def ask(switch: Session) -> Awaitable[object]:
        answer: Awaitable[object] = getattr(switch, name)(timeout=PATIENCE)
        return answer

    return ask


PLAIN = (
    *("features", "desc", "ports", "tables", "aggregate", "config", "role", "port_stats", "queue_stats"),
    *("groups", "group_stats", "meters", "meter_stats", "meter_features"),
)
QUESTIONS: dict[str, Callable[[Session], Awaitable[object]]] = {name: asking(name) for name in PLAIN} | {
    "flows": lambda switch: all_of(switch.flows(timeout=PATIENCE)),
    "flow_monitor": lambda switch: all_of(switch.flow_monitor(timeout=PATIENCE)),
    "port_changes": lambda switch: all_of(switch.port_changes(timeout=PATIENCE)),
}


def wrong_entries(asked: wire.Message) -> bytes:
    body = asked.body[:4] + bytes(4) + b"\0\3\1" if asked.type == 18 else b"\0\3\1"
    return pack_message(6, asked.type + 1, asked.xid, body)


ANSWERS: dict[str, Callable[[wire.Message], bytes]] = {
    "three bytes": lambda asked: pack_message(6, asked.type + 1, asked.xid, b"\0\0\0"),
    "another type": lambda asked: pack_message(6, MessageType.ECHO_REPLY, asked.xid),
    "a refusal": lambda asked: pack_message(6, MessageType.ERROR, asked.xid, bytes.fromhex("0001 0002")),
    "half a message": lambda asked: pack_message(6, asked.type + 1, asked.xid, bytes(64))[:20],
    "wrong entries": wrong_entries,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_wrong_answer_is_named(
    peer: Peer, question: Callable[[Session], Awaitable[object]], answer: Callable[[wire.Message], bytes]
) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        asked = await read_message(reader)
        if asked.type == 20:  # the barrier before a monitor
            writer.write(pack_message(6, 21, asked.xid))
            asked = await read_message(reader)
        writer.write(answer(asked))

    address = await peer(behave)
    async with openflow.connect(address, timeout=PATIENCE) as switch, asyncio.timeout(PATIENCE):
        with pytest.raises(PeerError) as caught:
            await question(switch)
        assert is_whole(caught.value, address)
        assert is_whole(await switch.closed, address)


async def test_client_names_its_switch(peer: Peer) -> None:
    address = await peer(says(b""))
    client = Client(address)
    with pytest.raises(DeadlineExceeded) as late:
        await client.echo(timeout=0.01)
    idle = Client(address, wait=False)
    with pytest.raises(ConnectionLost) as unconnected:
        await idle.echo()
    client.start()
    await client.aclose()
    with pytest.raises(ConnectionLost) as closed:
        await client.echo()
    assert all(is_whole(each.value, address) for each in (late, unconnected, closed))
    gone = Address.unix("/nowhere")
    with pytest.raises(ConnectError) as missing:
        await openflow.connect(gone)
    assert is_whole(missing.value, gone)


def test_flow_that_cannot_be_read_says_which_it_is() -> None:
    flow = Flow(6, 3, 5, 7, 0, 0, None, None, 0, 0, 0, 0, b"\0", b"\0\0\0\0")
    for what in ("match", "actions"):
        with pytest.raises(OpenFlowProtocolError, match=rf"^The switch sent a flow \(table 3, .*\) whose {what} .*\.$"):
            getattr(flow, what)


CONTROLS: dict[str, bytes] = {
    "a refusal": b'{"id":0,"result":null,"error":"\\"x\\" is not a valid command\\n"}',
    "no words": b'{"id":0,"result":null,"error":""}',
    "no text": b'{"id":0,"result":7,"error":null}',
    "no JSON": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "half": b'{"id":0,"resu',
    "an end": b"",
}


@pytest.mark.parametrize("sent", CONTROLS.values(), ids=CONTROLS)
async def test_daemon_is_named(peer: Peer, sent: bytes) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(sent)

    address = await peer(behave)
    async with await unixctl.connect(address, timeout=PATIENCE) as session:
        with pytest.raises(PeerError) as caught:
            await session.call("version", timeout=PATIENCE)
        assert is_whole(caught.value, address)
        assert is_whole(await session.closed, address)
