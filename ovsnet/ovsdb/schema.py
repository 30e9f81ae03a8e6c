"""The schema of a database: tables, their columns, their types (RFC 7047 section 3.2)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

import msgspec

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.ovsdb.rows import BAD_VALUE, Column, rows_of, to_wire
from ovsnet.ovsdb.values import Row, Value
from ovsnet.texts import likely

IMPLICIT_COLUMNS: Mapping[str, Column] = {name: Column(name, "uuid", mutable=False) for name in ("_uuid", "_version")}
"""Every row has these; no schema names them (RFC 7047 section 3.2)."""

_SINGLE_ROW = 1


class Table(msgspec.Struct, frozen=True):
    """A table. ``max_rows`` is None without a limit; a row of a table that is no root goes when unreferenced."""

    name: str
    columns: Mapping[str, Column]
    is_root: bool
    max_rows: int | None
    indexes: tuple[tuple[str, ...], ...]

    @property
    def is_singleton(self) -> bool:
        """True for tables such as Open_vSwitch and SB_Global, that hold one row."""
        return self.max_rows == _SINGLE_ROW

    def column(self, name: str) -> Column:
        """Raises UsageError for a column that the table has not."""
        column = self.columns.get(name) or IMPLICIT_COLUMNS.get(name)
        if column is None:
            raise UsageError(
                f"Table {self.name} has no column {name}.", remedy=likely(name, self.columns, "Its columns")
            )
        return column

    def row(self, wired: Mapping[str, object]) -> Row:
        """A row as a server or a file holds it, in JSON. Raises ProtocolError for what is not a row of this table."""
        row: dict[str, Value] = {}
        for name, value in wired.items():
            column = self.columns.get(name) or IMPLICIT_COLUMNS.get(name)
            try:
                row[name] = column.read(value) if column else _unknown(name)
            except BAD_VALUE as error:
                raise ProtocolError(f"The server sent no value for column {name} of {self.name}: {error}.") from error
        return row

    def rows(self, result: Mapping[str, object], named: Iterable[str]) -> list[Row]:
        """What a select found. Raises ProtocolError, also for a row without one of the ``named`` columns: a server
        sends each column that it was asked for (RFC 7047 section 5.2.2), and a reader counts on them."""
        rows = [self.row(row) for row in rows_of(result)]
        asked = frozenset(named)
        for row in rows:
            if missing := asked - row.keys():
                raise ProtocolError(f"The server sent a row of {self.name} without {', '.join(sorted(missing))}.")
        return rows

    def to_wire(self, row: Mapping[str, object]) -> dict[str, object]:
        """A row to write, as JSON, after the schema agreed to every value. Raises UsageError."""
        return {name: to_wire(self.column(name), value) for name, value in row.items()}


class Schema(msgspec.Struct, frozen=True):
    """A database's tables."""

    name: str
    version: str
    tables: Mapping[str, Table]

    def table(self, name: str) -> Table:
        """Raises UsageError for a table that the database has not."""
        if name not in self.tables:
            raise UsageError(
                f"Database {self.name} has no table {name}.",
                remedy=likely(name, self.tables, "Its tables"),
            )
        return self.tables[name]


_Kind: TypeAlias = Literal["integer", "real", "boolean", "string", "uuid"]
_Unlimited: TypeAlias = Literal["unlimited"]
_Number: TypeAlias = int | float


