"""A reader of ports hears of each difference once, whatever became of the connections: the rule itself, then a client
whose connections break, and a switch that refuses."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ovsnet import openflow
from ovsnet.errors import ConnectionLost, OpenFlowRefused
from ovsnet.openflow import Client, Port, PortChange
from ovsnet.openflow.port_picture import PortPicture
from ovsnet.protocol.openflow.message import MessageType, pack_message
from ovsnet.sandbox.node import Sandbox
from tests.openflow.peers import HELLO, Peer, read_message
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def port(number: int, state: int = 0) -> Port:
    return Port(number, f"p{number}", "02:00:00:00:00:01", 0, state)


def heard(changes: list[PortChange]) -> list[tuple[str, int, int]]:
    return [(each.change, each.port.number, each.port.state) for each in changes]


def test_difference_to_what_was_known() -> None:
    picture = PortPicture([port(1), port(2), port(3)])
    assert heard(picture.difference([port(2, 1), port(3), port(4)])) == [
        ("deleted", 1, 0),
        ("modified", 2, 1),
        ("added", 4, 0),
    ]
    assert not picture.difference([port(2, 1), port(3), port(4)])


def test_change_that_is_known_is_none() -> None:
    """The switch has said it before it listed the ports, or will yet."""
    picture = PortPicture([port(1)])
    assert not picture.changed(PortChange("added", port(1)))
    assert not picture.changed(PortChange("modified", port(1)))
    assert not picture.changed(PortChange("deleted", port(2)))
    assert heard(picture.changed(PortChange("added", port(1, 1)))) == [("modified", 1, 1)]
    assert heard(picture.changed(PortChange("modified", port(2)))) == [("added", 2, 0)]
    assert heard(picture.changed(PortChange("deleted", port(1)))) == [("deleted", 1, 0)]


@pytest.fixture
async def switch_node() -> AsyncIterator[Sandbox]:
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        yield node


async def test_client_goes_on_in_its_next_connection(switch_node: Sandbox) -> None:
    async def vsctl(*arguments: str) -> None:
        await switch_node.run("ovs-vsctl", *arguments)

    async def until(change: str, name: str) -> None:
        """A port that comes may change before it is ready."""
        async for each in changes:
            assert (each.port.name in known) is (each.change != "added")
            (known.discard if each.change == "deleted" else known.add)(each.port.name)
            if (each.change, each.port.name) == (change, name):
                return
        raise AssertionError

    dummy = ("--", "set", "interface")
    async with (
        Client(f"unix:{switch_node.rundir / 'br-int.mgmt'}") as client,
        asyncio.timeout(PATIENCE),
        aclosing(client.port_changes(timeout=PATIENCE)) as changes,
    ):
        known = {each.name for each in await client.ports(timeout=PATIENCE)}
        coming = asyncio.create_task(until("added", "a"))
        while (await client.config(timeout=PATIENCE)).miss_send_len == 0:  # noqa: ASYNC110 - the switch has heard
            await asyncio.sleep(0)
        await vsctl("add-port", "br-int", "a", *dummy, "a", "type=dummy")
        await coming
        session = await client.connected(timeout=PATIENCE)
        session.channel.abort(ConnectionLost("It is cut here."))
        await vsctl("del-port", "a", "--", "add-port", "br-int", "b", *dummy, "b", "type=dummy")
        await until("added", "b")
        await switch_node.stop("ovs-vswitchd")
        await switch_node.run("ovs-vsctl", "--no-wait", "del-port", "b")
        await switch_node.start("ovs-vswitchd")
        await until("deleted", "b")
        assert "a" not in known
        assert client.session is not session
        ending = asyncio.create_task(until("added", "never"))
        await client.aclose()
        with pytest.raises(AssertionError):
            await ending


@pytest.mark.parametrize("kept", [False, True])
async def test_refusal_is_raised(peer: Peer, kept: bool) -> None:
    """Of a switch that has no such request nothing would ever come."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        while True:
            asked = await read_message(reader)
            match asked.type:
                case MessageType.GET_CONFIG_REQUEST:
                    writer.write(pack_message(6, asked.type + 1, asked.xid, bytes(4)))
                case 18:  # the ports: there are none
                    writer.write(pack_message(6, asked.type + 1, asked.xid, asked.body[:2] + bytes(6)))
                case MessageType.EXPERIMENTER:
                    writer.write(pack_message(6, MessageType.ERROR, asked.xid, bytes.fromhex("0001 0003")))
                case 20:  # a barrier
                    writer.write(pack_message(6, 21, asked.xid))

    async def first(switch: openflow.Session | Client) -> PortChange:
        async with aclosing(switch.port_changes(timeout=PATIENCE)) as changes:
            return await anext(changes)

    address = await peer(behave)
    way = Client(address) if kept else openflow.connect(address, timeout=PATIENCE)
    async with way as switch, asyncio.timeout(PATIENCE):
        with pytest.raises(OpenFlowRefused):
            await first(switch)
        assert await switch.config(timeout=PATIENCE)
