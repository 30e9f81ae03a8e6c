"""The cases about guards, indexes, and columns that are read or changed in part; see ``cases``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ovsnet.ovsdb import Transaction
from ovsnet.ovsdb.errors import TransactionTimedOut
from ovsnet.ovsdb.operations import delete, insert, update
from tests.ovsdb.idl.conditions import ONE
from tests.ovsdb.idl.driver import NAME, Case, State, Step, World, inside, outside
from tests.ovsdb.idl.rows import IDS, plain
from tests.patience import PATIENCE

SETS = "Sets"


async def fails_verification(world: World) -> None:
    """What was read has changed since, and we do not know it yet."""
    uuid, row = world.uuid("Plain", 1), world.row("Plain", 1)
    await world.other.transact(NAME, update("Plain", {"real": 5.0}, [("number", "==", 1)]), timeout=PATIENCE)
    try:
        async with world.db.transaction(timeout=PATIENCE) as t:
            t.verify("Plain", uuid, row)
            t.update("Plain", uuid, real=3.0)
    except TransactionTimedOut:
        return
    raise AssertionError("it was written over another's change")


def passes_verification(t: Transaction, world: World) -> None:
    t.verify("Plain", world.uuid("Plain", 1), world.row("Plain", 1))
    t.update("Plain", world.uuid("Plain", 1), real=3.0)


NAMED: State = {"Plain": [{"text": "a", "number": 1}, {"text": "a", "number": 2}, {"text": "b", "number": 3}]}


def maps(**columns: object) -> dict[str, list[dict[str, object]]]:
    return {"Maps": [{"name": "m", **columns}]}


def sets(*ids: int, parts: str = "") -> dict[str, object]:
    """The row of Sets called s."""
    return {"name": "s", "ids": {IDS[each] for each in ids}, **({"parts": {parts}} if parts else {})}


def on(call: str, *arguments: object) -> Callable[[World], Awaitable[None]]:
    """``db.set``, ``db.add`` or ``db.remove``."""

    async def do(world: World) -> None:
        await getattr(world.db, call)(*arguments)

    return do


async def fetches(world: World) -> None:
    """A column that is not in the copy."""
    row = await world.db.get("Plain", world.uuid("Plain", 1), "real")
    assert row == {"real": 2.5}


async def looks_up(world: World) -> None:
    """By one column, by two, and by a reference."""
    by_text, by_both = world.monitor.index("Plain", "text"), world.monitor.index("Plain", "text", "number")
    assert sorted(row["number"] for row in by_text.find("a").values()) == [1, 2]
    assert by_both.get("a", 2)["number"] == 2
    assert by_both.find("b", 1) == {}
    assert sorted(row["number"] for row in world.monitor.index("Plain", "number").find(1).values()) == [1]


async def looks_up_reference(world: World) -> None:
    part = world.uuid("Part", "p")
    assert world.monitor.index(SETS, "parts").get(part)["name"] == "s"


async def finds_none(world: World) -> None:
    await world.other.transact(NAME, delete(SETS), timeout=PATIENCE)
    await world.settle()
    assert len(world.monitor.index(SETS, "parts")) == 0


PARTS = (
    Case(
        "simple idl, handling verification failure",
        (
            Step(outside(*plain(1)), ONE),
            Step(fails_verification, {"Plain": [{"number": 1, "real": 5.0}]}),
            Step(inside(passes_verification), {"Plain": [{"number": 1, "real": 3.0}]}),
        ),
    ),
    Case(
        "simple idl, initially populated (fetch)",
        (
            Step(outside(insert("Plain", {"number": 1, "real": 2.5})), ONE),
            Step(fetches, ONE, []),
            Step(outside(update("Plain", {"real": 7.0})), ONE, []),
        ),
        columns={"Plain": ["number"]},
    ),
    *(
        Case(
            title,
            (
                Step(
                    outside(insert("Maps", {"name": "m", "texts": {"a": "1", "b": "2"}})),
                    maps(texts={"a": "1", "b": "2"}),
                ),
                Step(on("set", "Maps", "m", {"texts:a": "one"}), maps(texts={"a": "one", "b": "2"}), ["Maps m: texts"]),
                Step(on("add", "Maps", "m", "names", {3: "c"}), maps(texts={"a": "one", "b": "2"}, names={3: "c"})),
                Step(on("add", "Maps", "m", "names", {3: "c"}), maps(texts={"a": "one", "b": "2"}, names={3: "c"}), []),
                Step(on("remove", "Maps", "m", "texts", ["a"]), maps(texts={"b": "2"}, names={3: "c"})),
                Step(on("remove", "Maps", "m", "texts", ["a"]), maps(texts={"b": "2"}, names={3: "c"}), []),
                Step(on("remove", "Maps", "m", "texts", {"b": "other"}), maps(texts={"b": "2"}, names={3: "c"}), []),
                Step(
                    inside(lambda t, w: t.insert("Maps", name="n", texts={"k": "v"})),
                    {"Maps": [*maps(texts={"b": "2"}, names={3: "c"})["Maps"], {"name": "n", "texts": {"k": "v"}}]},
                ),
            ),
        )
        for title in ("map, simple2 idl-partial-update-map-column, initially populated", "partial-map idl")
    ),
    Case(
        "partial-map update set refmap idl",
        (
            Step(
                outside(insert(SETS, {"name": "s"}), insert("Numbered", {"name": "n"})),
                {SETS: [{"name": "s"}], "Numbered": [{"name": "n"}]},
            ),
            Step(
                inside(lambda t, w: t.mutate("Numbered", [], ("sets", "insert", {1: w.uuid(SETS, "s")}))),
                {SETS: [{"name": "s"}], "Numbered": [{"name": "n", "sets": {1: "s"}}]},
                ["Numbered n: sets"],
            ),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(outside(insert(SETS, {"name": "s", "ids": {IDS[0], IDS[1]}})), {SETS: [sets(0, 1)]}),
                Step(on("add", SETS, "s", "ids", [IDS[2], IDS[3]]), {SETS: [sets(0, 1, 2, 3)]}, ["Sets s: ids"]),
                Step(on("add", SETS, "s", "ids", [IDS[3]]), {SETS: [sets(0, 1, 2, 3)]}, []),
                Step(on("remove", SETS, "s", "ids", [IDS[2]]), {SETS: [sets(0, 1, 3)]}),
                Step(on("remove", SETS, "s", "ids", [IDS[2]]), {SETS: [sets(0, 1, 3)]}, []),
                Step(
                    inside(lambda t, w: t.mutate(SETS, [], ("parts", "insert", [t.insert("Part", name="p")]))),
                    {SETS: [sets(0, 1, 3, parts="p")], "Part": [{"name": "p"}]},
                    ["+Part p", "Sets s: parts"],
                ),
                Step(looks_up_reference, {SETS: [sets(0, 1, 3, parts="p")], "Part": [{"name": "p"}]}),
                Step(finds_none, {}, ["-Part p", "-Sets s"]),
            ),
        )
        for title in (
            "set, simple3 idl-partial-update-set-column, initially populated",
            "partial-set idl",
            "set, simple3 idl-compound-index-with-ref, initially populated",
        )
    ),
    *(
        Case(
            title,
            (
                Step(outside(*(insert("Plain", row) for row in NAMED["Plain"])), NAMED),
                Step(looks_up, NAMED),
            ),
        )
        for title in ("Compound_index, single column test", "Compound_index, double column test")
    ),
)
