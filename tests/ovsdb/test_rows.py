"""Reading and writing values agrees with ``ovs.db.data.Datum``, the reference."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs.db.data import Datum
from ovs.db.error import Error

from ovsnet.errors import UsageError
from ovsnet.ovsdb.rows import BAD_VALUE, AtomType, Column, to_wire
from ovsnet.ovsdb.schema import Schema, parse_schema
from ovsnet.ovsdb.values import Uuid, wire
from ovsnet.sandbox.binaries import find


@cache
def real_schema(name: str) -> Schema:
    return parse_schema(json.loads(find().schema(name).read_text()))


def real_columns() -> dict[str, Column]:
    """One column for each type that the schemas of Open vSwitch and OVN have."""
    schemas = [real_schema(name) for name in ("vswitch.ovsschema", "ovn-sb.ovsschema", "ovn-nb.ovsschema")]
    columns = [column for schema in schemas for table in schema.tables.values() for column in table.columns.values()]
    return {json.dumps(column.datum_type.to_json(), sort_keys=True): column for column in columns}


def atoms(base: Any) -> st.SearchStrategy[Any]:
    """JSON atoms that the base type permits."""
    if base.enum is not None:
        return st.sampled_from(sorted(atom.value for atom in base.enum.values))
    low, high = base.min, base.max
    match base.type.name:
        case "integer":
            return st.integers(-(2**63) if low is None else low, 2**63 - 1 if high is None else high)
        case "real":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "uuid":
            return st.uuids().map(lambda value: ["uuid", str(value)])
    return st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


def wire_values(column: Column) -> st.SearchStrategy[Any]:
    """JSON as ovsdb-server writes it: a set of one is a bare atom."""
    kind = column.datum_type
    most = min(kind.n_max, 4)
    key = atoms(kind.key)
    if kind.value is not None:
        pairs = st.lists(st.tuples(key, atoms(kind.value)), min_size=kind.n_min, max_size=most, unique_by=_key)
        return pairs.map(lambda found: ["map", [list(pair) for pair in found]])
    elements = st.lists(key, min_size=kind.n_min, max_size=most, unique_by=repr)
    return elements.map(lambda found: found[0] if len(found) == 1 else ["set", found])


def _key(pair: tuple[Any, Any]) -> str:
    return repr(pair[0])


def as_reference(column: Column, value: object) -> object:
    """What ``Column.read`` should give, made of a Datum."""
    atoms = {
        _plain(key.value): item and _plain(item.value)
        for key, item in Datum.from_json(column.datum_type, value).values.items()
    }
    if column.is_map:
        return atoms
    if column.is_scalar or column.is_optional:
        return next(iter(atoms), None)
    return frozenset(atoms)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value


COLUMNS = real_columns()


@pytest.mark.parametrize("kind", COLUMNS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_reading_agrees_with_the_reference(kind: str, data: st.DataObject) -> None:
    column = COLUMNS[kind]
    value = data.draw(wire_values(column))
    assert column.read(value) == as_reference(column, value)


@pytest.mark.parametrize("kind", COLUMNS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_what_was_read_can_be_written(kind: str, data: st.DataObject) -> None:
    column = COLUMNS[kind]
    value = column.read(data.draw(wire_values(column)))
    assert column.read(to_wire(column, value)) == value


@pytest.mark.parametrize("kind", COLUMNS)
def test_defaults_agree_with_the_reference(kind: str) -> None:
    """update2 and update3 leave out columns that hold their default; a map's or set's default is empty if it may be."""
    column = COLUMNS[kind]
    atom: object = {"integer": 0, "real": 0.0, "boolean": False, "string": ""}.get(column.key, str(uuid.UUID(int=0)))
    if column.min == 0:
        assert not column.default
        assert column.default is None or not column.is_optional
    else:
        assert column.default in (atom, frozenset((atom,)))


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(COLUMNS)), data=st.data())
def test_patching_with_a_difference_gives_the_new_value(kind: str, data: st.DataObject) -> None:
    """The difference is made as ovsdb_datum_diff() of lib/ovsdb-data.c does."""
    column = COLUMNS[kind]
    old, new = data.draw(wire_values(column)), data.draw(wire_values(column))
    assert column.patched(column.read(old), difference(column, old, new)) == column.read(new)


def difference(column: Column, old: Any, new: Any) -> Any:
    if column.max <= 1:
        return new
    if column.is_map:
        before, after = dict(map(_hashable, old[1])), dict(map(_hashable, new[1]))
        gone = [pair for pair in old[1] if _hashable(pair)[0] not in after]
        come = [pair for pair in new[1] if before.get(_hashable(pair)[0], object) != _hashable(pair)[1]]
        return ["map", gone + come]
    before_set, after_set = _set(old), _set(new)
    return [
        "set",
        [item for item in before_set if item not in after_set] + [i for i in after_set if i not in before_set],
    ]


def _hashable(pair: list[Any]) -> tuple[str, str]:
    return repr(pair[0]), repr(pair[1])


def _set(value: Any) -> list[Any]:
    return list(value[1]) if isinstance(value, list) and value[0] == "set" else [value]


INTEGER = Column("c", "integer")
BAD = [
    (INTEGER, True),
    (INTEGER, 1.5),
    (INTEGER, "1"),
    (INTEGER, None),
    (Column("c", "real"), True),
    (Column("c", "boolean"), 1),
    (Column("c", "string"), 1),
    (Column("c", "uuid"), "x"),
    (Column("c", "uuid"), ["uuid"]),
    (Column("c", "uuid"), ["uuid", 1]),
    (Column("c", "uuid"), ["named-uuid", "x"]),
    (Column("c", "string", min=0), ["set", ["a", "b"]]),
    (Column("c", "string", min=0, max=9), ["set", "ab"]),
    (Column("c", "string", min=0, max=9), ["set", [1]]),
    (Column("c", "string", min=0, max=9), ["set"]),
    (Column("c", "string", min=0, max=9), []),
    (Column("c", "string", "string", 0, 9), ["set", []]),
    (Column("c", "string", "string", 0, 9), ["map", [["a"]]]),
    (Column("c", "string", "string", 0, 9), ["map", [["a", 1]]]),
    (Column("c", "string", "string", 0, 9), ["map", 7]),
    (Column("c", "string", "string", 0, 9), "a"),
]


@pytest.mark.parametrize(("column", "value"), BAD)
def test_malformed_values_raise_what_callers_expect(column: Column, value: object) -> None:
    with pytest.raises(BAD_VALUE):
        column.read(value)


def test_integers_may_come_as_doubles() -> None:
    assert repr(INTEGER.read(3.0)) == "3"


def test_reals_are_floats() -> None:
    assert repr(Column("c", "real").read(3)) == "3.0"


def enumeration(kind: str) -> Any:
    """A type that takes one uuid alone."""
    from ovs.db.types import Type

    one = ["uuid", "00000000-0000-4000-8000-000000000001"]
    return Type.from_json({"key": {"type": kind, "enum": ["set", [one]]}})


def interface(name: str) -> Column:
    return real_schema("vswitch.ovsschema").table("Interface").column(name)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("name", 7, "expected string"),
        ("ofport_request", 70000, "not in the valid range"),
        ("ofport_request", "1", "expected integer"),
        ("lldp", {"a": 1}, "expected string"),
        ("external_ids", "a", "expected"),
        ("mac", {"a", "b"}, "members"),
        ("cfm_remote_opstate", "sideways", "allowed values"),
    ],
)
def test_writing_is_judged_by_the_schema(name: str, value: object, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        to_wire(interface(name), value)
    assert name in str(caught.value)
    assert caught.value.remedy.startswith("The column takes ")


@pytest.mark.parametrize(
    ("name", "value", "wired"),
    [
        ("name", "eth0", "eth0"),
        ("ofport_request", None, ["set", []]),
        ("ofport_request", 5, 5),
        ("external_ids", {"a": "b"}, ["map", [["a", "b"]]]),
        ("ingress_policing_rate", 5, 5),
    ],
)
def test_writing(name: str, value: object, wired: object) -> None:
    assert to_wire(interface(name), value) == wired


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (interface("ofport_request"), math.inf),
        (interface("statistics"), {"rx": -math.inf}),
        (interface("ofport_request"), 1 << 64),
        (real_schema("vswitch.ovsschema").table("Port").column("qos"), "no uuid"),
        (real_schema("vswitch.ovsschema").table("Port").column("qos"), Uuid("no uuid")),
        (interface("external_ids"), [["a", "b"]]),
        (Column("c", "uuid", declared=enumeration("uuid")), Uuid("00000000-0000-4000-8000-000000000009")),
    ],
)
def test_writing_refuses_as_promised_whatever_the_reference_raises(column: Column, value: object) -> None:
    with pytest.raises(UsageError):
        to_wire(column, value)


UNREAD = {kind: replace(column, declared=json.loads(kind)) for kind, column in COLUMNS.items()}
"""The same, as a server's schema declares them: of these most values need no judge."""


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(UNREAD)),
    value=st.none() | st.booleans() | st.integers(-2, 5000) | st.just(0.5) | st.text("up0", max_size=2),
)
def test_writing_agrees_with_the_reference(kind: str, value: object) -> None:
    """But for booleans, which it takes for integers, and ovsdb-server does not."""
    column = UNREAD[kind]
    fits = not (isinstance(value, bool) and column.key in ("integer", "real"))
    try:
        Datum.from_json(COLUMNS[kind].datum_type, wire(value))
    except Error:
        fits = False
    if fits:
        assert to_wire(column, value) == wire(value)
    else:
        with pytest.raises(UsageError):
            to_wire(column, value)


