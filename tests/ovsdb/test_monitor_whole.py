"""A monitor's word can be taken: what is told is whole and is told once, and a copy that is not kept up says so."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, UsageError
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb import Change, Changes, Session, connect
from ovsnet.ovsdb import monitor as monitor_module
from ovsnet.ovsdb.errors import CallbackRaised, UnknownMonitor
from ovsnet.ovsdb.monitor_methods import RawTables
from ovsnet.ovsdb.operations import Operation, delete, insert, update
from ovsnet.ovsdb.replica import Replica
from ovsnet.ovsdb.snapshot import changes_in
from tests.ovsdb.raising import WHAT_CALLBACKS_RAISE
from tests.ovsdb.turns import counted_turns
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb import Monitor
    from ovsnet.ovsdb.schema import Schema
    from tests.ovsdb.conftest import Handler, Serve, Server

    Answering = Callable[[dict[str, Any]], Handler]

SB, NB, OVS = "OVN_Southbound", "OVN_Northbound", "Open_vSwitch"
LARGE = 1500
"""Rows of a transaction whose update is prepared in steps."""


def flows(count: int, match: str = "x" * 200) -> list[Operation]:
    fields = {"pipeline": "ingress", "table_id": 3, "priority": 50, "actions": "next;"}
    return [insert("Logical_Flow", {**fields, "match": f"{number:08d}{match}"}) for number in range(count)]


async def settled(monitor: Monitor, session: Session) -> None:
    await session.echo(timeout=PATIENCE)
    await monitor._idle.wait()


async def test_cut_inside_a_message_is_gone_on_from(clustered: Server, serve: Serve) -> None:
    """A proxy ends the connection in the middle of an update: it was never applied, and so nothing is fetched twice."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down, up = await asyncio.open_unix_connection(clustered.path)

        async def forward() -> None:
            while data := await reader.read(1 << 16):
                up.write(data)

        task = asyncio.create_task(forward())
        while data := await down.read(1 << 16):
            if b'"update3"' in data:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                break
            writer.write(data)
        writer.close()
        task.cancel()
        up.close()

    address = await serve(cut)
    async with connect(clustered.address) as writing:
        await writing.transact(NB, *(insert("Address_Set", {"name": str(number)}) for number in range(50)))
        async with connect(address) as first:
            old = await first.monitor(NB, {"Logical_Switch": ["name"]})
            await writing.transact(NB, insert("Logical_Switch", {"name": "a"}))
            assert isinstance(await asyncio.wait_for(old.closed, PATIENCE), ConnectionLost)
        new = await writing.monitor(NB, {"Logical_Switch": ["name"]}, since=old)
    assert new.resumed
    assert [row["name"] for row in new.tables["Logical_Switch"].values()] == ["a"]


@pytest.mark.parametrize("raised", WHAT_CALLBACKS_RAISE, ids=lambda raised: type(raised).__name__)
@pytest.mark.parametrize("rows", [1, LARGE])
async def test_callback_that_raises_ends_the_monitor(session: Session, rows: int, raised: BaseException) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    told = 0

    def raise_at_rows(changes: Changes) -> None:
        nonlocal told
        told += 1
        raise raised

    monitor = await session.monitor(SB, {"Logical_Flow": None}, on_change=raise_at_rows)
    assert monitor.synced
    await session.transact(SB, *flows(rows), timeout=PATIENCE)
    error = await asyncio.wait_for(monitor.closed, PATIENCE)
    assert isinstance(error, CallbackRaised)
    assert error.__cause__ is raised
    assert not monitor.synced
    await session.transact(SB, delete("Logical_Flow"), timeout=PATIENCE)
    await session.echo(timeout=PATIENCE)
    assert told == 1
    assert len(reported) == 1


@pytest.mark.parametrize("raised", WHAT_CALLBACKS_RAISE, ids=lambda raised: type(raised).__name__)
async def test_callback_that_raises_at_the_first_rows(session: Session, raised: BaseException) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    def fail(changes: Changes) -> None:
        raise raised

    await session.transact(SB, *flows(1), timeout=PATIENCE)
    with pytest.raises(CallbackRaised, match="no"):
        await session.monitor(SB, {"Logical_Flow": None}, on_change=fail)
    assert len(reported) == 1
    await after_next_poll()
    assert not session._monitors


