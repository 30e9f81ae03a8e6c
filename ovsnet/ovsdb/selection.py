"""What a monitor asks for, fitted to what the server's schema has. Pure.

A server may be older than its clients, in the middle of an upgrade for instance. A table or column that it has not is
left out and named in ``missing``: failing instead would take down the node's health with the first new column. A
condition on a column that it has not is refused, unless the caller agrees to all rows of the table in its place: that
may be a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from ovsnet.errors import UsageError
from ovsnet.ovsdb.operations import Condition, well_formed
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.schema import IMPLICIT_COLUMNS, Schema
from ovsnet.ovsdb.values import wire

Columns: TypeAlias = Mapping[str, Iterable[str] | None]
"""Tables, and the columns wanted of each; None for all, and an empty list for none but the row itself."""

Where: TypeAlias = Mapping[str, Iterable[Condition | bool]]
"""Rows wanted of a table: those that meet *any* condition (ovsdb-server(7), 4.1.12). ``[False]`` is none of them."""


class Selection(msgspec.Struct, frozen=True):
    """``where`` is JSON already. ``missing`` holds ``Table`` and ``Table.column``."""

    columns: Mapping[str, Mapping[str, Column]]
    where: Mapping[str, list[object]]
    missing: frozenset[str]

    def conditional_request(self) -> dict[str, object]:
        """``<monitor-cond-requests>`` of ovsdb-server(7), section 4.1.12."""
        return {
            table: [{"columns": list(columns), "where": self.where.get(table, [True])}]
            for table, columns in self.columns.items()
        }

    def plain_request(self) -> dict[str, object]:
        """``<monitor-requests>`` of RFC 7047 section 4.1.5, which knows no conditions."""
        return {table: [{"columns": list(columns)}] for table, columns in self.columns.items()}

    def new_conditions(self) -> dict[str, object]:
        """``<monitor-cond-update-requests>`` of ovsdb-server(7), section 4.1.13, for every table."""
        return {table: [{"where": self.where.get(table, [True])}] for table in self.columns}


def choose(schema: Schema, tables: Columns, where: Where | None = None, *, widen: bool = False) -> Selection:
    """What of ``tables`` the schema has.

    Raises UsageError for what is no condition, for conditions on a table that ``tables`` does not name, and for one on
    a column that the schema has not. With ``widen`` such a column leaves the whole table unfiltered, and is
    ``missing``.
    """
    columns: dict[str, Mapping[str, Column]] = {}
    conditions: dict[str, list[object]] = {}
    missing: set[str] = set()
    where = frozen_where(where)
    _require_named(tables, where)
    for name, wanted in tables.items():
        table = schema.tables.get(name)
        if table is None:
            missing.add(name)
            continue
        known = {**table.columns, **IMPLICIT_COLUMNS}
        named = list(table.columns if wanted is None else wanted)
        columns[name] = {column: known[column] for column in named if column in known}
        clauses = where.get(name, (True,))
        unknown = {clause[0] for clause in clauses if not isinstance(clause, bool) and clause[0] not in known}
        missing.update(f"{name}.{column}" for column in {*named, *unknown} if column not in known)
        if not unknown:
            conditions[name] = [_clause(clause) for clause in clauses]
        elif not widen:
            table.column(min(unknown))
    return Selection(columns, conditions, frozenset(missing))


def _require_named(tables: Columns, where: Where) -> None:
    for name in where:
        if name not in tables:
            raise UsageError(
                f"There are conditions for table {name}, which is not monitored.",
                remedy=f"Name {name} among the tables.",
            )


def frozen(tables: Columns) -> Columns:
    """The same, to be read more than once: a generator gives its columns only once. Raises UsageError for what is
    none: a text would be taken for a list of its letters."""
    if not isinstance(tables, Mapping) or not all(map(_is_list_or_none, tables.values())):
        raise UsageError(
            f"{tables!r} are no tables with their columns.",
            remedy='Give a list of columns for each, or None for all, such as {"Bridge": ["name"], "Port": None}.',
        )
    return {name: None if wanted is None else tuple(wanted) for name, wanted in tables.items()}


def frozen_where(where: Where | None) -> Where:
    """The same for conditions. Raises UsageError for what is none."""
    if where is not None and not isinstance(where, Mapping):
        raise UsageError(
            f"{where!r} are not conditions for tables.",
            remedy='Give a list for each, such as {"Bridge": [("name", "==", "br0")]}.',
        )
    return {name: tuple(_clauses(clauses)) for name, clauses in (where or {}).items()}


def _clauses(clauses: Iterable[Condition | bool]) -> Iterator[Condition | bool]:
    """In their order; a bool stands for all rows, or for none."""
    if not _is_list_or_none(clauses):
        yield from well_formed(clauses)  # which says what it is not
    for clause in clauses:
        yield from [clause] if isinstance(clause, bool) else well_formed([clause])


def _is_list_or_none(wanted: object) -> bool:
    return wanted is None or (isinstance(wanted, Iterable) and not isinstance(wanted, str))


def _clause(clause: Condition | bool) -> object:
    if isinstance(clause, bool):
        return clause
    column, function, value = clause
    return [column, function, wire(value)]
