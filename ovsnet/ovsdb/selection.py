"""What a monitor asks for, fitted to what the server's schema has. Pure.

A server may be older than its clients, in the middle of an upgrade for instance. A table or column that it has not is
left out and named in ``missing``: failing instead would take down the node's health with the first new column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ovsnet.ovsdb.operations import Condition
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.schema import IMPLICIT_COLUMNS, Schema
from ovsnet.ovsdb.values import wire

Columns: TypeAlias = Mapping[str, Iterable[str] | None]
"""Tables, and the columns wanted of each; None for all."""

Where: TypeAlias = Mapping[str, Iterable[Condition | bool]]
"""Rows wanted of a table: those that meet *any* condition (ovsdb-server(7), 4.1.12). ``[False]`` is none of them."""


@dataclass(frozen=True, slots=True)
class Selection:
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


def choose(schema: Schema, tables: Columns, where: Where | None = None) -> Selection:
    """What of ``tables`` the schema has. A condition on a missing column leaves the whole table unfiltered."""
    columns: dict[str, Mapping[str, Column]] = {}
    conditions: dict[str, list[object]] = {}
    missing: set[str] = set()
    for name, wanted in tables.items():
        table = schema.tables.get(name)
        if table is None:
            missing.add(name)
            continue
        known = {**table.columns, **IMPLICIT_COLUMNS}
        columns[name] = {column: known[column] for column in (wanted or table.columns) if column in known}
        clauses = list((where or {}).get(name, (True,)))
        named = {*(wanted or ()), *(clause[0] for clause in clauses if not isinstance(clause, bool))}
        missing.update(f"{name}.{column}" for column in named if column not in known)
        if all(isinstance(clause, bool) or clause[0] in known for clause in clauses):
            conditions[name] = [_clause(clause) for clause in clauses]
    return Selection(columns, conditions, frozenset(missing))


def _clause(clause: Condition | bool) -> object:
    if isinstance(clause, bool):
        return clause
    column, function, value = clause
    return [column, function, wire(value)]