def test_list_is_a_set() -> None:
    assert to_wire(real_schema("vswitch.ovsschema").table("Bridge").column("flood_vlans"), [1, 2]) == ["set", [1, 2]]


@pytest.mark.parametrize("kind", ["integer", "real", "boolean", "string", "uuid"])
def test_one_value_may_come_as_a_set_of_one(kind: AtomType) -> None:
    """ovsdb-server takes that too (lib/ovsdb-data.c, ``ovsdb_datum_from_json``)."""
    wired, value = {
        "integer": (1, 1),
        "real": (0.5, 0.5),
        "boolean": (True, True),
        "string": ("x", "x"),
        "uuid": (["uuid", "x"], Uuid("x")),
    }[kind]
    assert Column("c", kind).read(["set", [wired]]) == value
    for wrong in (["set", []], ["set", [wired, wired]], ["set", 1], []):
        with pytest.raises(BAD_VALUE):
            Column("c", kind).read(wrong)


def test_references_are_written_as_uuids() -> None:
    text = "11111111-1111-4111-8111-111111111111"
    assert to_wire(real_schema("vswitch.ovsschema").table("Port").column("qos"), Uuid(text)) == ["uuid", text]


@pytest.mark.parametrize("kind", ["integer", "real", "boolean", "string", "uuid"])
def test_shapes(kind: AtomType) -> None:
    assert Column("c", kind).is_scalar
    assert Column("c", kind, min=0).is_optional
    assert Column("c", kind, kind, 0, 9).is_map


def test_optional_value_may_come_as_a_set_of_one() -> None:
    """ovsdb-server writes the bare atom, RFC 7047 section 5.1 permits both."""
    assert Column("c", "string", min=0).read(["set", ["x"]]) == "x"