async def test_nothing_is_told_after_the_end(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large update is prepared when the monitor is cancelled."""
    preparing, over = asyncio.Event(), asyncio.Event()

    async def prepare(replica: Replica, tables: RawTables, most_row: int | None) -> list[Change]:
        preparing.set()
        await over.wait()
        return await changes_in(replica, tables, most_row)

    monkeypatch.setattr("ovsnet.ovsdb.monitor.changes_in", prepare)
    told: list[Change] = []
    monitor = await session.monitor(SB, {"Logical_Flow": ["match"]}, on_change=told.extend)
    await session.transact(SB, *flows(LARGE), timeout=PATIENCE)
    await asyncio.wait_for(preparing.wait(), PATIENCE)
    await monitor.cancel(timeout=PATIENCE)
    over.set()
    assert monitor._task is not None
    await monitor._task
    assert not told
    assert not monitor.tables["Logical_Flow"]


async def test_conditions_that_overlap_are_settled_only_when_all_are(session: Session) -> None:
    monitor = await session.monitor(SB, {"Chassis": ["name"]}, where={"Chassis": [("name", "==", "a")]})
    both = [
        asyncio.create_task(monitor.set_conditions({"Chassis": [("name", "==", name)]}, timeout=PATIENCE))
        for name in ("b", "c")
    ]
    await after_next_poll()
    monitor._settle(1, monitor._selection)  # the first one's reply came, and the session is lost
    assert not monitor._may_resume(monitor)
    await asyncio.gather(*both)
    assert monitor._may_resume(monitor)
    assert monitor._selection.where == {"Chassis": [["name", "==", "c"]]}


async def test_refused_conditions_are_settled(session: Session) -> None:
    monitor = await session.monitor(SB, {"Chassis": ["name"]})
    with pytest.raises(Exception, match="refused"):
        await monitor.set_conditions({"Chassis": [("name", "==", 7)]}, timeout=PATIENCE)
    assert monitor._may_resume(monitor)


async def test_schema_that_was_converted_is_read_again_without_a_monitor_of_it(
    server: Server, session: Session
) -> None:
    """Change-aware because of another database's monitor, the session lives on."""
    await session.monitor("_Server", {"Database": ["name"]})
    assert "colour" not in (await session.get_schema(SB)).table("Chassis").columns
    await convert(server, session)
    while "colour" not in (await session.get_schema(SB)).table("Chassis").columns:
        await session.echo(timeout=PATIENCE)
    assert await session.select(SB, "Chassis", columns=["colour"]) == []


async def test_column_that_comes_right_before_a_monitor_is_in_it(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that converts cancels the monitors that it has, and not the one that comes right after."""
    read: Callable[[str, float], Awaitable[Schema]] = session._schemas.read
    turns: list[Schema] = []

    async def read_before(database: str, timeout: float) -> Schema:
        schema = await read(database, timeout)
        if not turns:
            turns.append(schema)
            async with connect(server.address) as other:
                await convert(server, other)
        return schema

    monkeypatch.setattr(session._schemas, "read", read_before)
    monitor = await session.monitor(SB, {"Chassis": None})
    assert "colour" in monitor._selection.columns["Chassis"]
    await session.echo(timeout=PATIENCE)
    assert not monitor.closed.done()
    assert session._monitors == {monitor.key: monitor}


async def convert(server: Server, session: Session) -> None:
    schema = json.loads(server.programs.schema("ovn-sb.ovsschema").read_text())
    schema["tables"]["Chassis"]["columns"]["colour"] = {"type": {"key": "string", "min": 0}}
    schema["version"] = "99.0.0"
    await session.request("convert", (SB, schema), timeout=PATIENCE)


async def test_monitor_that_was_given_up_is_cancelled_at_the_server(server: Server, session: Session) -> None:
    await session.set_db_change_aware(timeout=PATIENCE)
    await session.get_schema(SB)
    await server.freeze()
    with pytest.raises(DeadlineExceeded):
        await session.monitor(SB, {"Chassis": ["name"]}, timeout=0.01)
    await server.thaw()
    with pytest.raises(UnknownMonitor):  # the first key is that of the watch over the schema
        await session.request("monitor_cancel", ("ovsnet-2",), timeout=PATIENCE)


async def test_rows_that_are_gone_after_a_conversion_are_told(server: Server, session: Session) -> None:
    rows = [("n1", "192.0.2.1"), ("n2", "192.0.2.2")]
    await session.transact(SB, *(insert("Address_Set", {"name": name, "addresses": {ip}}) for name, ip in rows))
    old = await session.monitor(SB, {"Address_Set": None})
    await session.transact(SB, delete("Address_Set", [("name", "==", "n1")]))
    await old.until(lambda tables: len(tables["Address_Set"]) == 1, timeout=PATIENCE)
    schema = json.loads(server.programs.schema("ovn-sb.ovsschema").read_text())
    schema["tables"]["Address_Set"]["columns"]["colour"] = {"type": {"key": "string", "min": 0}}
    schema["version"] = "99.0.0"
    async with connect(server.address) as other:
        await other.request("convert", (SB, schema), timeout=PATIENCE)
    await asyncio.wait_for(old.closed, PATIENCE)
    async with connect(server.address) as other:
        await other.transact(SB, delete("Address_Set"), insert("Address_Set", {"name": "n3"}))
    told: list[Change] = []
    await session.monitor(SB, {"Address_Set": None}, since=old, on_change=told.extend)
    assert {(change.old or {}).get("name") for change in told} == {"n2", None}
    assert {(change.new or {}).get("name") for change in told} == {"n3", None}


async def test_transaction_is_told_as_one(session: Session) -> None:
    told: list[int] = []
    monitor = await session.monitor(SB, {"Logical_Flow": None}, on_change=lambda changes: told.append(len(changes)))
    await session.transact(SB, *flows(LARGE), timeout=PATIENCE)
    await monitor.until(lambda tables: tables["Logical_Flow"], timeout=PATIENCE)
    await session.transact(SB, update("Logical_Flow", {"priority": 7}), timeout=PATIENCE)
    await settled(monitor, session)
    assert told == [LARGE, LARGE]


async def test_condition_on_a_mistyped_name_is_refused(session: Session) -> None:
    with pytest.raises(UsageError, match="no column naem"):
        await session.monitor(SB, {"Chassis": ["name"]}, where={"Chassis": [("naem", "==", "x")]})
    with pytest.raises(UsageError, match="not monitored"):
        await session.monitor(SB, {"Chassis": ["name"]}, where={"Chasis": [("name", "==", "x")]})


async def test_number_that_the_server_cannot_read_costs_nothing(session: Session) -> None:
    monitor = await session.monitor(OVS, {"Bridge": ["name"]})
    for value in (5e-324, math.nan, 2**64):
        with pytest.raises(UsageError):
            await session.transact(OVS, insert("Bridge", {"flood_vlans": {value}}))
    assert await session.echo(timeout=PATIENCE) >= 0
    assert monitor.synced


async def test_updates_that_waited_leave_the_loop_its_turns(session: Session) -> None:
    """Ten thousand small updates come while nothing can be applied; others run between them."""
    monitor = await session.monitor(SB, {"Address_Set": ["name"]})
    monitor._idle.clear()
    updates = [insert("Address_Set", {"name": f"{number}"}) for number in range(300)]
    await asyncio.gather(*(session.transact(SB, each, timeout=PATIENCE) for each in updates))
    await session.echo(timeout=PATIENCE)
    waiting = len(monitor._backlog)
    assert waiting == 300
    with counted_turns() as turns:
        monitor._backlog.extend(list(monitor._backlog) * 60)
        await monitor._catch_up()
    assert turns.count >= 2
    assert len(monitor.tables["Address_Set"]) == 300


async def test_block_of_a_monitor_ends_with_what_its_user_raised(server: Server, session: Session) -> None:
    """And not with the silence of a server that does not say that the monitor is over."""
    with pytest.raises(ValueError, match="the user's"):  # noqa: PT012
        async with session.monitor(SB, {"Logical_Flow": None}):
            await server.freeze()
            raise ValueError("the user's")
    async with connect(server.address, timeout=PATIENCE) as other:
        await server.thaw()
        async with other.monitor(SB, {"Logical_Flow": None}, timeout=PATIENCE) as monitor:
            await server.freeze()
        assert monitor.closed.done()
        await server.thaw()


async def test_wait_for_a_copy_to_be_synced_ends_when_it_is(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a large update are told before it is over, and perhaps others of the loop have a turn in between."""
    monkeypatch.setattr(monitor_module, "TURN", -1.0)
    monitor = await session.monitor(SB, {"Logical_Flow": None})
    rows_came = monitor.until(lambda tables: len(tables["Logical_Flow"]) == LARGE, timeout=PATIENCE)
    waiting = asyncio.create_task(
        monitor.until(lambda tables: len(tables["Logical_Flow"]) == LARGE and monitor.synced, timeout=PATIENCE)
    )
    await session.transact(SB, *flows(LARGE), timeout=PATIENCE)
    await rows_came
    await monitor._idle.wait()
    await after_next_poll()
    assert waiting.done()
    await waiting
