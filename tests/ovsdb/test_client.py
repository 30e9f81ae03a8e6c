"""A client that stays connected: to a server that comes and goes, to one of several, and to the right one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, SocketMissing, UsageError
from ovsnet.io.address import Address
from ovsnet.ovsdb import Client, connect
from ovsnet.ovsdb.errors import (
    ClusterFailed,
    LockStolen,
    NotLeader,
    NotOwner,
    StaleServer,
    TransactionInDoubt,
    UnknownDatabase,
)
from ovsnet.ovsdb.membership import NOT_SERVED, Membership
from ovsnet.ovsdb.operations import assert_lock, insert, mutate, wait
from tests.ovsdb.proxy import proxied
from tests.ovsdb.scripted import scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb.lock import Lock
    from tests.ovsdb.conftest import Handler, Serve, Server

    Answering = Callable[[dict[str, Any]], Handler]

OVS, SB = "Open_vSwitch", "OVN_Southbound"


async def test_states_and_reasons_are_watched(server: Server) -> None:
    server.kill()
    async with Client(server.address) as client:
        changes = client.changes()
        status = await client.until("waiting", timeout=PATIENCE)
        assert status.reason is not None
        assert status.reason.reason in ("refused", "socket-missing")
        await server.start()
        assert (await client.until("up", timeout=PATIENCE)).reason is None
        assert client.session is not None
        assert await client.list_dbs(timeout=PATIENCE)
    states = [each.state async for each in changes]
    assert states[0] == "connecting"
    assert "up" in states
    assert states[-1] == "closed"


async def test_client_is_back_after_a_restart(server: Server) -> None:
    async with Client(server.address) as client:
        first = await client.connected(timeout=PATIENCE)
        server.kill()
        await asyncio.wait_for(first.closed, PATIENCE)
        await server.start()
        assert OVS in await client.list_dbs(timeout=PATIENCE)
        assert client.session is not first


async def test_call_while_away_waits_to_its_deadline(server: Server) -> None:
    server.kill()
    async with Client(server.address) as client:
        with pytest.raises(DeadlineExceeded, match="was not up within") as caught:
            await client.select(OVS, OVS, timeout=0.05)
        assert "Nobody listens" in str(caught.value)
        assert caught.value.remedy
        asked = asyncio.create_task(client.select(OVS, OVS, timeout=PATIENCE))
        await server.start()
        assert await asked == []


async def test_call_while_away_fails_at_once_where_that_is_wanted(server: Server) -> None:
    async with Client(Address.unix(server.path + ".not"), wait=False) as client:
        await client.until("waiting", timeout=PATIENCE)
        for call in (client.list_dbs(), client.transact(OVS, insert(OVS, {})), client.select(OVS, OVS)):
            with pytest.raises(SocketMissing):
                await call
        with pytest.raises(SocketMissing):
            await client.monitor(OVS, {OVS: None})


async def test_question_is_asked_again_where_its_connection_broke(server: Server) -> None:
    async with proxied(server.path + ".p", server.path) as proxy, Client(proxy.address, probe=None) as client:
        await client.get_schema(OVS, timeout=PATIENCE)
        proxy.cut_at(b'"rows"')
        assert await client.select(OVS, OVS, timeout=PATIENCE) == []
        assert proxy.connections == 2


async def test_database_of_a_client_asks_again_too(server: Server) -> None:
    """What it reads is sent as a transaction, which changes nothing."""
    async with proxied(server.path + ".p", server.path) as proxy, Client(proxy.address, probe=None) as client:
        db = client[OVS]
        db.timeout = PATIENCE
        await db.schema()
        proxy.cut_at(b'"rows"')
        assert await db.find(OVS) == []
        async with db.transaction() as t:
            t.insert(OVS)
        proxy.cut_at(b'"rows"')
        assert (await db.get(OVS, None, "next_cfg"))["next_cfg"] == 0
        assert proxy.connections == 3


async def test_late_answer_to_a_question_of_a_database_is_no_doubt() -> None:
    async with scripted(transact=lambda params: None) as (_, address), Client(address, probe=None) as client:
        db = client["D"]
        await db.schema()
        db.timeout = 0.05
        with pytest.raises(DeadlineExceeded):
            await db.find("T")


async def test_transaction_of_unknown_fate_says_so_and_is_not_repeated(server: Server) -> None:
    async with proxied(server.path + ".p", server.path) as proxy, Client(proxy.address, probe=None) as client:
        await client.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        proxy.cut_at(b'"count"')
        with pytest.raises(TransactionInDoubt, match="Nobody knows") as caught:
            await client.transact(OVS, mutate(OVS, [("next_cfg", "+=", 1)]), timeout=PATIENCE)
        assert isinstance(caught.value.__cause__, ConnectionLost)
        (row,) = await client.select(OVS, OVS, columns=["next_cfg"], timeout=PATIENCE)
        assert row["next_cfg"] == 1


async def test_transaction_of_a_frozen_server_is_in_doubt(server: Server) -> None:
    async with Client(server.address, probe=None) as client:
        await client.connected(timeout=PATIENCE)
        await server.freeze()
        with pytest.raises(TransactionInDoubt, match="no answer"):
            await client.transact(OVS, insert(OVS, {}), timeout=0.05)
        await server.thaw()


async def test_frozen_server_is_noticed_by_our_own_probe(server: Server) -> None:
    async with Client(server.address, probe=0.05) as client:
        session = await client.connected(timeout=PATIENCE)
        await server.freeze()
        error = await asyncio.wait_for(session.closed, PATIENCE)
        assert isinstance(error, DeadlineExceeded)
        await server.thaw()
        assert await client.list_dbs(timeout=PATIENCE)


async def test_transaction_that_is_given_up_while_it_waits_is_cancelled_at_the_server(server: Server) -> None:
    async with connect(server.address) as session:
        await session.transact(OVS, insert(OVS, {}))
        number = wait(OVS, [{"next_cfg": 7}], columns=["next_cfg"], timeout=PATIENCE)
        waiting = asyncio.create_task(
            session.transact(OVS, number, mutate(OVS, [("cur_cfg", "+=", 1)]), timeout=PATIENCE)
        )
        await session.echo(timeout=PATIENCE)
        waiting.cancel()
        await asyncio.wait([waiting])
        await session.transact(OVS, mutate(OVS, [("next_cfg", "+=", 7)]), timeout=PATIENCE)
        (row,) = await session.select(OVS, OVS, columns=["next_cfg", "cur_cfg"])
        assert row == {"next_cfg": 7, "cur_cfg": 0}


# Which of several.


async def test_remotes_are_taken_in_random_order_and_the_others_when_one_is_away(server: Server) -> None:
    places = [server.path + f".{number}" for number in range(3)]
    async with proxied(places[0], server.path) as a, proxied(places[1], server.path) as b:
        proxies, first = (a, b), Counter[str]()
        for seed in range(20):
            async with Client(*(f"unix:{each}" for each in places), rng=random.Random(seed)) as client:
                first[str((await client.connected(timeout=PATIENCE)).address)] += 1
        assert set(first) == {str(each.address) for each in proxies}
        async with Client(f"unix:{places[0]},unix:{places[1]}", shuffle=False) as client:
            assert (await client.connected(timeout=PATIENCE)).address == a.address
            a.refusing = True
            a.cut()
            await client.select(OVS, OVS, timeout=PATIENCE)
            assert client.session is not None
            assert client.session.address == b.address


async def test_leader_of_a_cluster_of_one(clustered: Server) -> None:
    async with Client(clustered.address, database="OVN_Northbound", leader_only=True) as client:
        assert await client.select("OVN_Northbound", "NB_Global", timeout=PATIENCE) == []
        assert client.session is not None
        assert len(client.session._monitors) == 1


async def test_server_without_the_database_will_not_do(server: Server) -> None:
    async with Client(server.address, database="OVN_Northbound") as client:
        status = await client.until("waiting", timeout=PATIENCE)
        assert isinstance(status.reason, UnknownDatabase)
    async with Client(server.address, database=SB) as client:
        assert SB in await client.list_dbs(timeout=PATIENCE)


def said(**columns: object) -> dict[str, Any]:
    return {**NOT_SERVED, "model": "clustered", "connected": True, "leader": True, "cid": "c", "index": 5, **columns}


def test_which_server_will_do() -> None:
    members = Membership("D", leader_only=True)
    assert members.fault("s", said()) is None
    assert members.fault("s", said(model="standalone", connected=False)) is None
    for row, kind in (
        (NOT_SERVED, UnknownDatabase),
        (said(connected=False), ClusterFailed),
        (said(leader=False), NotLeader),
        (said(model="relay", leader=False), NotLeader),
        (said(index=4), StaleServer),
    ):
        assert isinstance(members.fault("s", row), kind)
    assert members.fault("s", said(cid="other", index=1)) is None
    members.forget()
    assert members.fault("s", said(index=4)) is None
    assert Membership("D", leader_only=False).fault("s", said(leader=False)) is None


async def test_server_that_is_not_the_right_one_any_more_is_left(serve: Serve, answering: Answering) -> None:
    """A leader that steps down says so in its own database."""
    import json

    leaving = asyncio.Event()
    row = {"name": "D", "model": "clustered", "connected": True, "leader": True, "cid": ["set", []], "index": 5}
    uuid = "00000000-0000-4000-8000-000000000001"
    schema = {
        "name": "_Server",
        "tables": {
            "Database": {
                "columns": {
                    "name": {"type": "string"},
                    "model": {"type": "string"},
                    "connected": {"type": "boolean"},
                    "leader": {"type": "boolean"},
                    "cid": {"type": {"key": "uuid", "min": 0}},
                    "index": {"type": {"key": "integer", "min": 0}},
                }
            }
        },
    }
    answer = answering(
        {
            "get_schema": schema,
            "set_db_change_aware": {},
            "monitor_cond_since": [False, "t1", {"Database": {uuid: {"initial": row}}}],
        }
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def step_down() -> None:
            await leaving.wait()
            update = {"Database": {uuid: {"modify": {"leader": False}}}}
            told = {"id": None, "method": "update3", "params": ["ovsnet-1", "t2", update]}
            writer.write(json.dumps(told).encode())

        stepping = asyncio.create_task(step_down())
        await answer(reader, writer)
        stepping.cancel()

    async with Client(await serve(handle), database="D", leader_only=True) as client:
        session = await client.connected(timeout=PATIENCE)
        leaving.set()
        assert isinstance(await asyncio.wait_for(session.closed, PATIENCE), NotLeader)


def test_leader_of_nothing() -> None:
    with pytest.raises(UsageError, match="leader is one of a database"):
        Client("unix:/x", leader_only=True)


# Locks.


async def test_lock_is_held_and_asserted(server: Server) -> None:
    async with Client(server.address) as client, connect(server.address) as other:
        async with client.lock("l", timeout=PATIENCE) as lock:
            assert lock.held
            await client.transact(OVS, assert_lock("l"), insert(OVS, {}), timeout=PATIENCE)
            with pytest.raises(NotOwner):
                await other.transact(OVS, assert_lock("l"))
            queued = await other.lock("l", timeout=PATIENCE)
            assert not queued.held
            with pytest.raises(DeadlineExceeded, match="Another client held the lock l"):
                await queued.acquired(timeout=0.01)
        await queued.acquired(timeout=PATIENCE)
        await other.transact(OVS, assert_lock("l"), timeout=PATIENCE)
        await queued.release(timeout=PATIENCE)


async def hold(client: Client, entered: asyncio.Future[Lock]) -> None:
    async with client.lock("l", timeout=PATIENCE) as lock:
        entered.set_result(lock)
        await lock.lost


async def test_stolen_lock_is_reported(server: Server) -> None:
    async with Client(server.address) as client, connect(server.address) as thief:
        entered: asyncio.Future[Lock] = asyncio.get_running_loop().create_future()
        holder = asyncio.create_task(hold(client, entered))
        lock = await asyncio.wait_for(entered, PATIENCE)
        stolen = await thief.lock("l", steal=True, timeout=PATIENCE)
        assert stolen.held
        with pytest.raises(LockStolen, match="stolen the lock l"):
            await asyncio.wait_for(holder, PATIENCE)
        assert not lock.held


async def test_lock_ends_with_its_connection(server: Server) -> None:
    async with proxied(server.path + ".p", server.path) as proxy, Client(proxy.address, probe=None) as client:
        entered: asyncio.Future[Lock] = asyncio.get_running_loop().create_future()
        holder = asyncio.create_task(hold(client, entered))
        await asyncio.wait_for(entered, PATIENCE)
        proxy.cut()
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(holder, PATIENCE)
        async with client.lock("l", timeout=PATIENCE) as again:
            assert again.held


async def test_lock_that_is_waited_for_outlives_a_connection(server: Server) -> None:
    async with (
        proxied(server.path + ".p", server.path) as proxy,
        Client(proxy.address) as client,
        connect(server.address) as other,
    ):
        theirs = await other.lock("l", timeout=PATIENCE)
        entered: asyncio.Future[Lock] = asyncio.get_running_loop().create_future()
        holder = asyncio.create_task(hold(client, entered))
        session = await client.connected(timeout=PATIENCE)
        await session.echo(timeout=PATIENCE)
        proxy.cut()
        await client.list_dbs(timeout=PATIENCE)
        await theirs.release(timeout=PATIENCE)
        assert (await asyncio.wait_for(entered, PATIENCE)).held
        holder.cancel()
        await asyncio.wait([holder])
