"""Large updates are taken in steps, and rows up to a bound."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import msgspec
import pytest

from ovsnet.errors import ProtocolFlood
from ovsnet.ovsdb.index import Index
from ovsnet.ovsdb.monitor_methods import RawTables
from ovsnet.ovsdb.replica import Replica
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.snapshot import BATCH, changes_in, difference, load
from tests.ovsdb.test_rows import real_schema
from tests.ovsdb.turns import counted_turns

MOST = 1000
ROOT = "00000000-0000-4000-8000-000000000001"


def copy_of_external_ids() -> Replica:
    table = real_schema("vswitch.ovsschema").table("Open_vSwitch")
    return Replica({"Open_vSwitch": {"external_ids": table.columns["external_ids"]}})


def update(kind: str, size: int) -> RawTables:
    """One row whose text has that many bytes."""
    row = b'{"%s":{"external_ids":["map",[["a","%s"]]]}}'
    row %= kind.encode(), b"x" * (size - len(row) + 4 - len(kind))
    assert len(row) == size
    return RawTables({"Open_vSwitch": msgspec.Raw(b'{"%s":%s}' % (ROOT.encode(), row))})


async def test_row_beyond_the_bound_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded it would be ten times as large."""
    replica = copy_of_external_ids()
    await load(replica, update("initial", MOST), MOST)
    monkeypatch.setattr("ovsnet.ovsdb.snapshot._ROW", None)
    for kind, take in (("initial", load), ("modify", changes_in)):
        with pytest.raises(ProtocolFlood, match=f"Row {ROOT} of Open_vSwitch has"):
            await take(replica, update(kind, MOST + 1), MOST)


async def test_without_a_bound_all_is_taken() -> None:
    replica = copy_of_external_ids()
    await load(replica, update("initial", 1 << 20))
    assert len(await changes_in(replica, update("modify", 2 << 20))) == 1


@pytest.fixture
def thawed() -> Iterator[None]:
    """Nothing is frozen, as in most processes; the tests' own process freezes what it has collected."""
    gc.unfreeze()
    yield
    gc.freeze()


@contextlib.contextmanager
def collections_begun() -> Iterator[list[int]]:
    """The generations that Python collects while the block runs."""
    begun: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            begun.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield begun
    finally:
        gc.callbacks.remove(note)


@pytest.mark.usefixtures("thawed")
async def test_rows_are_walked_by_no_collection_while_they_come() -> None:
    """Each full one would walk all that are there already: 100 000 take a seventh of a second."""
    with collections_begun() as begun:
        await load(copy_of_external_ids(), many(20 * BATCH))
    assert max(begun, default=0) == 0  # of none but what was made since the last batch


@pytest.mark.usefixtures("thawed")
async def test_what_a_program_has_frozen_stays_so() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    await load(copy_of_external_ids(), many(2 * BATCH))
    assert frozen / 2 < gc.get_freeze_count() <= frozen


def many(rows: int) -> RawTables:
    row = '"00000000-0000-4000-8000-%012x":{"initial":{"external_ids":["map",[["a","b"]]]}}'
    text = "{" + ",".join(row % number for number in range(rows)) + "}"
    return RawTables({"Open_vSwitch": msgspec.Raw(text.encode())})


async def test_rows_that_are_as_they_were_are_shared_and_cost_no_second_memory() -> None:
    before, after = copy_of_external_ids(), copy_of_external_ids()
    await load(before, many(3 * BATCH))
    known = dict(before.tables["Open_vSwitch"])
    changed = next(iter(known))
    before.tables["Open_vSwitch"][changed] = {"external_ids": {}}
    await load(after, many(3 * BATCH), known=before)
    rows = after.tables["Open_vSwitch"]
    assert rows == known
    assert [uuid for uuid, row in rows.items() if row is not known[uuid]] == [changed]


async def test_rows_of_another_schema_are_not_shared() -> None:
    """A real that equals an integer is none: 1.0 would be 1 after a conversion."""
    raw = RawTables({"T": msgspec.Raw(b'{"%s":{"initial":{"c":1}}}' % ROOT.encode())})
    integers, reals = (Replica({"T": {"c": Column("c", key)}}) for key in ("integer", "real"))
    await load(integers, raw)
    await load(reals, raw, known=integers)
    assert [type(row["c"]) for row in reals.tables["T"].values()] == [float]


async def test_a_difference_gives_the_loop_its_turns_though_nothing_differs() -> None:
    """All rows were fetched again, and are the same: that is found out row by row, too."""
    old, new = copy_of_external_ids(), copy_of_external_ids()
    for copy in (old, new):
        await load(copy, many(60 * BATCH))
    with counted_turns() as turns:
        assert await difference(old.tables, new.tables) == []
    assert turns.count >= 12


@pytest.mark.usefixtures("thawed")
async def test_rows_are_told_and_indexed_without_a_collection_of_everything() -> None:
    """Of a first copy each row is a change, and found by an index."""
    rows, none = copy_of_external_ids(), copy_of_external_ids()
    await load(rows, many(60 * BATCH))
    index = Index("Open_vSwitch", ("external_ids:a",))
    with collections_begun() as begun:
        changes = await difference(none.tables, rows.tables)
        prepared = await index.prepared(rows.tables)
    assert len(changes) == len(prepared.find("b")) == 60 * BATCH
    assert max(begun, default=0) < 2
