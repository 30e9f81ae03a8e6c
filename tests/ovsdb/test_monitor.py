"""Live copies of tables on a real ovsdb-server."""

from __future__ import annotations

import asyncio
import random
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import DeadlineExceeded
from ovsnet.ovsdb import Monitor, NamedUuid, Session, connect
from ovsnet.ovsdb.errors import MonitorCanceled, UnknownMethod
from ovsnet.ovsdb.operations import Operation, delete, insert, mutate, update
from ovsnet.ovsdb.replica import Tables
from ovsnet.ovsdb.snapshot import SMALL_UPDATE
from ovsnet.protocol.jsonrpc import Body
from tests.ovsdb.following import Folded
from tests.ovsdb.turns import counted_turns

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Handler, Server

    Answering = Callable[[dict[str, Any]], Handler]

OVS, SB = "Open_vSwitch", "OVN_Southbound"
METHODS = ["monitor_cond_since", "monitor_cond", "monitor"]


class Told(Folded):
    """What ``on_change`` was told."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __call__(self, changes: Any) -> None:
        self.calls += 1
        self.fold(changes)


def forget(session: Session, methods: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the server look too old for some methods."""
    ask = session.request_patiently

    async def call(method: str, params: list[object], **deadlines: float) -> Body:
        if method in methods:
            raise UnknownMethod("An older server refused: unknown method.")
        return await ask(method, params, **deadlines)

    monkeypatch.setattr(session, "request_patiently", call)


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


async def settled(monitor: Monitor, session: Session) -> None:
    """Return when all updates of what was done before have been applied: the server sends in order."""
    await session.echo(timeout=10)
    await monitor._idle.wait()


