"""Rows as objects of classes that are written for a schema: see ``ovsnet ovsdb generate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from ovsnet.errors import UsageError
from ovsnet.ovsdb.index import require_monitored
from ovsnet.ovsdb.replica import Tables
from ovsnet.ovsdb.selection import Columns
from ovsnet.ovsdb.values import Row, Uuid


class TypedRow(Protocol):
    """What such a class has: the table, and how each field is called in it."""

    TABLE: ClassVar[str]
    FIELDS: ClassVar[Mapping[str, str]]


T = TypeVar("T", bound=TypedRow)


def row_as(kind: type[T], row: Row, uuid: Uuid | None = None) -> T:
    """``row`` as an object. A column that the server lacks keeps the class's default.

    A row of a copy does not hold its own ``uuid``, so it must be given. Raises UsageError for a row without one.
    """
    if uuid is not None:
        row = {**row, "_uuid": uuid}
    elif "_uuid" not in row:
        raise UsageError(f"This row of {kind.TABLE} has no _uuid.", remedy="Give it: it is the row's key in the copy.")
    make: Any = kind
    found: T = make(**{field: row[column] for field, column in kind.FIELDS.items() if column in row})
    return found


def rows_as(kind: type[T], tables: Tables, wanted: Columns) -> dict[Uuid, T]:
    """All rows of a copy's table as objects. Raises UsageError for a class with columns that were not ``wanted``: its
    defaults would look like what the rows hold."""
    require_monitored(wanted, kind.TABLE, [column for column in kind.FIELDS.values() if column != "_uuid"])
    return {uuid: row_as(kind, row, uuid) for uuid, row in tables.get(kind.TABLE, {}).items()}
