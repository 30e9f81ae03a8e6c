"""The schema of a database: tables, their columns, their types (RFC 7047 section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.ovsdb.rows import BAD_VALUE, Column, to_wire
from ovsnet.ovsdb.values import Row, Value

if TYPE_CHECKING:
    from ovs.db.schema import ColumnSchema, TableSchema

IMPLICIT_COLUMNS: Mapping[str, Column] = {name: Column(name, "uuid", mutable=False) for name in ("_uuid", "_version")}
"""Every row has these; no schema names them (RFC 7047 section 3.2)."""

_SINGLE_ROW = 1


class Table(msgspec.Struct, frozen=True):
    """A table. ``max_rows`` is None without a limit; rows of a table that is no root go when nothing refers to them."""

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
                f"Table {self.name} has no column {name}.", remedy="Compare with the schema of this server's version."
            )
        return column

    def row(self, wired: Mapping[str, object]) -> Row:
        """A row of a select's result. Raises ProtocolError for what is no row of this table."""
        row: dict[str, Value] = {}
        for name, value in wired.items():
            column = self.columns.get(name) or IMPLICIT_COLUMNS.get(name)
            try:
                row[name] = column.read(value) if column else _unknown(name)
            except BAD_VALUE as error:
                raise ProtocolError(f"The server sent no value for column {name} of {self.name}: {error}.") from error
        return row

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
                remedy="Compare with the schema of this server's version.",
            )
        return self.tables[name]


def parse_schema(document: object) -> Schema:
    """Read a ``<database-schema>``. Raises ProtocolError.

    ``ovs`` is imported here, and only here, because it takes 50 ms and 5 MB that a probe has no use for.
    """
    from ovs.db.error import Error
    from ovs.db.schema import DbSchema

    try:
        parsed = DbSchema.from_json(document)
        tables = {name: _table(table) for name, table in parsed.tables.items()}
    except (Error, *BAD_VALUE, AttributeError) as error:
        raise ProtocolError(f"The server sent no schema: {error}.") from error
    return Schema(parsed.name, parsed.version or "", tables)


def _table(table: TableSchema) -> Table:
    return Table(
        name=table.name,
        columns={name: _column(column) for name, column in table.columns.items()},
        is_root=table.is_root,
        max_rows=None if table.max_rows > 1 << 32 else table.max_rows,
        indexes=tuple(tuple(column.name for column in index) for index in table.indexes),
    )


def _column(column: ColumnSchema) -> Column:
    kind = column.type
    return Column(
        name=column.name,
        key=kind.key.type.name,
        value=kind.value.type.name if kind.value else None,
        min=kind.n_min,
        max=kind.n_max,
        mutable=column.mutable,
        ephemeral=not column.persistent,
        datum_type=kind,
    )


def _unknown(name: str) -> Value:
    raise LookupError(f"the schema has no column {name}")
