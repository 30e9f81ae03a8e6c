"""Flows that are watched: on a real switch in each version that it speaks, and on peers that are not a good switch."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ovsnet import openflow
from ovsnet.errors import ConnectionLost, OpenFlowRefused, ProtocolError, UsageError
from ovsnet.openflow import FlowChanges, Version
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow.message import MessageType, pack_message
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from tests.openflow.peers import HELLO, Peer, read_message
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VERSIONS = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.name)


@pytest.fixture
async def switch_node() -> AsyncIterator[Sandbox]:
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        await ofctl(node, "del-flows")
        yield node


def mgmt(node: Sandbox) -> str:
    return f"unix:{node.rundir / 'br-int.mgmt'}"


async def ofctl(node: Sandbox, command: str, *arguments: str) -> str:
    return await node.run("ovs-ofctl", "-O", "OpenFlow13", command, mgmt(node), *arguments)


async def next_changes(monitor: AsyncGenerator[FlowChanges, None]) -> list[str]:
    """The next that are some."""
    async for changes in monitor:
        assert changes.complete
        if changes:
            return list(map(str, changes))
    raise AssertionError


@VERSIONS
async def test_flows_that_are_there_and_each_change_of_them(switch_node: Sandbox, version: Version) -> None:
    await ofctl(switch_node, "add-flow", "table=1,ip,actions=output:1")
    async with (
        openflow.connect(mgmt(switch_node), versions=frozenset({version}), timeout=PATIENCE) as switch,
        asyncio.timeout(PATIENCE),
    ):
        async with aclosing(switch.flow_monitor(timeout=PATIENCE)) as monitor:
            assert await next_changes(monitor) == ["initial: table=1, ip actions=output:1"]
            await ofctl(switch_node, "add-flow", "table=2,cookie=7,tcp,idle_timeout=60,actions=drop")
            assert await next_changes(monitor) == ["added: cookie=0x7, table=2, idle_timeout=60, tcp actions=drop"]
            await ofctl(switch_node, "mod-flows", "table=1,ip,actions=output:2")
            assert await next_changes(monitor) == ["modified: table=1, ip actions=output:2"]
            await ofctl(switch_node, "del-flows", "table=1,ip")
            assert await next_changes(monitor) == ["removed (delete): table=1, ip actions=output:2"]
            with pytest.raises(UsageError):
                await anext(switch.flow_monitor(timeout=PATIENCE))
        assert await switch.echo(timeout=PATIENCE) > 0
        await ofctl(switch_node, "add-flow", "table=1,actions=drop")
        async with aclosing(switch.flow_monitor(table=2, timeout=PATIENCE)) as monitor:
            assert await next_changes(monitor) == ["initial: cookie=0x7, table=2, idle_timeout=60, tcp actions=drop"]
            await ofctl(switch_node, "del-flows", "table=1")
            await ofctl(switch_node, "del-flows")
            (gone,) = await next_changes(monitor)
            assert gone.startswith("removed (delete): cookie=0x7, table=2")


@VERSIONS
async def test_bridge_without_flows_says_so_and_a_lost_one_why(switch_node: Sandbox, version: Version) -> None:
    async with (
        openflow.connect(mgmt(switch_node), versions=frozenset({version}), timeout=PATIENCE) as switch,
        asyncio.timeout(PATIENCE),
        aclosing(switch.flow_monitor(timeout=PATIENCE)) as monitor,
    ):
        first = await anext(monitor)
        assert (len(first), first.complete) == (0, True)
        await switch_node.stop("ovs-vswitchd")
        with pytest.raises(ConnectionLost):
            await next_changes(monitor)


@pytest.mark.heavy
@VERSIONS
async def test_switch_pauses_for_a_reader_that_is_late_and_catches_up(switch_node: Sandbox, version: Version) -> None:
    """As OVS's own test "flow monitoring pause and resume" does it (tests/ofproto.at)."""
    many = 8_000
    rules = "".join(f"cookie=1,reg1={number},actions=drop\n" for number in range(many))
    known: dict[str, str] = {}
    pauses: list[bool] = []
    async with (
        openflow.connect(mgmt(switch_node), versions=frozenset({version}), timeout=PATIENCE) as switch,
        asyncio.timeout(PATIENCE),
        aclosing(switch.flow_monitor(timeout=PATIENCE)) as monitor,
    ):
        assert (await anext(monitor)).complete
        # The loop does not turn meanwhile, so that nothing is read.
        ofctl_at_once(switch_node, "add-flows", rules)
        ofctl_at_once(switch_node, "add-flows", "in_port=1,actions=drop\n")
        ofctl_at_once(switch_node, "del-flows", "reg1=0\n")
        async for changes in monitor:
            for change in changes:
                key = change.flow.match_text
                if change.change == "removed":
                    assert known.pop(key) == change.flow.rule
                else:
                    known[key] = change.flow.rule
            if not pauses or pauses[-1] is not changes.complete:
                pauses.append(changes.complete)
            if pauses == [True, False, True] and "in_port=1" in known:
                break
        assert set(known.values()) == {rule.rule async for rule in plain_flows(switch_node)}
        assert len(known) == many


