"""The values of OVSDB in Python, and how they are written (RFC 7047 section 5.1).

    <integer> int    <real> float    <boolean> bool    <string> str    <uuid> Uuid
    a column of at most one value   the value, or None
    a set                           frozenset; to write one, any set, tuple or list
    a map                           Mapping

Rows and what they hold are shared, and so read-only.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, TypeAlias

from ovsnet.errors import UsageError


class Uuid(str):
    """The ``_uuid`` of a row. A str that the encoder can tell from text; cheaper than uuid.UUID by a factor of ten."""

    __slots__ = ()


class NamedUuid(str):
    """The name that an insert gave its row, for references from the same transaction (RFC 7047, <named-uuid>)."""

    __slots__ = ()

    def wire(self) -> list[str]:
        """The reference as JSON."""
        return ["named-uuid", str(self)]


Atom: TypeAlias = int | float | bool | str | Uuid
Value: TypeAlias = Atom | frozenset[Atom] | Mapping[Atom, Atom] | None
Row: TypeAlias = Mapping[str, Any]
"""A Value per column. Any, because the schema says which of them it is, and a type checker cannot know."""

NO_UUID = Uuid("00000000-0000-0000-0000-000000000000")


SMALLEST_INTEGER, LARGEST_INTEGER = -(1 << 63), (1 << 63) - 1
"""What OVSDB stores (RFC 7047 section 3.1, <integer>). ovsdb-server refuses 2**63, and stores 2**64 as 0."""


def wire(value: object) -> object:
    """``value`` as JSON for the server.

    Raises UsageError for a value that OVSDB has no form for.
    """
    match value:
        case None:
            return ["set", []]
        case Mapping():
            return ["map", [[_wire_atom(key), _wire_atom(item)] for key, item in value.items()]]
        case set() | frozenset() | tuple() | list():
            return ["set", [_wire_atom(item) for item in value]]
    return _wire_atom(value)


def wire_row(row: Mapping[str, object]) -> dict[str, object]:
    """The columns of a row as JSON. Raises UsageError."""
    return {name: wire(value) for name, value in columns_of(row, {}).items()}


def columns_of(row: Mapping[str, object] | None, more: Mapping[str, object]) -> dict[str, object]:
    """The columns of a row that is given as a mapping, by name, or as both. Raises UsageError for what is no row."""
    if row is not None and not isinstance(row, Mapping):
        raise UsageError(f"{row!r} is not a row.", remedy='Give its columns by name, such as {"name": "br0"}.')
    return {**(row or {}), **more}


def wire_rows(rows: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Some rows as JSON."""
    return [wire_row(row) for row in rows]


def _wire_atom(value: object) -> object:
    match value:
        case Uuid():
            return ["uuid", str(value)]
        case NamedUuid():
            return value.wire()
        case str() | bool():
            return value
        case int():
            return _integer(value)
        case float():
            return _real(value)
        case uuid.UUID():
            return ["uuid", str(value)]
    raise UsageError(
        f"A value of type {type(value).__name__} cannot be stored in OVSDB.",
        remedy="Use int, float, bool, str, Uuid, or a set or mapping of these.",
    )


def _integer(value: int) -> int:
    if SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    raise UsageError(f"The integer {value} cannot be stored in OVSDB.", remedy="Integers have 64 bits and a sign.")


def _real(value: float) -> float:
    """OVS prints 15 digits, and closes the connection over a number that its own reader takes for no double: a
    denormal, or one that rounds to infinity (lib/json.c, ``json_lex_number``)."""
    printed = float(f"{value:.15g}") if isfinite(value) else value
    if isfinite(printed) and (value == 0.0 or abs(printed) >= sys.float_info.min):
        return value
    raise UsageError(
        f"The real {value!r} cannot be stored in OVSDB.",
        remedy="Use 0, or a number from 2.23e-308 to 1.79e308 or its negative.",
    )
