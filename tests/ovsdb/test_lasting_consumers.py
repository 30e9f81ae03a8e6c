"""Consumers and callbacks of a monitor that outlives its connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ovsnet.ovsdb import Changes, Uuid, connect
from ovsnet.ovsdb.changes import MOST_BATCHES, Audience, Feed
from ovsnet.ovsdb.errors import CallbackRaised, MonitorCanceled
from ovsnet.ovsdb.operations import insert, mutate, update
from ovsnet.ovsdb.replica import Change
from tests.ovsdb.following import OVS, Folded, consume, patient
from tests.ovsdb.proxy import proxied
from tests.ovsdb.raising import WHAT_CALLBACKS_RAISE
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server


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
