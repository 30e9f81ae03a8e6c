"""Monitors that outlive their connections, and those that follow them."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, UsageError
from ovsnet.io.address import Address
from ovsnet.ovsdb import Changes, Client, Uuid, connect
from ovsnet.ovsdb.changes import MOST_BATCHES, Audience, Feed
from ovsnet.ovsdb.errors import CallbackRaised, MonitorCanceled, Refused, UnknownDatabase
from ovsnet.ovsdb.operations import delete, insert, mutate, update
from ovsnet.ovsdb.replica import Change
from ovsnet.sandbox.waiting import until
from tests.ovsdb.proxy import proxied
from tests.ovsdb.raising import WHAT_CALLBACKS_RAISE
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable

    from ovsnet.ovsdb import Session, Tables
    from tests.ovsdb.conftest import Server

OVS, SB, NB = "Open_vSwitch", "OVN_Southbound", "OVN_Northbound"
SWITCHES = {"Logical_Switch": ["name"]}


def patient(address: Address) -> Client:
    """A client that no slow machine makes connect again."""
    return Client(address, probe=None, timeout=PATIENCE)


def names(tables: Tables, table: str = "Logical_Switch") -> set[str]:
    return {row["name"] for row in tables[table].values()}


def has(count: int) -> Callable[[Tables], bool]:
    return lambda tables: len(names(tables)) == count


class Folded:
    """Tables as a consumer sees them who is told changes alone. A row that comes twice or goes unseen is an error."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Uuid, Any]] = {}

    def fold(self, changes: Iterable[Change]) -> None:
        for change in changes:
            rows = self.tables.setdefault(change.table, {})
            assert rows.get(change.uuid) == change.old
            if change.new is None:
                del rows[change.uuid]
            else:
                rows[change.uuid] = change.new

    def names(self) -> set[str]:
        return {row["name"] for rows in self.tables.values() for row in rows.values()}


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


async def test_consumer_that_does_not_keep_up_gets_what_it_missed_merged(server: Server) -> None:
    count = 3 * MOST_BATCHES
    async with patient(server.address) as client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        monitor = await client.monitor(OVS, {OVS: ["next_cfg"]}, timeout=PATIENCE)
        feed = aiter(monitor)
        for _ in range(count):
            await client.transact(OVS, mutate(OVS, [("next_cfg", "+=", 1)]), timeout=PATIENCE)
        await monitor.until(lambda tables: next(iter(tables[OVS].values()))["next_cfg"] == count, timeout=PATIENCE)
        batches = [await anext(feed) for _ in range(MOST_BATCHES + 2)]
        assert [each.transactions for each in batches] == [0] + [1] * MOST_BATCHES + [count - MOST_BATCHES]
        assert [each.coalesced for each in batches[-2:]] == [False, True]
        folded = Folded()
        for each in batches:
            folded.fold(each)
        assert folded.tables == monitor.tables


async def test_merged_changes_that_undo_each_other_are_none() -> None:
    feed, row = Feed({}, begun=False), {"a": 1}
    for number in range(MOST_BATCHES):
        feed.put(Changes([Change("T", Uuid(str(number)), None, row)]))
    feed.put(Changes([Change("T", Uuid("x"), None, row), Change("T", Uuid("y"), None, row)]))
    feed.put(Changes([Change("T", Uuid("x"), row, None), Change("T", Uuid("y"), row, {"a": 2})], resynced=True))
    for _ in range(MOST_BATCHES):
        await anext(feed)
    merged = await anext(feed)
    assert list(merged) == [Change("T", Uuid("y"), None, {"a": 2})]
    assert (merged.transactions, merged.resynced, merged.resumed) == (2, True, False)


async def test_nothing_is_kept_for_a_consumer_that_is_gone() -> None:
    audience = Audience()
    feed = audience.feed()
    assert audience.listening
    del feed
    assert not audience.listening


async def consume(monitor: AsyncIterable[Changes]) -> int:
    return len([changes async for changes in monitor])


async def test_loop_ends_quietly_with_the_monitor_and_with_the_client(server: Server) -> None:
    client = patient(server.address)
    async with client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        first, second = [await client.monitor(OVS, {OVS: None}, timeout=PATIENCE) for _ in range(2)]
        loops = [asyncio.create_task(consume(each)) for each in (first, second)]
        await asyncio.sleep(0)
        await first.cancel()
        await first.cancel()
        assert await asyncio.wait_for(loops[0], PATIENCE) == 1
    assert await asyncio.wait_for(loops[1], PATIENCE) == 1
    assert client.state == "closed"
    assert not client._monitors
    with pytest.raises(MonitorCanceled):
        await second.until(lambda tables: False, timeout=PATIENCE)


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


@pytest.mark.parametrize("raised", WHAT_CALLBACKS_RAISE, ids=lambda raised: type(raised).__name__)
async def test_callback_that_raises_ends_it(server: Server, raised: BaseException) -> None:
    """Also with an error that might be the server's or the connection's: it is not tried again and again then."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

    def fail(changes: Changes) -> None:
        raise raised

    async with patient(server.address) as client:
        monitor = await client.monitor(OVS, {OVS: None}, on_change=fail, timeout=PATIENCE)
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        with pytest.raises(CallbackRaised, match="no"):
            await monitor.until(lambda tables: False, timeout=PATIENCE)
        assert not monitor.synced
        assert await client.list_dbs(timeout=PATIENCE)


async def test_callback_that_raises_when_all_rows_were_fetched_again_ends_it(server: Server) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

    def fail(changes: Changes) -> None:
        if changes.resynced:
            raise ValueError("no")

    place = server.path + ".p"
    async with proxied(place, server.path) as proxy, patient(proxy.address) as client, connect(server.address) as other:
        await other.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        monitor = await client.monitor(OVS, {OVS: ["external_ids"]}, on_change=fail, timeout=PATIENCE)
        feed = aiter(monitor)
        proxy.refusing = True
        proxy.cut()
        await other.transact(OVS, update(OVS, {"external_ids": {"a": "b"}}), timeout=PATIENCE)
        proxy.refusing = False
        with pytest.raises(CallbackRaised, match="no"):
            await monitor.until(lambda tables: False, timeout=PATIENCE)
        with pytest.raises(CallbackRaised, match="no"):
            await asyncio.wait_for(consume(feed), PATIENCE)


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