@pytest.mark.parametrize("method", METHODS)
async def test_insert_modify_delete(session: Session, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(session, METHODS[: METHODS.index(method)], monkeypatch)
    await add_bridge(session, "br0")
    told = Told()
    monitor = await session.monitor(OVS, {"Bridge": ["name", "flood_vlans", "external_ids"]}, on_change=told)
    assert monitor.method == method
    assert monitor.synced
    assert names(monitor.tables) == {"br0"}
    await add_bridge(session, "br1", flood_vlans={1, 2}, external_ids={"a": "1", "b": "2"})
    await monitor.until(lambda tables: names(tables) == {"br0", "br1"}, timeout=10)
    changes = [("flood_vlans", "delete", {1}), ("flood_vlans", "insert", {3}), ("external_ids", "delete", {"a"})]
    await session.transact(OVS, mutate("Bridge", changes, [("name", "==", "br1")]))
    wanted = {"name": "br1", "flood_vlans": {2, 3}, "external_ids": {"b": "2"}}
    await monitor.until(lambda tables: wanted in tables["Bridge"].values(), timeout=10)
    await session.transact(OVS, update(OVS, {"bridges": None}))
    await monitor.until(lambda tables: not tables["Bridge"], timeout=10)
    assert told.tables == monitor.tables


VALUES: Mapping[str, Callable[[random.Random], object]] = {
    "external_ids": lambda rng: {rng.choice("abcd"): rng.choice("xy") for _ in range(rng.randrange(4))},
    "flood_vlans": lambda rng: set(rng.sample(range(6), rng.randrange(6))),
    "fail_mode": lambda rng: rng.choice([None, "secure", "standalone"]),
    "datapath_id": lambda rng: rng.choice([None, "", "1"]),
    "stp_enable": lambda rng: rng.choice([True, False]),
    "protocols": lambda rng: set(rng.sample(["OpenFlow10", "OpenFlow13", "OpenFlow15"], rng.randrange(4))),
}


def random_operation(rng: random.Random, step: int) -> list[Operation]:
    row = {name: make(rng) for name, make in VALUES.items() if rng.random() < 0.5}
    which = [("name", "==", f"br{rng.randrange(step + 1)}")]
    match rng.randrange(4):
        case 0 | 1:
            new = insert("Bridge", {"name": f"br{step}", **row}, name="new")
            return [new, mutate(OVS, [("bridges", "insert", {NamedUuid("new")})])]
        case 2:
            return [update("Bridge", row, which)]
        case _:
            return [mutate("Bridge", [(c, "insert", VALUES[c](rng)) for c in ("external_ids", "flood_vlans")], which)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
async def test_random_transactions_leave_the_copy_equal_to_a_select_of_everything(
    session: Session, method: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(session, METHODS[: METHODS.index(method)], monkeypatch)
    rng, told = random.Random(seed), Told()
    await session.transact(OVS, insert(OVS, {}))
    monitor = await session.monitor(OVS, {"Bridge": [*VALUES, "name"]}, on_change=told)
    for step in range(60):
        await session.transact(OVS, *random_operation(rng, step))
        if rng.random() < 0.05:
            await session.transact(OVS, update(OVS, {"bridges": None}))
    rows = await session.select(OVS, "Bridge", columns=[*VALUES, "name", "_uuid"])
    await settled(monitor, session)
    wanted = {row["_uuid"]: {name: value for name, value in row.items() if name != "_uuid"} for row in rows}
    assert monitor.tables == {"Bridge": wanted}
    assert told.tables == monitor.tables


async def test_missing_tables_and_columns_are_told_and_do_no_harm(session: Session) -> None:
    monitor = await session.monitor(OVS, {"Bridge": ["name", "colour"], "Chassis": None})
    assert monitor.missing == {"Bridge.colour", "Chassis"}
    assert list(monitor.tables) == ["Bridge"]


async def test_two_monitors_of_one_session_are_independent(session: Session) -> None:
    bridges = await session.monitor(OVS, {"Bridge": ["name"]})
    root = await session.monitor(OVS, {OVS: ["bridges"]})
    await add_bridge(session, "br0")
    await bridges.until(lambda tables: tables["Bridge"], timeout=10)
    await root.until(lambda tables: tables[OVS], timeout=10)
    assert list(bridges.tables) == ["Bridge"]
    await bridges.cancel()
    assert root.synced


async def test_cancelled_monitor_is_not_kept_up(session: Session) -> None:
    async with await session.monitor(OVS, {"Bridge": ["name"]}) as monitor:
        assert monitor.database == OVS
    assert isinstance(monitor.closed.result(), MonitorCanceled)
    assert not monitor.synced
    await add_bridge(session, "br0")
    await settled(monitor, session)
    assert not monitor.tables["Bridge"]
    with pytest.raises(MonitorCanceled):
        await monitor.until(names, timeout=10)
    with pytest.raises(MonitorCanceled):
        await monitor.set_conditions({})
    await monitor.cancel()


async def test_awaited_fact_that_does_not_come(session: Session) -> None:
    monitor = await session.monitor(OVS, {"Bridge": ["name"]})
    with pytest.raises(DeadlineExceeded, match="did not change as awaited"):
        await monitor.until(names, timeout=0.01)


async def test_fact_that_waits_in_the_socket_is_not_late(server: Server, session: Session) -> None:
    """Our loop was held up past the deadline, while the server had sent the update in time."""
    monitor = await session.monitor(OVS, {OVS: ["next_cfg"]})
    awaited = asyncio.create_task(monitor.until(lambda tables: tables[OVS], timeout=0.01))
    await asyncio.sleep(0)

    async def write() -> None:
        async with await connect(server.address) as other:
            await other.transact(OVS, insert(OVS, {}))

    deadline = time.monotonic() + 0.02
    writer = threading.Thread(target=lambda: asyncio.run(write()))
    writer.start()
    writer.join()
    channel = session.channel
    assert channel._transport is not None
    select.select([channel._transport.get_extra_info("socket").fileno()], [], [], 10)
    while time.monotonic() < deadline:
        pass
    await awaited


# Conditions, on the southbound as ovn-controller uses them.


def chassis(name: str) -> Operation:
    return insert("Chassis", {"name": name, "hostname": f"{name}.example", "encaps": {NamedUuid("e" + name)}})


def encap(name: str) -> Operation:
    row = {"type": "geneve", "ip": f"192.0.2.{name[1:]}", "chassis_name": name}
    return insert("Encap", row, name="e" + name)


def hosts(tables: Tables) -> set[str]:
    return {row["name"] for row in tables["Chassis"].values()}


async def test_conditional_monitor(session: Session) -> None:
    await session.transact(SB, encap("n1"), chassis("n1"), encap("n2"), chassis("n2"))
    tables = {"Chassis": ["name"]}
    monitor = await session.monitor(SB, tables, where={"Chassis": [("name", "==", "n1")]})
    assert hosts(monitor.tables) == {"n1"}
    await session.transact(SB, encap("n3"), chassis("n3"))
    await settled(monitor, session)
    assert hosts(monitor.tables) == {"n1"}
    await monitor.set_conditions({"Chassis": [("name", "==", "n2"), ("name", "==", "n3")]})
    assert hosts(monitor.tables) == {"n2", "n3"}
    await monitor.set_conditions({"Chassis": [False]})
    assert hosts(monitor.tables) == set()
    await monitor.set_conditions({})
    assert hosts(monitor.tables) == {"n1", "n2", "n3"}


# Size.


def many_flows(count: int, size: int = 200) -> list[Operation]:
    fields = {"pipeline": "ingress", "table_id": 3, "priority": 50, "actions": "next;"}
    return [insert("Logical_Flow", {**fields, "match": f"{n:08d}" + "x" * size}) for n in range(count)]


async def test_snapshot_of_20000_rows_leaves_the_loop_free(session: Session) -> None:
    """Between batches others run: a task that only yields must get its turn once per batch, at least."""
    await session.transact(SB, *many_flows(20_000), timeout=60)
    told = Told()
    with counted_turns() as turns:
        monitor = await session.monitor(SB, {"Logical_Flow": None}, on_change=told, timeout=60)
    assert len(monitor.tables["Logical_Flow"]) == 20_000
    assert told.tables == monitor.tables
    assert turns.count >= 2 * 20_000 / 500


async def test_large_update_is_swapped_in_whole(session: Session) -> None:
    told = Told()
    monitor = await session.monitor(SB, {"Logical_Flow": ["match"]}, on_change=told)
    seen = set[int]()
    rows = 2 * SMALL_UPDATE // 200
    await session.transact(SB, *many_flows(rows), *many_flows(1, 300), timeout=60)

    def complete(tables: Tables) -> bool:
        seen.add(len(tables["Logical_Flow"]))
        return len(tables["Logical_Flow"]) == rows + 1

    await monitor.until(complete, timeout=30)
    assert seen <= {0, rows + 1}
    await session.transact(SB, delete("Logical_Flow"), *many_flows(3), timeout=60)
    await monitor.until(lambda tables: len(tables["Logical_Flow"]) == 3, timeout=30)
    await settled(monitor, session)
    assert told.tables == monitor.tables
