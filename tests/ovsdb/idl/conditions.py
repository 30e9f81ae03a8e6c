"""The cases about which rows the copy has; see ``cases``."""

from __future__ import annotations

from ovsnet.ovsdb.operations import insert
from tests.ovsdb.idl.driver import Case, State, Step, asks, begin, outside
from tests.ovsdb.idl.rows import node, plain

NONE: dict[str, list[bool]] = {"Plain": [False]}
ONE: State = {"Plain": [{"number": 1}]}
ZERO: State = {"Plain": [{}]}


def numbered(*numbers: int) -> dict[str, list[tuple[str, str, int]]]:
    """Rows of Plain with one of these numbers."""
    return {"Plain": [("number", "==", number) for number in numbers]}


CONDITIONS = (
    *(
        Case(
            title,
            (Step(outside(*plain(1)), ONE), Step(asks(NONE), {}, ["-Plain 1"]), Step(asks(where), ONE, ["+Plain 1"])),
        )
        for title, where in (
            ("simple idl, conditional, false condition", {"Plain": [True]}),
            ("simple idl, conditional, true condition", {"Plain": [True]}),
            ("simple idl, conditional, modify as insert due to condition", numbered(1)),
        )
    ),
    Case(
        "simple idl, conditional, wait for condition",
        (
            Step(begin, {}),
            Step(outside(*plain(1)), ONE),
            Step(asks({"Plain": [True]}), ONE, []),
            Step(outside(*plain(2)), {"Plain": [{"number": 1}, {"number": 2}]}),
        ),
    ),
    Case(
        "simple idl, conditional, multiple clauses in condition",
        (
            Step(outside(*plain(1, 2, 3)), {"Plain": [{"number": 1}, {"number": 2}, {"number": 3}]}),
            Step(asks(NONE), {}),
            Step(asks(numbered(1, 2)), {"Plain": [{"number": 1}, {"number": 2}]}, ["+Plain 1", "+Plain 2"]),
        ),
    ),
    Case(
        "simple idl, conditional, modify as delete due to condition",
        (
            Step(outside(*plain(1)), ONE),
            Step(asks(numbered(1, 2)), ONE, []),
            Step(asks(numbered(2)), {}, ["-Plain 1"]),
            Step(outside(*plain(2)), {"Plain": [{"number": 2}]}, ["+Plain 2"]),
        ),
    ),
    Case(
        "simple idl, conditional, multiple tables",
        (
            Step(
                outside(*plain(1), node(0, "a", "a"), insert("Link", {"number": 2})),
                {**ONE, "Node": [{"next": 0}], "Link": [{"number": 2}]},
            ),
            Step(asks({"Plain": [False], "Node": [False], "Link": [False]}), {}),
            Step(asks({**numbered(1), "Node": [False], "Link": [False]}), ONE),
            Step(
                asks({**numbered(1), "Node": [("number", "==", 0)], "Link": [("number", "==", 3)]}),
                {**ONE, "Node": [{"next": 0}]},
            ),
            Step(
                outside(insert("Link", {"number": 3})),
                {**ONE, "Node": [{"next": 0}], "Link": [{"number": 3}]},
                ["+Link 3"],
            ),
        ),
    ),
)
