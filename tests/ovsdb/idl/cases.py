"""What the cases of Open vSwitch's ovsdb-idl.at are about, in operations and expected states of our own.

A row that refers to one outside the copy keeps its Uuid, shown as ``?`` here: the IDL hides such a reference.
"""

from __future__ import annotations

from collections.abc import Callable

from ovsnet.ovsdb import NamedUuid, Transaction
from ovsnet.ovsdb.errors import ConstraintViolation, DuplicateUuid, ReferentialIntegrityViolation
from ovsnet.ovsdb.operations import delete, insert, mutate, update
from tests.ovsdb.idl.driver import Case, Step, World, begin, given_up, inside, outside, reconnects, refused
from tests.ovsdb.idl.rows import FULL, IDS, OTHER, node, plain, with_uuid

BOTH = outside(insert("Plain", FULL), insert("Plain", {}))
EVERY_COLUMN = "flag id ids maybe number numbers real reals text texts"


VARIOUS = (
    Step(begin, {}, []),
    Step(BOTH, {"Plain": [{}, FULL]}, ["+Plain 0", "+Plain 1"]),
    Step(outside(update("Plain", {"flag": True})), {"Plain": [{"flag": True}, FULL]}, ["Plain 0: flag"]),
    Step(
        outside(update("Plain", {"real": 9.5})),
        {"Plain": [{"flag": True, "real": 9.5}, {**FULL, "real": 9.5}]},
        ["Plain 0: real", "Plain 1: real"],
    ),
    Step(
        outside(insert("Plain", OTHER)),
        {"Plain": [OTHER, {"flag": True, "real": 9.5}, {**FULL, "real": 9.5}]},
        ["+Plain -1"],
    ),
    Step(
        outside(update("Plain", {"text": "new"}, [("number", "<", 1)])),
        {"Plain": [{**OTHER, "text": "new"}, {"flag": True, "real": 9.5, "text": "new"}, {**FULL, "real": 9.5}]},
        ["Plain -1: text", "Plain 0: text"],
    ),
    Step(
        outside(delete("Plain", [("number", "==", 0)])),
        {"Plain": [{**OTHER, "text": "new"}, {**FULL, "real": 9.5}]},
        ["-Plain 0"],
    ),
    Step(reconnects, {"Plain": [{**OTHER, "text": "new"}, {**FULL, "real": 9.5}]}, []),
)

UNIQUE = (
    Step(begin, {}, []),
    Step(outside(insert("Unique", {"number": 5})), {"Unique": [{"number": 5}]}, ["+Unique 5"]),
    Step(
        outside(update("Unique", {"number": 6}, [("number", "==", 5)])),
        {"Unique": [{"number": 6}]},
        ["Unique 6: number"],
    ),
    Step(outside(delete("Unique", [("number", "==", 6)])), {}, ["-Unique 6"]),
)

CHAIN = (
    Step(begin, {}),
    Step(outside(node(0, "a", "a")), {"Node": [{"next": 0}]}),
    Step(
        outside(node(1, "b", "c"), node(2, "c", "b")),
        {"Node": [{"next": 0}, {"number": 1, "next": 2}, {"number": 2, "next": 1}]},
    ),
    Step(
        inside(lambda t, w: t.update("Node", [("number", "==", 1)], next=w.uuid("Node", 1))),
        {"Node": [{"next": 0}, {"number": 1, "next": 1}, {"number": 2, "next": 1}]},
    ),
    Step(
        inside(lambda t, w: t.update("Node", [], next=w.uuid("Node", 0))),
        {"Node": [{"next": 0}, {"number": 1, "next": 0}, {"number": 2, "next": 0}]},
    ),
)


FOUR = {
    "Node": [
        {"next": 0, "nexts": {0, 1, 2, 3}},
        *({"number": each, "next": 0, "nexts": {0, 1, 2, 3}} for each in range(1, 4)),
    ]
}


def writes_first(t: Transaction, world: World) -> None:
    for number, values in ((0, {"flag": True}), (1, {"real": 3.5})):
        uuid = world.uuid("Plain", number)
        t.verify("Plain", uuid, world.row("Plain", number))
        t.update("Plain", uuid, values)


def writes_second(t: Transaction, world: World) -> None:
    made = t.insert("Plain", number=2)
    t.wait("Plain", made, [{"number": 2}], columns=["number"])
    t.verify("Plain", world.uuid("Plain", 1), {"flag": True})
    t.delete("Plain", world.uuid("Plain", 1))