def ofctl_at_once(node: Sandbox, command: str, flows: str) -> None:
    program = str(binaries.find().path("ovs-ofctl"))
    argv = [program, "-O", "OpenFlow13", command, mgmt(node), "-"]
    subprocess.run(argv, input=flows.encode(), env=binaries.find().environment(), check=True)


async def plain_flows(node: Sandbox) -> AsyncGenerator[openflow.Flow, None]:
    async with openflow.connect(mgmt(node), versions=frozenset({Version.OF13}), timeout=PATIENCE) as switch:
        async for flow in switch.flows(timeout=PATIENCE):
            yield flow


async def test_refused_monitor_leaves_nothing_behind(peer: Peer) -> None:
    asked: asyncio.Queue[wire.Message] = asyncio.Queue()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        while True:
            request = await read_message(reader)
            asked.put_nowait(request)
            if request.type == 18:
                writer.write(pack_message(6, MessageType.ERROR, request.xid, bytes.fromhex("0001 0002")))
            else:
                writer.write(pack_message(6, request.type + 1, request.xid, request.body))

    async with openflow.connect(await peer(behave), timeout=PATIENCE) as switch:
        for _ in range(2):
            with pytest.raises(OpenFlowRefused, match="OFPBRC_BAD_STAT"):
                await anext(switch.flow_monitor(timeout=PATIENCE))
        with pytest.raises(UsageError):
            await anext(switch.flow_monitor(table=256, timeout=PATIENCE))
        assert await switch.echo(timeout=PATIENCE) > 0
        assert [(await asked.get()).type for _ in range(asked.qsize())] == [
            20,
            18,
            20,
            18,
            20,
            MessageType.ECHO_REQUEST,
        ]


ADDED = bytes.fromhex("0020 0001 00 00 0000 0000 8000 00000000 0000000000000000 0001 0004 00000000")


async def test_changes_that_nobody_takes_end_the_monitor_and_not_the_session(peer: Peer) -> None:
    change = bytes.fromhex("fde0") + ADDED[2:] + bytes(0xFDE0 - len(ADDED))
    update = pack_message(6, 19, 0, bytes.fromhex("0010 0000 00000000") + change)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        while request := await read_message(reader):
            writer.write(pack_message(6, request.type + 1, request.xid, request.body[:8]))
            if request.type == 18 and len(request.body) == 32 and not request.body[23]:
                for _ in range(1100):
                    writer.write(update)
                    await writer.drain()

    async with openflow.connect(await peer(behave), timeout=PATIENCE) as switch, asyncio.timeout(PATIENCE):
        async with aclosing(switch.flow_monitor(timeout=PATIENCE)) as monitor:
            assert (await anext(monitor)).complete
            await switch.echo(timeout=PATIENCE)
            with pytest.raises(ProtocolError, match="faster than they are read"):
                await read_on(monitor)
        assert await switch.echo(timeout=PATIENCE) > 0


async def read_on(monitor: AsyncGenerator[FlowChanges, None]) -> None:
    async for changes in monitor:
        assert len(changes) == 1


async def test_many_changes_at_once_are_no_flood(peer: Peer) -> None:
    many = 30_000
    update = pack_message(6, 19, 0, bytes.fromhex("0010 0000 00000000") + ADDED)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await read_message(reader)
        for _ in range(2):
            request = await read_message(reader)
            writer.write(pack_message(6, request.type + 1, request.xid, request.body[:8]))
        writer.write(update * many)
        await reader.read()

    async with (
        openflow.connect(await peer(behave), timeout=PATIENCE) as switch,
        asyncio.timeout(PATIENCE),
        aclosing(switch.flow_monitor(timeout=PATIENCE)) as monitor,
    ):
        came = 0
        async for changes in monitor:
            came += len(changes)
            if came == many:
                break
