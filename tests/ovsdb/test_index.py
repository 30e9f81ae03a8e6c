"""Rows by what they hold: an index says what a scan would, whatever happened to the rows."""

from __future__ import annotations

import asyncio
import random
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import UsageError
from ovsnet.ovsdb import Client, Uuid, connect
from ovsnet.ovsdb.changes import Audience, Changes
from ovsnet.ovsdb.errors import NoSuchRow
from ovsnet.ovsdb.operations import delete, insert, mutate, update
from ovsnet.ovsdb.replica import Change, changes_between
from tests.ovsdb.turns import counted_turns
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb import Tables
    from tests.ovsdb.conftest import Server

OVS, SB = "Open_vSwitch", "OVN_Southbound"
TABLE = "T"
UUIDS = [Uuid(f"00000000-0000-4000-8000-{number:012d}") for number in range(8)]


def random_row(rng: random.Random) -> dict[str, Any]:
    return {
        "name": rng.choice("abc"),
        "tag": rng.choice((None, 1, 2)),
        "ports": frozenset(rng.sample(UUIDS, rng.randrange(3))),
        "ids": {key: rng.choice("xy") for key in "km" if rng.random() < 0.5},
    }


def random_rows(rng: random.Random) -> dict[Uuid, Any]:
    return {uuid: random_row(rng) for uuid in rng.sample(UUIDS, rng.randrange(len(UUIDS)))}


def scan(tables: Tables, **wanted: object) -> dict[Uuid, Any]:
    """What an index should find."""

    def has(row: Any, column: str, value: object) -> bool:
        column, _, key = column.partition("__")
        held = row[column]
        if key:
            return key in held and held[key] == value
        return value in held if isinstance(held, dict | frozenset) else held == value

    rows = tables[TABLE]
    return {uuid: row for uuid, row in rows.items() if all(has(row, *each) for each in wanted.items())}


@pytest.mark.parametrize("seed", range(20))
def test_index_finds_what_a_scan_finds_whatever_comes(seed: int) -> None:
    """One made before the rows came, one from rows that were there; over changes, and over new copies."""
    rng = random.Random(seed)
    audience = Audience()
    early = audience.index(TABLE, ("name", "tag"))
    tables: dict[str, dict[Uuid, Any]] = {TABLE: {}}
    for step in range(30):
        old, new = tables[TABLE], random_rows(rng)
        changes = list(chain.from_iterable(changes_between({TABLE: old}, {TABLE: new}, 2)))
        if step == 0 or rng.random() < 0.3:  # all rows were fetched again
            tables = {TABLE: new}
            indexes = asyncio.run(audience.prepared(tables))
            audience.index(TABLE, (rng.choice(("name", "ports")),))  # asked for meanwhile
            audience.replace(tables, indexes)
            audience.deliver(Changes(changes))
            changes = []
        else:
            for change in changes:
                if change.new is None:
                    del old[change.uuid]
                else:
                    old[change.uuid] = change.new
        if changes:
            audience.tell(Changes(changes))
        names, ports = audience.index(TABLE, ("name",)), audience.index(TABLE, ("ports",))
        keys, values = audience.index(TABLE, ("ids",)), audience.index(TABLE, ("ids:k",))
        for value in "abcxykm":
            assert names.find(value) == scan(tables, name=value)
            assert keys.find(value) == scan(tables, ids=value)
            assert values.find(value) == scan(tables, ids__k=value)
            assert early.find(value, None) == scan(tables, name=value, tag=None)
            assert (value in names) == bool(names.find(value))
        assert all(ports.find(each) == scan(tables, ports=each) for each in UUIDS)
    assert audience.index(TABLE, ("name",)) is names


def many_rows(count: int) -> dict[str, dict[Uuid, Any]]:
    return {
        TABLE: {Uuid(f"00000000-0000-4000-8000-{number:012d}"): {"name": str(number % 100)} for number in range(count)}
    }


async def test_index_that_is_awaited_leaves_the_loop_its_turns() -> None:
    audience = Audience()
    audience.publish(many_rows(20_000))
    with counted_turns() as turns:
        names = await audience.index(TABLE, ("name",))
        assert turns.count >= 20_000 / 500
    assert (len(names), len(names.find("7"))) == (100, 200)
    with counted_turns() as turns:
        assert await audience.index(TABLE, ("name",)) is names
        assert turns.count == 0, "it was made"


async def test_index_that_nobody_reads_costs_nothing() -> None:
    """Neither those that ask for one nor the changes before the first look wait for all of it."""
    audience = Audience()
    tables = many_rows(2000)
    audience.publish(tables)
    names = audience.index(TABLE, ("name",))
    gone = next(iter(tables[TABLE]))
    audience.tell(Changes([Change(TABLE, gone, tables[TABLE].pop(gone), None)]))
    assert not names._found
    assert names.find("0") == scan(tables, name="0")


