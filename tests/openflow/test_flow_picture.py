"""A reader of flows hears of each difference once, whatever became of the connections: the rule itself, then a client
whose connections break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, SocketMissing
from ovsnet.openflow import Client, FlowChange, FlowChanges
from ovsnet.openflow.flow_changes import FlowPicture
from ovsnet.protocol.openflow import Flow
from ovsnet.protocol.openflow.message import pack_message
from ovsnet.sandbox.node import Sandbox
from tests.openflow.peers import HELLO, Peer, read_message
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def flow(table: int, cookie: int = 0) -> Flow:
    return Flow(6, table, 1, cookie, 0, 0, None, None, 0, 0, 0, 0, b"", b"")


def said(change: str, flows: Iterable[Flow], *, complete: bool = True) -> FlowChanges:
    return FlowChanges([FlowChange(change, each) for each in flows], complete=complete)


def heard(changes: FlowChanges) -> list[tuple[str, int, int]]:
    return [(each.change, each.flow.table_id, each.flow.cookie) for each in changes]


def test_first_connection_is_told_as_it_is() -> None:
    picture = FlowPicture()
    assert not picture.connected(6)
    assert heard(picture.changed(said("initial", [flow(1), flow(2)], complete=False))) == [
        ("initial", 1, 0),
        ("initial", 2, 0),
    ]
    assert not picture.begun
    last = picture.changed(FlowChanges([], complete=True, abbreviated=(7,)))
    assert (last.complete, last.abbreviated, picture.begun) == (True, (7,), True)
    assert heard(picture.changed(said("added", [flow(3)]))) == [("added", 3, 0)]
    assert heard(picture.changed(said("removed", [flow(1)]))) == [("removed", 1, 0)]
    assert repr(last) == "<0 changes of flows, complete>"
    assert last[:] == []


def test_flow_that_replaces_another_has_changed() -> None:
    """Open vSwitch says "added" of it, as of one that was not there."""
    picture = FlowPicture()
    picture.connected(6)
    picture.changed(said("initial", [flow(1)]))
    assert heard(picture.changed(said("added", [flow(1, 5), flow(2)]))) == [("modified", 1, 5), ("added", 2, 0)]
    picture.changed(said("removed", [flow(1, 5)]))
    assert heard(picture.changed(said("added", [flow(1)]))) == [("added", 1, 0)]


def test_next_connection_gives_the_difference() -> None:
    picture = FlowPicture()
    picture.connected(6)
    picture.changed(said("initial", [flow(1), flow(2), flow(3)]))
    assert not picture.connected(6)
    assert heard(picture.changed(said("initial", [flow(1), flow(2, 9)], complete=False))) == [("modified", 2, 9)]
    assert not picture.connected(6)
    assert heard(picture.changed(said("initial", [flow(1), flow(2, 9)], complete=False))) == []
    assert heard(picture.changed(said("initial", [flow(4)]))) == [("added", 4, 0), ("removed", 3, 0)]
    assert heard(picture.changed(said("modified", [flow(1, 1)]))) == [("modified", 1, 1)]


def test_flow_that_goes_while_the_others_come_goes_once() -> None:
    picture = FlowPicture()
    picture.connected(6)
    picture.changed(said("initial", [flow(1)]))
    picture.connected(6)
    assert heard(picture.changed(said("removed", [flow(1)], complete=False))) == [("removed", 1, 0)]
    assert heard(picture.changed(said("initial", []))) == []


def test_another_version_begins_with_nothing() -> None:
    picture = FlowPicture()
    picture.connected(6)
    picture.changed(said("initial", [flow(1)]))
    gone = picture.connected(5)
    assert (heard(gone), gone.complete) == ([("removed", 1, 0)], False)
    assert heard(picture.changed(said("initial", [flow(1)]))) == [("added", 1, 0)]


@pytest.fixture
async def switch_node() -> AsyncIterator[Sandbox]:
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        await node.run("ovs-ofctl", "del-flows", mgmt(node))
        yield node


def mgmt(node: Sandbox) -> str:
    return f"unix:{node.rundir / 'br-int.mgmt'}"


class Reader:
    """Follows a monitor, and holds it to this: a flow comes before it changes or goes, and comes once."""

    def __init__(self, monitor: AsyncGenerator[FlowChanges, None]) -> None:
        self.rules: dict[str, str] = {}
        self.breaks = 0
        self._monitor = monitor

    async def until(self, rules: set[str]) -> None:
        """Return when that is all there is."""
        async for changes in self._monitor:
            self.breaks += not changes and not changes.complete
            for change in changes:
                key = f"{change.flow.table_id} {change.flow.match_text}"
                assert (key in self.rules) is (change.change in ("modified", "removed"))
                self.rules[key] = change.flow.rule
                if change.change == "removed":
                    del self.rules[key]
            if changes.complete and set(self.rules.values()) == rules:
                return
        raise AssertionError


async def test_client_goes_on_in_its_next_connection(switch_node: Sandbox) -> None:
    async def ofctl(*arguments: str) -> None:
        await switch_node.run("ovs-ofctl", arguments[0], mgmt(switch_node), *arguments[1:])

    await ofctl("add-flow", "table=1,actions=drop")
    await ofctl("add-flow", "table=2,actions=drop")
    async with (
        Client(mgmt(switch_node)) as client,
        asyncio.timeout(PATIENCE),
        aclosing(client.flow_monitor(timeout=PATIENCE)) as monitor,
    ):
        reader = Reader(monitor)
        await reader.until({"table=1, actions=drop", "table=2, actions=drop"})
        session = await client.connected(timeout=PATIENCE)
        session.channel.abort(ConnectionLost("It is cut here."))
        for change in (
            ("del-flows", "table=1"),
            ("mod-flows", "table=2,actions=output:1"),
            ("add-flow", "table=3,ip,actions=1"),
        ):
            await ofctl(*change)
        await reader.until({"table=2, actions=output:1", "table=3, ip actions=output:1"})
        assert reader.breaks == 1
        await switch_node.restart("ovs-vswitchd")
        await reader.until({"priority=0 actions=NORMAL"})
        await ofctl("add-flow", "table=3,ip,actions=1")
        await reader.until({"priority=0 actions=NORMAL", "table=3, ip actions=output:1"})
        assert client.session is not session


async def test_end_of_the_client_ends_the_loop(switch_node: Sandbox) -> None:
    client = Client(mgmt(switch_node))
    client.start()
    monitor = client.flow_monitor(timeout=PATIENCE)
    assert (await anext(monitor)).complete
    await client.aclose()
    async with asyncio.timeout(PATIENCE):
        assert [changes.complete async for changes in monitor] == [False]


async def test_first_answer_has_a_deadline(tmp_path: Path) -> None:
    path = f"unix:{tmp_path / 'none'}"
    async with Client(path) as client:
        with pytest.raises(DeadlineExceeded):
            await anext(client.flow_monitor(timeout=0.01))
    async with Client(path, wait=False) as client:
        await client.until("waiting", timeout=PATIENCE)
        with pytest.raises(SocketMissing):
            await anext(client.flow_monitor())


async def test_answer_that_is_late_is_asked_for_again_once_all_flows_have_come(peer: Peer) -> None:
    connections: list[asyncio.StreamWriter] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        late = len(connections) > 1
        writer.write(HELLO)
        await read_message(reader)
        while request := await read_message(reader):
            if not late:
                writer.write(pack_message(6, request.type + 1, request.xid, request.body[:8]))
            late = False

    async with Client(await peer(behave), probe=None) as client, asyncio.timeout(PATIENCE):
        monitor = await begun(client)
        connections[0].close()
        incomplete = 0
        while not (await anext(monitor)).complete:
            incomplete += 1
        assert incomplete >= 2, "once for the connection, and once for the answer"
        await monitor.aclose()


async def begun(client: Client) -> AsyncGenerator[FlowChanges, None]:
    """A monitor whose flows have all come, over a busy host, too."""
    while True:
        monitor = client.flow_monitor(timeout=0.05)
        try:
            assert (await anext(monitor)).complete
        except DeadlineExceeded:
            continue
        return monitor