def inserts(text: str) -> Callable[[Transaction, World], object]:
    return lambda t, w: t.insert("Plain", number=1, text=text)


def writes_links(t: Transaction, world: World) -> None:
    one, two = t.insert("Node", number=1), t.insert("Node", number=2)
    t.update("Node", one, next=one, nexts=[one])
    t.update("Node", two, next=one, nexts=[one, two])


def writes_all_kinds(t: Transaction, world: World) -> None:
    t.insert("Plain", number=2)
    t.update("Plain", world.uuid("Plain", 1), flag=True)
    t.delete("Plain", world.uuid("Plain", 0))


PLAIN_CASES = (
    Case("simple idl, initially empty, no ops", (Step(begin, {}, []),)),
    Case("simple idl, initially empty, various ops", VARIOUS),
    Case("simple idl disable monitor-cond", VARIOUS, conditional=False),
    Case(
        "simple idl, initially populated",
        (
            Step(BOTH, {"Plain": [{}, FULL]}, ["+Plain 0", "+Plain 1"]),
            Step(outside(update("Plain", {"flag": True})), {"Plain": [{"flag": True}, FULL]}, ["Plain 0: flag"]),
        ),
    ),
    Case(
        "simple idl, writing via IDL",
        (
            Step(BOTH, {"Plain": [{}, FULL]}),
            Step(inside(writes_first), {"Plain": [{"flag": True}, {**FULL, "real": 3.5}]}),
            Step(inside(writes_second), {"Plain": [{"flag": True}, {"number": 2}]}),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(outside(insert("Plain", {"text": text})), {"Plain": [{"text": text}]}),
                Step(
                    inside(inserts(2 * text)),
                    {"Plain": [{"text": text}, {"number": 1, "text": 2 * text}]},
                ),
            ),
        )
        for title, text in (
            ("simple idl, writing via IDL with unicode", "\U0001f409 źdźbło"),
            ("simple idl, writing large data via IDL with unicode", "雪が降る" * 1000),
        )
    ),
    Case(
        "simple idl, inserting without modifying a column, insert_no_columns_changed",
        (Step(begin, {}), Step(inside(lambda t, w: t.insert("Plain")), {"Plain": [{}]})),
    ),
    Case(
        "simple idl, increment operation",
        (
            Step(outside(insert("Plain", {})), {"Plain": [{}]}),
            Step(
                inside(lambda t, w: t.mutate("Plain", w.uuid("Plain", 0), ("number", "+=", 1), ("real", "+=", 2.0))),
                {"Plain": [{"number": 1, "real": 2.0}]},
            ),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(outside(insert("Plain", {})), {"Plain": [{}]}),
                Step(given_up(lambda t, w: t.update("Plain", [], real=2.0)), {"Plain": [{}]}, []),
                Step(inside(lambda t, w: t.update("Plain", [], flag=True)), {"Plain": [{"flag": True}]}),
            ),
        )
        for title in ("simple idl, aborting", "simple idl, destroy without commit or abort")
    ),
    Case("indexed idl, modification and removal", UNIQUE),
    Case("track, indexed idl, modification and removal", UNIQUE),
    Case("indexed idl, modification and removal notify", UNIQUE),
    Case("track, simple idl, initially empty, various ops", VARIOUS),
    Case("simple idl verify notify", VARIOUS),
    Case(
        "track, simple idl, initially populated",
        (
            Step(outside(insert("Plain", FULL)), {"Plain": [FULL]}, ["+Plain 1"]),
            Step(
                outside(
                    update("Plain", {**OTHER, "flag": False, "text": "", "id": IDS[3], "texts": set(), "ids": set()})
                ),
                {"Plain": [{**OTHER, "id": IDS[3]}]},
                [f"Plain -1: {EVERY_COLUMN}"],
            ),
        ),
    ),
    Case("self-linking idl, consistent ops", CHAIN),
    Case(
        "ovsdb-idl - handling of missing tables and columns",
        CHAIN,
        lacking=frozenset({"Link", "Node.link", "Unique", "Single", "Weak"}),
    ),
    Case(
        "self-linking idl, inconsistent ops",
        (
            Step(begin, {}),
            Step(refused(ReferentialIntegrityViolation, insert("Node", {"next": IDS[0]})), {}, []),
            Step(
                outside(node(1, "a", "a"), node(2, "b", "a")),
                {"Node": [{"number": 1, "next": 1}, {"number": 2, "next": 1}]},
            ),
            Step(
                refused(ReferentialIntegrityViolation, update("Node", {"next": IDS[0]})),
                {"Node": [{"number": 1, "next": 1}, {"number": 2, "next": 1}]},
                [],
            ),
            Step(
                refused(ReferentialIntegrityViolation, delete("Node", [("number", "==", 1)])),
                {"Node": [{"number": 1, "next": 1}, {"number": 2, "next": 1}]},
                [],
            ),
            Step(outside(delete("Node", [("number", "==", 2)])), {"Node": [{"number": 1, "next": 1}]}, ["-Node 2"]),
            Step(outside(delete("Node")), {}, ["-Node 1"]),
        ),
    ),
    Case(
        "self-linking idl, sets",
        (
            Step(
                outside(*(node(each, f"n{each}", "n0", nexts={NamedUuid(f"n{each}")}) for each in range(4))),
                {"Node": [{"next": 0, "nexts": {0}}, *({"number": n, "next": 0, "nexts": {n}} for n in range(1, 4))]},
            ),
            Step(
                inside(lambda t, w: t.update("Node", [], nexts=[w.uuid("Node", each) for each in range(4)])),
                FOUR,
            ),
            Step(
                refused(ReferentialIntegrityViolation, mutate("Node", [("nexts", "insert", {IDS[0]})])),
                FOUR,
                [],
            ),
            Step(outside(delete("Node")), {}, [f"-Node {each}" for each in range(4)]),
        ),
    ),
    *(
        Case(
            title,
            (
                Step(begin, {}),
                Step(
                    outside(insert("Link", {"number": 7}, name="l"), node(1, "a", "a", link=NamedUuid("l"))),
                    {"Node": [{"number": 1, "next": 1, "link": 7}], "Link": [{"number": 7}]},
                    ["+Link 7", "+Node 1"],
                ),
                Step(
                    inside(lambda t, w: t.update("Link", [], node=w.uuid("Node", 1))),
                    {"Node": [{"number": 1, "next": 1, "link": 7}], "Link": [{"number": 7, "node": 1}]},
                    ["Link 7: node"],
                ),
            ),
        )
        for title in ("external-linking idl, consistent ops", "simple link idl verify notify")
    ),
    Case(
        "external-linking idl, insert ops",
        (
            Step(begin, {}),
            Step(
                inside(writes_links),
                {"Node": [{"number": 1, "next": 1, "nexts": {1}}, {"number": 2, "next": 1, "nexts": {1, 2}}]},
            ),
        ),
    ),
    Case(
        "singleton idl, constraints",
        (
            Step(outside(insert("Single", {"name": "one"})), {"Single": [{"name": "one"}]}),
            Step(refused(ConstraintViolation, insert("Single", {"name": "two"})), {"Single": [{"name": "one"}]}, []),
            Step(
                outside(delete("Single"), insert("Single", {"name": "two"})),
                {"Single": [{"name": "two"}]},
                ["+Single two", "-Single one"],
            ),
        ),
    ),
    Case(
        "row-from-json idl, whats this",
        (
            Step(outside(*plain(0, 1)), {"Plain": [{}, {"number": 1}]}),
            Step(
                inside(writes_all_kinds),
                {"Plain": [{"number": 1, "flag": True}, {"number": 2}]},
                ["+Plain 2", "-Plain 0", "Plain 1: flag"],
            ),
        ),
    ),
    Case(
        "simple idl, persistent uuid insert",
        (
            Step(outside(with_uuid(IDS[2], 2), with_uuid(IDS[3], 3)), {"Plain": [{"number": 2}, {"number": 3}]}),
            Step(
                refused(DuplicateUuid, with_uuid(IDS[4], 4), with_uuid(IDS[2], 5)),
                {"Plain": [{"number": 2}, {"number": 3}]},
                [],
            ),
            Step(outside(delete("Plain", [("_uuid", "==", IDS[2])])), {"Plain": [{"number": 3}]}),
            Step(outside(with_uuid(IDS[2], 5)), {"Plain": [{"number": 3}, {"number": 5}]}),
        ),
    ),
    Case(
        "simple idl, python, add_op",
        (
            Step(
                inside(lambda t, w: [t.insert("Plain", number=each) for each in (1, 2, 3)]),
                {"Plain": [{"number": 1}, {"number": 2}, {"number": 3}]},
            ),
            Step(
                inside(lambda t, w: (t.insert("Plain", number=4), t.delete("Plain", [("number", "<", 3)]))),
                {"Plain": [{"number": 3}, {"number": 4}]},
                ["+Plain 4", "-Plain 1", "-Plain 2"],
            ),
        ),
    ),
)