@pytest.mark.parametrize("seed", range(20))
async def test_index_that_is_awaited_follows_what_changes_meanwhile(seed: int) -> None:
    """Rows go, change and come before and after they were read; and with some seeds all are fetched again, or one
    looks into the index before it is complete, or gives up awaiting it."""
    rng = random.Random(seed)
    audience, tables = Audience(), many_rows(3000)
    audience.publish(tables)
    names = audience.index(TABLE, ("name",))
    made = asyncio.ensure_future(names)
    for turn in range(12):
        await asyncio.sleep(0)
        rows, changes = tables[TABLE], []
        for uuid in rng.sample(sorted(rows), 50):
            old, new = rows.pop(uuid), {"name": str(rng.randrange(150))}
            if rng.random() < 0.5:
                rows[uuid] = new
            changes.append(Change(TABLE, uuid, old, rows.get(uuid)))
        added = Uuid(f"00000000-0000-4000-8000-{9000 + turn:012d}")
        rows[added] = {"name": "7"}
        audience.tell(Changes([*changes, Change(TABLE, added, None, rows[added])]))
        if turn == 3 and seed % 4 == 1:
            assert names.find("7") == scan(tables, name="7")
        if turn == 3 and seed % 4 == 2:
            tables = {TABLE: dict(rng.sample(sorted(rows.items()), 1000))}
            audience.replace(tables, {})
        if turn == 3 and seed % 4 == 3:
            made.cancel()
            made = asyncio.ensure_future(names)
    assert await made is names
    for number in range(150):
        assert names.find(str(number)) == scan(tables, name=str(number))


def test_what_is_no_row_is_not_found() -> None:
    audience = Audience()
    audience.publish({TABLE: {UUIDS[0]: {"name": "a"}, UUIDS[1]: {"name": "a"}, UUIDS[2]: {"name": "b"}}})
    names = audience.index(TABLE, ("name",))
    assert names.get("b") == {"name": "b"}
    with pytest.raises(NoSuchRow, match="2 rows of T with name a"):
        names.get("a")
    with pytest.raises(NoSuchRow, match="no rows of T with name c"):
        names.get("c")
    with pytest.raises(UsageError, match="takes 1 values, and 2 were given"):
        names.find("a", "b")
    with pytest.raises(UsageError, match=r"No row of T is found by \['a'\]"):
        names.find(["a"])  # type: ignore[arg-type]
    assert ("a" in names, "c" in names, len(names)) == (True, False, 2)
    lacking = audience.index(TABLE, ("newer", "name"))
    assert (len(lacking), lacking.find(1, "a")) == (0, {})


def test_change_of_another_table_is_none_of_its() -> None:
    audience = Audience()
    audience.publish({TABLE: {}})
    names = audience.index(TABLE, ("name",))
    audience.tell(Changes([Change("Other", UUIDS[0], None, {"name": "a"})]))
    assert len(names) == 0


async def test_index_of_a_monitor_follows_each_transaction_before_it_is_told(server: Server) -> None:
    async with connect(server.address, timeout=PATIENCE) as session:
        seen: list[bool] = []

        def told(changes: Changes) -> None:
            seen.extend(change.new is not None and change.new["name"] in names for change in changes)

        monitor = await session.monitor(SB, {"Address_Set": ["name", "addresses"]}, on_change=told, timeout=PATIENCE)
        names, addresses = monitor.index("Address_Set", "name"), monitor.index("Address_Set", "addresses")
        await session.transact(
            SB,
            insert("Address_Set", {"name": "a", "addresses": {"10.0.0.1", "10.0.0.2"}}),
            insert("Address_Set", {"name": "b", "addresses": {"10.0.0.2"}}),
            timeout=PATIENCE,
        )
        await monitor.until(lambda _: "b" in names, timeout=PATIENCE)
        assert seen == [True, True]
        assert names.get("a")["addresses"] == {"10.0.0.1", "10.0.0.2"}
        assert {row["name"] for row in addresses.find("10.0.0.2").values()} == {"a", "b"}
        change = mutate("Address_Set", [("addresses", "delete", {"10.0.0.2"})], [("name", "==", "a")])
        await session.transact(SB, change, delete("Address_Set", [("name", "==", "b")]), timeout=PATIENCE)
        await monitor.until(lambda _: "10.0.0.2" not in addresses, timeout=PATIENCE)
        assert len(names) == 1


async def test_index_outlives_its_connection(server: Server) -> None:
    """A standalone server forgets where the copy was, so all rows come again."""
    async with Client(server.address, probe=None, timeout=PATIENCE) as client:
        monitor = client.monitor(OVS, {OVS: None, "Bridge": ["name"]}, timeout=PATIENCE)
        with pytest.raises(UsageError, match="Column fail_mode of Bridge is not monitored"):
            monitor.index("Bridge", "fail_mode")
        ids = monitor.index(OVS, "external_ids:system-id")
        async with monitor:
            await client.transact(OVS, insert(OVS, {"external_ids": {"system-id": "a"}}), timeout=PATIENCE)
            await monitor.until(lambda _: "a" in ids, timeout=PATIENCE)
            server.kill()
            await server.start()
            await client.transact(OVS, update(OVS, {"external_ids": {"system-id": "b"}}), timeout=PATIENCE)
            await monitor.until(lambda _: "b" in ids, timeout=PATIENCE)
            assert "a" not in ids
            assert ids.get("b")["external_ids"] == {"system-id": "b"}
            assert monitor.index(OVS, "external_ids:system-id") is ids
            with pytest.raises(UsageError, match="Column typo of Open_vSwitch is not monitored"):
                monitor.index(OVS, "typo")
            with pytest.raises(UsageError, match="Table Port is not monitored"):
                monitor.index("Port", "name")
            with pytest.raises(UsageError, match="one column or more"):
                monitor.index("Bridge")
        assert ids.get("b"), "the rows stay readable"
