"""Monitors that outlive their connections."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, UsageError
from ovsnet.ovsdb import Changes, Client, connect
from ovsnet.ovsdb.changes import Feed
from ovsnet.ovsdb.errors import Refused, UnknownDatabase
from ovsnet.ovsdb.operations import delete, insert, update
from ovsnet.sandbox.waiting import until
from tests.ovsdb.following import NB, OVS, SB, SWITCHES, Folded, has, names, patient
from tests.ovsdb.proxy import proxied
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb import Session
    from tests.ovsdb.conftest import Server


async def fill(session: Session) -> None:
    """The server forgets history that is larger than the database (ovsdb/transaction.c, ovsdb_txn_history_run)."""
    await session.transact(NB, *(insert("Address_Set", {"name": str(number)}) for number in range(50)))


async def test_it_goes_on_from_its_own_transaction(clustered: Server) -> None:
    """Cut, and cut in the middle of an update: nothing is fetched again, and each row is told once."""
    told, other = Folded(), Folded()
    async with (
        proxied(clustered.path + ".p", clustered.path) as proxy,
        patient(proxy.address) as client,
        connect(clustered.address) as writing,
    ):
        await fill(writing)
        monitor = await client.monitor(NB, SWITCHES, on_change=told.fold, timeout=PATIENCE)
        addresses = await client.monitor(NB, {"Address_Set": ["name"]}, on_change=other.fold, timeout=PATIENCE)
        for number in range(6):
            if number % 2:
                proxy.cut()
            else:
                proxy.cut_at(b'"update3"')
            await writing.transact(NB, insert("Logical_Switch", {"name": f"s{number}"}))
            await monitor.until(has(number + 1), timeout=PATIENCE)
            # The half of a chunk that was passed on may hold the whole update: then the cut is not over yet.
            await until(partial(proxy.has_made, number + 2), PATIENCE, "It has not connected again.")
            await monitor.resynced(timeout=PATIENCE)
            await addresses.resynced(timeout=PATIENCE)
        assert monitor.resyncs == addresses.resyncs == 0
        assert told.names() == names(monitor.tables) == {f"s{number}" for number in range(6)}
        assert other.tables == addresses.tables


async def test_it_fetches_all_again_where_the_server_forgot(server: Server) -> None:
    """A standalone database keeps no history."""
    async with patient(server.address) as client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        async with client.monitor(OVS, {OVS: ["external_ids"]}, timeout=PATIENCE) as monitor:
            feed = aiter(monitor)
            first = await anext(feed)
            assert (len(first), first.transactions, first.resynced) == (1, 0, False)
            server.kill()
            await server.start()
            await client.transact(OVS, update(OVS, {"external_ids": {"a": "b"}}), timeout=PATIENCE)
            folded = Folded()
            folded.fold(first)
            while not folded.tables[OVS] or "a" not in next(iter(folded.tables[OVS].values()))["external_ids"]:
                folded.fold(await asyncio.wait_for(anext(feed), PATIENCE))
            await monitor.resynced(timeout=PATIENCE)
            assert monitor.resyncs == 1
        with pytest.raises(StopAsyncIteration):
            await anext(feed)


async def test_copy_is_as_new_as_what_is_told_of_it(server: Server) -> None:
    """Also while all rows are fetched again: a callback may read the copy, and a consumer may come at any time."""
    told, feeds = Folded(), list[Feed]()
    async with Client(server.address, probe=None, timeout=PATIENCE) as client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        monitor = client.monitor(OVS, {OVS: ["external_ids"]}, timeout=PATIENCE)

        def compare(changes: Changes) -> None:
            told.fold(changes)
            assert monitor.tables == told.tables
            feeds.append(aiter(monitor))

        monitor._audience._on_change = compare
        async with monitor:
            server.kill()
            await server.start()
            await client.transact(OVS, update(OVS, {"external_ids": {"a": "b"}}), timeout=PATIENCE)
            await monitor.until(
                lambda tables: [row["external_ids"] for row in tables[OVS].values()] == [{"a": "b"}], timeout=PATIENCE
            )
            await monitor.resynced(timeout=PATIENCE)
            assert monitor.resyncs == 1
            for feed in feeds:
                folded = Folded()
                while folded.tables != monitor.tables:
                    folded.fold(await asyncio.wait_for(anext(feed), PATIENCE))


async def test_copy_stays_readable_while_the_server_is_away(server: Server) -> None:
    async with patient(server.address) as client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        monitor = await client.monitor(OVS, {OVS: None}, timeout=PATIENCE)
        server.kill()
        await client.until("waiting", timeout=PATIENCE)
        assert len(monitor.tables[OVS]) == 1
        assert not monitor.synced
        assert isinstance(monitor.reason, ConnectionLost)
        with pytest.raises(DeadlineExceeded, match="did not change as awaited") as caught:
            await monitor.until(lambda tables: not tables[OVS], timeout=0.01)
        assert "connection" in str(caught.value)
        await server.start()
        await monitor.resynced(timeout=PATIENCE)
        assert monitor.reason is None


async def test_new_conditions_hold_over_a_reconnect(clustered: Server) -> None:
    async with (
        proxied(clustered.path + ".p", clustered.path) as proxy,
        patient(proxy.address) as client,
        connect(clustered.address) as writing,
    ):
        await writing.transact(NB, *(insert("Logical_Switch", {"name": name}) for name in "abc"))
        told = Folded()
        one = {"Logical_Switch": [("name", "==", "a")]}
        monitor = await client.monitor(NB, SWITCHES, where=one, on_change=told.fold, timeout=PATIENCE)
        assert names(monitor.tables) == {"a"}
        proxy.cut_at(b'"update3"')
        await monitor.set_conditions({"Logical_Switch": [("name", "!=", "a")]}, timeout=PATIENCE)
        assert monitor.synced
        assert names(monitor.tables) == told.names() == {"b", "c"}
        proxy.cut()
        await writing.transact(NB, delete("Logical_Switch", [("name", "==", "b")]))
        await monitor.until(lambda tables: names(tables) == {"c"}, timeout=PATIENCE)
        assert told.names() == {"c"}


async def test_refused_conditions_leave_the_old_ones(server: Server) -> None:
    async with patient(server.address) as client:
        one = {"Chassis": [("name", "==", "a")]}
        monitor = await client.monitor(SB, {"Chassis": ["name"]}, where=one, timeout=PATIENCE)
        with pytest.raises(Refused):
            await monitor.set_conditions({"Chassis": [("name", "==", 7)]}, timeout=PATIENCE)
        with pytest.raises(UsageError):
            await monitor.set_conditions({"Chassis": [("naem", "==", "a")]}, timeout=PATIENCE)
        assert monitor.synced


async def test_schema_that_changes_under_it(server: Server) -> None:
    """It is read again, with the new columns; rows are told as changed, and one that went with them as gone."""
    told = Folded()
    async with patient(server.address) as client:
        await client.transact(SB, *(insert("Address_Set", {"name": name}) for name in "ab"), timeout=PATIENCE)
        monitor = await client.monitor(SB, {"Address_Set": ["name", "colour"]}, on_change=told.fold, timeout=PATIENCE)
        assert monitor.missing == {"Address_Set.colour"}
        schema = json.loads(server.programs.schema("ovn-sb.ovsschema").read_text())
        schema["tables"]["Address_Set"]["columns"]["colour"] = {"type": {"key": "string", "min": 0}}
        schema["version"] = "99.0.0"
        async with connect(server.address) as other:
            await other.request("convert", (SB, schema), timeout=PATIENCE)
        while monitor.missing:
            await asyncio.wait_for(monitor._audience.wait(), PATIENCE)
        colour = update("Address_Set", {"colour": "red"}, [("name", "==", "a")])
        await client.transact(SB, colour, delete("Address_Set", [("name", "==", "b")]), timeout=PATIENCE)
        await monitor.until(lambda tables: len(tables["Address_Set"]) == 1, timeout=PATIENCE)
        assert [row["colour"] for row in monitor.tables["Address_Set"].values()] == ["red"]
        assert told.tables == monitor.tables


async def test_what_can_never_be_monitored_is_said_at_once(server: Server) -> None:
    async with patient(server.address) as client:
        with pytest.raises(UnknownDatabase):
            await client.monitor("Nowhere", {"T": None}, timeout=PATIENCE)
        with pytest.raises(UsageError, match="no column naem"):
            await client.monitor(SB, {"Chassis": None}, where={"Chassis": [("naem", "==", "x")]}, timeout=PATIENCE)
        assert not client._monitors


async def test_monitor_that_was_not_begun_says_so() -> None:
    monitor = Client("unix:/none").monitor(OVS, {OVS: None})
    with pytest.raises(UsageError, match="has not begun"):
        [changes async for changes in monitor]
    with pytest.raises(DeadlineExceeded) as caught:
        await monitor.until(lambda tables: False, timeout=0.01)
    assert "async with" in caught.value.remedy


async def test_server_that_is_away_at_the_beginning(server: Server) -> None:
    server.kill()
    async with patient(server.address) as client:
        with pytest.raises(DeadlineExceeded, match="Nobody listens"):
            await client.monitor(OVS, {OVS: None}, timeout=0.05)
        waiting = asyncio.create_task(client.monitor(OVS, {OVS: None}, timeout=PATIENCE)._start())
        await server.start()
        assert (await asyncio.wait_for(waiting, PATIENCE)).synced


async def test_frozen_server_that_sends_no_rows_is_left(server: Server) -> None:
    """Silence while rows are due ends the session, so that another server can be tried."""
    async with Client(server.address, probe=None) as client:
        session = await client.connected(timeout=PATIENCE)
        await client.get_schema(OVS, timeout=PATIENCE)
        await server.freeze()
        waiting = asyncio.create_task(client.monitor(OVS, {OVS: None}, timeout=0.1, longest=PATIENCE)._start())
        assert isinstance(await asyncio.wait_for(session.closed, PATIENCE), DeadlineExceeded)
        await server.thaw()
        assert (await asyncio.wait_for(waiting, PATIENCE)).synced