class _Base(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """``<base-type>``."""

    type: _Kind
    enum: object = None
    min_integer: _Number | None = None
    max_integer: _Number | None = None
    min_real: _Number | None = None
    max_real: _Number | None = None
    min_length: _Number | None = None
    max_length: _Number | None = None
    ref_table: str = ""
    ref_type: Literal["strong", "weak"] = "strong"


class _Type(msgspec.Struct, forbid_unknown_fields=True):
    """``<type>``, where it is more than the name of an atom."""

    key: _Kind | _Base
    value: _Kind | _Base | None = None
    min: _Number = 1
    max: _Number | _Unlimited = 1


class _Column(msgspec.Struct, forbid_unknown_fields=True):
    type: _Kind | _Type
    mutable: bool = True
    ephemeral: bool = False


class _Table(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    columns: dict[str, _Column]
    mutable: bool = True
    max_rows: _Number | None = None
    is_root: bool = False
    indexes: list[list[str]] = []


class _Database(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    tables: dict[str, _Table]
    version: str = ""
    cksum: str = ""


_ID = re.compile("[a-zA-Z][_a-zA-Z0-9]*")
"""``<id>`` without the leading underscore, which is reserved."""


def parse_schema(document: object) -> Schema:
    """Read a ``<database-schema>``. Raises ProtocolError.

    ``ovs.db.schema`` takes 50 ms, and as long again for the schemas of a node, of which a probe wants a few columns.
    """
    try:
        found = msgspec.convert(document, _Database)
        _agree_on_names(found)
        # An old schema has no roots, and then every table is one (RFC 7047 section 3.2).
        all_roots = not any(table.is_root for table in found.tables.values())
        wired = cast("Mapping[str, Any]", document)["tables"]
        tables = {
            name: _table(name, table, wired[name]["columns"], is_root=all_roots or table.is_root)
            for name, table in found.tables.items()
        }
    except (msgspec.ValidationError, *BAD_VALUE) as error:
        raise ProtocolError(f"The server sent no schema: {error}.") from error
    return Schema(found.name, found.version, tables)


def _agree_on_names(found: _Database) -> None:
    """Raises ValueError for a name that is none, and for one that leads nowhere."""
    named = [found.name.removeprefix("_"), *found.tables]  # the server calls one of its own _Server
    for name, table in found.tables.items():
        if not table.columns:
            raise ValueError(f"table {name} has no column")
        named += table.columns
        references = (base.ref_table for column in table.columns.values() for base in _bases(column.type))
        if missing := {each for each in references if each} - found.tables.keys():
            raise ValueError(f"table {name} refers to {', '.join(sorted(missing))}, which the schema has not")
        if missing := {column for index in table.indexes for column in index} - table.columns.keys():
            raise ValueError(f"an index of table {name} has no column {', '.join(sorted(missing))}")
    if wrong := [name for name in named if not _ID.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is not a name")


def _bases(kind: _Kind | _Type) -> list[_Base]:
    return [base for base in (kind.key, kind.value) if isinstance(base, _Base)] if isinstance(kind, _Type) else []


def _table(name: str, table: _Table, wired: Mapping[str, Any], *, is_root: bool) -> Table:
    limit = table.max_rows
    if limit is not None and limit < 1:
        raise ValueError(f"table {name} may have no row")
    return Table(
        name=name,
        columns={each: _column(each, column, wired[each]["type"]) for each, column in table.columns.items()},
        is_root=is_root,
        max_rows=None if limit is None or limit > 1 << 32 else int(limit),
        indexes=tuple(map(tuple, table.indexes)),
    )


def _column(name: str, column: _Column, wired: object) -> Column:
    kind = column.type if isinstance(column.type, _Type) else _Type(column.type)
    most = sys.maxsize if kind.max == "unlimited" else int(kind.max)
    if not 0 <= kind.min <= 1 <= most:
        raise ValueError(f"column {name} takes {kind.min} to {kind.max} values")
    # The server removes a weak reference whose row is gone, so its column is never immutable (ovsdb/column.c).
    weak = any(base.ref_table and base.ref_type == "weak" for base in _bases(kind))
    return Column(
        name=name,
        key=_atom(kind.key),
        value=None if kind.value is None else _atom(kind.value),
        min=int(kind.min),
        max=most,
        mutable=column.mutable or weak,
        ephemeral=column.ephemeral,
        declared=wired,
    )


def _atom(base: _Kind | _Base) -> _Kind:
    return base.type if isinstance(base, _Base) else base


def _unknown(name: str) -> Value:
    raise LookupError(f"the schema has no column {name}")
