"""The values of OVSDB in Python, and how they are written (RFC 7047 section 5.1).

    <integer> int    <real> float    <boolean> bool    <string> str    <uuid> Uuid
    a column of at most one value   the value, or None
    a set                           frozenset
    a map                           Mapping

Rows and what they hold are shared, and so read-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ovsnet.errors import UsageError


class Uuid(str):
    """The ``_uuid`` of a row. A str that the encoder can tell from text; cheaper than uuid.UUID by a factor of ten."""

    __slots__ = ()


class NamedUuid(str):
    """The name that an insert gave its row, for references from the same transaction (RFC 7047, <named-uuid>)."""

    __slots__ = ()


Atom: TypeAlias = int | float | bool | str | Uuid
Value: TypeAlias = Atom | frozenset[Atom] | Mapping[Atom, Atom] | None
Row: TypeAlias = Mapping[str, Any]
"""A Value per column. Any, because the schema says which of them it is, and a type checker cannot know."""

NO_UUID = Uuid("00000000-0000-0000-0000-000000000000")


def wire(value: object) -> object:
    """``value`` as JSON for the server. A list is taken to be in wire form already.

    Raises UsageError for a value that OVSDB has no form for.
    """
    match value:
        case list():
            return value
        case None:
            return ["set", []]
        case Mapping():
            return ["map", [[_wire_atom(key), _wire_atom(item)] for key, item in value.items()]]
        case set() | frozenset() | tuple():
            return ["set", [_wire_atom(item) for item in value]]
    return _wire_atom(value)


def wire_row(row: Mapping[str, object]) -> dict[str, object]:
    """The columns of a row as JSON."""
    return {name: wire(value) for name, value in row.items()}


def wire_rows(rows: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Some rows as JSON."""
    return [wire_row(row) for row in rows]


def _wire_atom(value: object) -> object:
    match value:
        case Uuid():
            return ["uuid", str(value)]
        case NamedUuid():
            return ["named-uuid", str(value)]
        case str() | bool() | int() | float() | list():
            return value
    raise UsageError(
        f"A value of type {type(value).__name__} cannot be stored in OVSDB.",
        remedy="Use int, float, bool, str, Uuid, or a set or mapping of these.",
    )
