"""Monitors when their session is lost, frozen or changed under them, and going on in the next session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb import Change, Changes, NamedUuid, Session, connect
from ovsnet.ovsdb.errors import MonitorCanceled
from ovsnet.ovsdb.monitor_methods import NO_TXN
from ovsnet.ovsdb.operations import delete, insert, mutate, update
from ovsnet.ovsdb.replica import Tables
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Handler, Server

    Answering = Callable[[dict[str, Any]], Handler]

OVS, SB, NB = "Open_vSwitch", "OVN_Southbound", "OVN_Northbound"


def names(tables: Tables) -> set[str]:
    return {row["name"] for row in tables["Bridge"].values()}


async def add_bridge(session: Session, name: str, **columns: object) -> None:
    if not await session.select(OVS, OVS):
        await session.transact(OVS, insert(OVS, {}))
    await session.transact(
        OVS,
        insert("Bridge", {"name": name, **columns}, name="new"),
        mutate(OVS, [("bridges", "insert", {NamedUuid("new")})]),
    )


async def test_lost_session_ends_its_monitors_and_their_rows_stay(server: Server, session: Session) -> None:
    await add_bridge(session, "br0")
    monitor = await session.monitor(OVS, {"Bridge": ["name"]})
    server.kill()
    assert isinstance(await monitor.closed, ConnectionLost)
    assert not monitor.synced
    assert names(monitor.tables) == {"br0"}


async def test_going_on_after_a_restart_when_the_server_remembers(clustered: Server) -> None:
    """last_txn_id is of one monitor, and only what changed since is sent and told."""
    tables = {"Logical_Switch": ["name"]}
    async with await connect(clustered.address) as first:
        # The server forgets history that is larger than the database (ovsdb/transaction.c, ovsdb_txn_history_run).
        await first.transact(NB, *(insert("Address_Set", {"name": str(number)}) for number in range(50)))
        await first.transact(NB, *(insert("Logical_Switch", {"name": name}) for name in ("a", "b", "c")))
        old = await first.monitor(NB, tables)
        assert old.last_txn_id != NO_TXN
    async with await connect(clustered.address) as meanwhile:
        await meanwhile.transact(NB, delete("Logical_Switch", [("name", "==", "a")]))
        await meanwhile.transact(NB, insert("Logical_Switch", {"name": "d"}))
    batches: list[Changes] = []
    async with await connect(clustered.address) as second:
        kept = old.tables["Logical_Switch"]
        new = await second.monitor(NB, tables, since=old, on_change=batches.append)
        (changes,) = batches
        assert (changes.resumed, changes.coalesced, changes.resynced) == (True, True, False)
        assert {row["name"] for row in new.tables["Logical_Switch"].values()} == {"b", "c", "d"}
        assert {(change.old or change.new or {})["name"] for change in changes} == {"a", "d"}
        same = [uuid for uuid, row in kept.items() if new.tables["Logical_Switch"].get(uuid) is row]
        assert len(same) == 2
        await second.transact(NB, delete("Logical_Switch"))
        await new.until(lambda tables: not tables["Logical_Switch"], timeout=10)
        assert not batches[-1].coalesced
    assert len(old.tables["Logical_Switch"]) == 3


async def test_going_on_when_the_server_does_not_remember(server: Server, session: Session) -> None:
    """A standalone database keeps no history: the rows are replaced, and on_change tells what is gone."""
    await add_bridge(session, "br0")
    await add_bridge(session, "br1")
    old = await session.monitor(OVS, {"Bridge": ["name"]})
    server.kill()
    await old.closed
    await server.start()
    async with await connect(server.address) as second:
        await second.transact(OVS, update(OVS, {"bridges": None}))
        await add_bridge(second, "br2")
        changes: list[Change] = []
        new = await second.monitor(OVS, {"Bridge": ["name"]}, since=old, on_change=changes.extend)
        assert names(new.tables) == {"br2"}
        assert {(change.old or {}).get("name") for change in changes} == {"br0", "br1", None}


async def test_other_columns_or_conditions_begin_anew(clustered: Server) -> None:
    async with await connect(clustered.address) as session:
        await session.transact(NB, *(insert("Logical_Switch", {"name": name}) for name in ("a", "b")))
        old = await session.monitor(NB, {"Logical_Switch": ["name"]}, where={"Logical_Switch": [("name", "==", "a")]})
        everything = await session.monitor(NB, {"Logical_Switch": ["name"]}, since=old)
        assert len(everything.tables["Logical_Switch"]) == 2
        other = await session.monitor(NB, {"Logical_Switch": ["name", "other_config"]}, since=everything)
        assert all(row["other_config"] == {} for row in other.tables["Logical_Switch"].values())


async def test_monitor_canceled_ends_it_with_a_reason(server: Server, session: Session) -> None:
    """A converted schema: because the session is change-aware, it lives on, and can monitor again."""
    schema = json.loads(server.programs.schema("ovn-sb.ovsschema").read_text())
    monitor = await session.monitor(SB, {"Chassis": ["name"]})
    columns = schema["tables"]["Chassis"]["columns"]
    columns["colour"] = {"type": {"key": "string", "min": 0}}
    schema["version"] = "99.0.0"
    await session.request("convert", (SB, schema), timeout=10)
    reason = await asyncio.wait_for(monitor.closed, PATIENCE)
    assert isinstance(reason, MonitorCanceled)
    assert "schema changed" in str(reason)
    again = await session.monitor(SB, {"Chassis": ["name", "colour"]}, since=monitor)
    assert not again.missing
    assert again.synced


async def test_silent_server_is_given_up(server: Server, session: Session) -> None:
    await session.set_db_change_aware()
    await session.get_schema(OVS)
    await server.freeze()
    with pytest.raises(DeadlineExceeded, match="sent nothing"):
        await session.monitor(OVS, {"Bridge": None}, timeout=0.05)
    await after_next_poll()
    assert not session._monitors


async def test_session_lost_during_the_snapshot(server: Server, session: Session) -> None:
    await session.set_db_change_aware()
    await session.get_schema(OVS)
    await server.freeze()
    pending = asyncio.ensure_future(session.monitor(OVS, {"Bridge": None}, timeout=30))
    await asyncio.sleep(0)
    server.kill()
    with pytest.raises(PeerError) as caught:
        await pending
    assert isinstance(caught.value, ConnectionLost)
