"""The cases about references, to rows that are there, that go, and that the copy has not; see ``cases``."""

from __future__ import annotations

from ovsnet.ovsdb import NamedUuid, Transaction
from ovsnet.ovsdb.operations import delete, insert, update
from tests.ovsdb.idl.conditions import NONE, ONE, ZERO, numbered
from tests.ovsdb.idl.driver import NAME, Case, Step, World, asks, begin, inside, outside
from tests.ovsdb.idl.rows import node, plain, weak
from tests.patience import PATIENCE

BOTH = {"Plain": [{}, {"number": 1}]}
PART = {"Part": [{"name": "p"}]}


def refers(*rows: object, name: str = "w") -> dict[str, list[dict[str, object]]]:
    """The row of Weak."""
    return {"Weak": [{"name": name, "rows": set(rows)} if rows else {"name": name}]}


def owns(part: str) -> dict[str, list[dict[str, object]]]:
    """The row of Sets."""
    return {"Sets": [{"name": "s", "parts": {part}}]}


OWNED = outside(insert("Part", {"name": "p"}, name="p"), insert("Sets", {"name": "s", "parts": {NamedUuid("p")}}))


async def waits(world: World) -> None:
    """Two transactions before the copy is looked at."""
    await inside(inserts_and_refers)(world)
    await world.other.transact(NAME, delete("Plain", [("number", "==", 2)]), timeout=PATIENCE)


def inserts_and_refers(t: Transaction, world: World) -> None:
    t.mutate("Weak", [], ("rows", "insert", [t.insert("Plain", number=2)]))


def inserted_and_deleted(first: dict[str, object], *others: dict[str, object], gone: str, number: int) -> Step:
    """Rows that refer to each other, and one of them that goes at once; the others are ``Node`` and ``Link`` 1."""

    async def do(world: World) -> None:
        await world.other.transact(NAME, first, *others, timeout=PATIENCE)
        await world.other.transact(NAME, delete(gone, [("number", "==", number)]), timeout=PATIENCE)

    link = {"number": 1, "node": 1} if gone == "Link" else {"number": 1}
    one = {"number": 1, "next": 1} if gone == "Link" else {"number": 1, "next": 1, "link": 1}
    told = ["+Link 1", "+Node 1", f"+{gone} 2", f"-{gone} 2"]
    return Step(do, {"Node": [one], "Link": [link]}, told)


REFERENCES = (
    Case(
        "track, simple idl, initially populated, orphan weak references",
        (
            Step(outside(*plain(0, 1), weak("p0", "p1")), {**BOTH, **refers(0, 1)}),
            Step(asks(NONE), refers("?"), ["-Plain 0", "-Plain 1"]),
            Step(asks(numbered(1)), {**ONE, **refers(1, "?")}, ["+Plain 1"]),
            Step(outside(update("Weak", {"name": "v"})), {**ONE, **refers(1, "?", name="v")}, ["Weak v: name"]),
            Step(outside(delete("Weak")), ONE, ["-Weak v"]),
        ),
    ),
    Case(
        "track, simple idl, initially populated, orphan rows, conditional",
        (
            Step(outside(*plain(0, 1), weak("p0")), {**BOTH, **refers(0)}),
            Step(asks(numbered(0)), {**ZERO, **refers(0)}, ["-Plain 1"]),
            Step(asks(numbered(1)), {**ONE, **refers("?")}, ["+Plain 1", "-Plain 0"]),
            Step(asks(numbered(0)), {**ZERO, **refers(0)}, ["+Plain 0", "-Plain 1"]),
            Step(outside(delete("Weak")), ZERO, ["-Weak w"]),
        ),
    ),
    Case(
        "track, simple idl, initially populated, references, conditional delete",
        (
            Step(outside(*plain(0, 1), weak("p0", "p1")), {**BOTH, **refers(0, 1)}),
            Step(asks(numbered(0)), {**ZERO, **refers(0, "?")}, ["-Plain 1"]),
            Step(asks(numbered(1)), {**ONE, **refers(1, "?")}, ["+Plain 1", "-Plain 0"]),
            Step(outside(delete("Weak")), ONE, ["-Weak w"]),
        ),
    ),
    Case(
        "track, simple idl, initially populated, references, single delete",
        (
            Step(outside(*plain(0), weak("p0")), {**ZERO, **refers(0)}, ["+Plain 0", "+Weak w"]),
            Step(outside(delete("Plain")), refers(), ["-Plain 0", "Weak w: rows"]),
            Step(outside(*plain(0)), {**ZERO, **refers()}, ["+Plain 0"]),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(outside(*plain(0), weak("p0")), {**ZERO, **refers(0)}),
                Step(outside(delete("Plain"), delete("Weak")), {}, ["-Plain 0", "-Weak w"]),
                Step(outside(*plain(0)), ZERO, ["+Plain 0"]),
            ),
        )
        for title in (
            "simple idl, references, multiple deletes",
            "track, simple idl, initially populated, weak references, multiple deletes",
        )
    ),
    Case(
        "track, simple idl, initially populated, weak references, insert+delete batch",
        (
            Step(outside(*plain(0), weak("p0")), {**ZERO, **refers(0)}),
            Step(
                waits,
                {**ZERO, **refers(0)},
                ["+Plain 2", "-Plain 2", "Weak w: rows", "Weak w: rows"],
            ),
        ),
    ),
    Case(
        "track, simple idl, initially populated, strong references, multiple deletes",
        (
            Step(
                OWNED,
                {**PART, **owns("p")},
            ),
            Step(outside(delete("Sets"), delete("Part")), {}, ["-Part p", "-Sets s"]),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(
                    OWNED,
                    {**PART, **owns("p")},
                ),
                Step(asks({"Part": [False]}), owns("?"), ["-Part p"]),
                Step(outside(*plain(1)), {**ONE, **owns("?")}, ["+Plain 1"]),
            ),
        )
        for title in (
            "simple idl, initially populated, strong references, conditional",
            "track, simple idl, initially populated, strong references, conditional",
        )
    ),
    *(
        Case(title, (Step(begin, {}), step))
        for title, step in (
            (
                "track, insert and delete, refs to link1",
                inserted_and_deleted(
                    dict(insert("Link", {"number": 1, "node": NamedUuid("n")})),
                    node(1, "n", "n"),
                    dict(insert("Link", {"number": 2, "node": NamedUuid("n")})),
                    gone="Link",
                    number=2,
                ),
            ),
            (
                "track, simple idl, initially empty, strong references, insert and delete",
                inserted_and_deleted(
                    node(1, "n", "n"),
                    dict(insert("Link", {"number": 2, "node": NamedUuid("n")})),
                    dict(insert("Link", {"number": 1, "node": NamedUuid("n")})),
                    gone="Link",
                    number=2,
                ),
            ),
            (
                "track, insert and delete, refs to link2",
                inserted_and_deleted(
                    node(1, "n", "n", link=NamedUuid("l")),
                    dict(insert("Link", {"number": 1}, name="l")),
                    node(2, "o", "n", link=NamedUuid("l")),
                    gone="Node",
                    number=2,
                ),
            ),
        )
    ),
)
