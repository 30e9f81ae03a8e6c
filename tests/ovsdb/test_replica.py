"""Applying updates to a copy: cases for each notation, and any history against its last state."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import ProtocolError
from ovsnet.ovsdb.replica import Change, Replica, RowUpdate, apply_all, changes_between
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.values import Uuid, wire

COLUMNS = {
    "name": Column("name", "string"),
    "rank": Column("rank", "integer", min=0),
    "tags": Column("tags", "integer", min=0, max=9),
    "notes": Column("notes", "string", "string", 0, 9),
}
ONE = Uuid("00000000-0000-4000-8000-000000000001")
EMPTY: dict[str, Any] = {"name": "", "rank": None, "tags": frozenset(), "notes": {}}
EMPTY_ON_THE_WIRE = {"name": "", "rank": ["set", []], "tags": ["set", []], "notes": ["map", []]}
FULL = {"name": "a", "rank": 1, "tags": frozenset((1, 2)), "notes": {"k": "v", "l": "w"}}


def replica(**rows: Any) -> Replica:
    made = Replica({"T": COLUMNS})
    for row in rows.values():
        made.tables["T"][ONE] = row
    return made


@pytest.mark.parametrize(
    ("old", "update", "new"),
    [
        pytest.param(None, {"initial": {}}, EMPTY, id="initial: absent columns have their default"),
        pytest.param(None, {"insert": {"name": "x", "tags": 5}}, EMPTY | {"name": "x", "tags": {5}}, id="insert"),
        pytest.param(FULL, {"delete": None}, None, id="delete"),
        pytest.param(None, {"delete": None}, None, id="delete of a row that is gone"),
        pytest.param(FULL, {"modify": {"name": "z"}}, FULL | {"name": "z"}, id="modify a scalar"),
        pytest.param(FULL, {"modify": {"rank": ["set", []]}}, FULL | {"rank": None}, id="clear an optional"),
        pytest.param(EMPTY, {"modify": {"rank": 7}}, EMPTY | {"rank": 7}, id="fill an optional"),
        pytest.param(FULL, {"modify": {"rank": 1}}, FULL, id="an optional is replaced, not toggled"),
        pytest.param(FULL, {"modify": {"tags": ["set", [2, 3]]}}, FULL | {"tags": {1, 3}}, id="set: one out, one in"),
        pytest.param(FULL, {"modify": {"tags": 1}}, FULL | {"tags": {2}}, id="set: a difference of one"),
        pytest.param(FULL, {"modify": {"notes": ["map", [["k", "v"]]]}}, FULL | {"notes": {"l": "w"}}, id="map: out"),
        pytest.param(
            FULL,
            {"modify": {"notes": ["map", [["k", "new"], ["m", "x"]]]}},
            FULL | {"notes": {"k": "new", "l": "w", "m": "x"}},
            id="map: changed and in",
        ),
        pytest.param(None, {"new": {"name": "x"}}, EMPTY | {"name": "x"}, id="update: insert"),
        pytest.param(FULL, {"old": {"name": "a"}, "new": EMPTY_ON_THE_WIRE}, EMPTY, id="update: modify"),
        pytest.param(FULL, {"old": {"name": "a"}}, None, id="update: delete"),
    ],
)
def test_one_update(old: Any, update: RowUpdate, new: Any) -> None:
    copy = replica(old=old) if old else replica()
    change = copy.apply("T", ONE, update)
    assert copy.tables["T"].get(ONE) == new
    assert change == (None if old == new else Change("T", ONE, old, new))


def test_rows_are_replaced_and_never_changed() -> None:
    copy = replica(old=FULL)
    before = copy.tables["T"][ONE]
    copy.apply("T", ONE, {"modify": {"name": "z", "tags": 9, "notes": ["map", [["k", "v"]]]}})
    assert before == FULL


def test_a_copy_of_a_replica_is_independent() -> None:
    original = replica(old=FULL)
    twin = original.copy()
    twin.apply("T", ONE, {"delete": None})
    assert original.tables == {"T": {ONE: FULL}}


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"dance": {}},
        {"initial": None},
        {"modify": None},
        {"insert": {"name": 7}},
        {"insert": {"colour": "red"}},
        {"modify": {"tags": "x"}},
        {"modify": {"notes": ["set", []]}},
    ],
)
def test_malformed_update_is_a_protocol_error(update: RowUpdate) -> None:
    with pytest.raises(ProtocolError, match=f"row {ONE} in T cannot"):
        replica(old=FULL).apply("T", ONE, update)


def test_change_of_a_row_that_was_never_sent_is_a_protocol_error() -> None:
    """Going on would make a copy that is wrong and does not say so."""
    with pytest.raises(ProtocolError, match="never sent"):
        replica().apply("T", ONE, {"modify": {"name": "x"}})


def test_table_that_was_not_asked_for_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="not asked for"):
        replica().apply("U", ONE, {"initial": {}})


# Any history.

ROWS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", "a", "b"]),
        "rank": st.none() | st.integers(0, 2),
        "tags": st.frozensets(st.integers(0, 3)),
        "notes": st.dictionaries(st.sampled_from("klm"), st.sampled_from("vw")),
    }
)
UUIDS = st.sampled_from([Uuid(f"00000000-0000-4000-8000-00000000000{n}") for n in range(4)])
STATES = st.lists(st.dictionaries(UUIDS, ROWS), min_size=1, max_size=6)


def update2(old: dict[Uuid, Any], new: dict[Uuid, Any]) -> dict[str, RowUpdate]:
    """``<table-updates2>`` for one table, as ovsdb-server makes it."""
    gone: dict[str, RowUpdate] = {uuid: {"delete": None} for uuid in old.keys() - new.keys()}
    come: dict[str, RowUpdate] = {uuid: {"insert": _wire(new[uuid], EMPTY)} for uuid in new.keys() - old.keys()}
    changed = {u: {"modify": _differences(old[u], new[u])} for u in old.keys() & new.keys() if old[u] != new[u]}
    return gone | come | changed


def update1(old: dict[Uuid, Any], new: dict[Uuid, Any]) -> dict[str, RowUpdate]:
    """``<table-updates>`` for one table, RFC 7047."""
    gone: dict[str, RowUpdate] = {uuid: {"old": _wire(old[uuid])} for uuid in old.keys() - new.keys()}
    come: dict[str, RowUpdate] = {uuid: {"new": _wire(new[uuid])} for uuid in new.keys() - old.keys()}
    both = [uuid for uuid in old.keys() & new.keys() if old[uuid] != new[uuid]]
    return gone | come | {u: {"old": _wire(old[u], new[u]), "new": _wire(new[u])} for u in both}


def _wire(row: Any, unlike: Any = None) -> dict[str, object]:
    return {name: wire(value) for name, value in row.items() if unlike is None or unlike[name] != value}


def _differences(old: Any, new: Any) -> dict[str, object]:
    differences = {name: new[name] for name in ("name", "rank") if old[name] != new[name]}
    differences["tags"] = old["tags"] ^ new["tags"]
    before, after = old["notes"], new["notes"]
    removed = {key: value for key, value in before.items() if key not in after}
    differences["notes"] = removed | {key: value for key, value in after.items() if before.get(key) != value}
    return {name: wire(value) for name, value in differences.items()}


@settings(deadline=None)
@given(states=STATES, notation=st.sampled_from([update1, update2]))
def test_any_history_ends_in_its_last_state(states: list[dict[Uuid, Any]], notation: Any) -> None:
    copy, old = replica(), dict[Uuid, Any]()
    for new in states:
        changes = apply_all(copy, {"T": notation(old, new)})
        assert copy.tables["T"] == new
        assert {change.uuid for change in changes} == {u for u in {**old, **new} if old.get(u) != new.get(u)}
        old = new


@given(old=st.dictionaries(UUIDS, ROWS), new=st.dictionaries(UUIDS, ROWS))
def test_changes_between_two_copies_turn_one_into_the_other(old: dict[Uuid, Any], new: dict[Uuid, Any]) -> None:
    rows = dict(old)
    for change in chain.from_iterable(changes_between({"T": old}, {"T": new}, 2)):
        assert rows.pop(change.uuid, None) == change.old
        if change.new is not None:
            rows[change.uuid] = change.new
    assert rows == new


def test_changes_between_copies_of_different_tables() -> None:
    assert list(chain.from_iterable(changes_between({"A": {ONE: FULL}}, {"B": {ONE: FULL}}, 2))) == [
        Change("A", ONE, FULL, None),
        Change("B", ONE, None, FULL),
    ]
