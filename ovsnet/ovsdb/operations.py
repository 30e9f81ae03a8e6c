"""The operations of a transaction (RFC 7047 section 5.2), as functions that give their JSON.

    await session.transact(
        "Open_vSwitch",
        insert("Bridge", {"name": "br0"}, name="new"),
        mutate("Open_vSwitch", [("bridges", "insert", {NamedUuid("new")})]),
    )

A *condition* is ``(column, function, value)``, with one of ``< <= == != >= > includes excludes``; all of a list must
hold. Values are Python values, see ``ovsnet.ovsdb.values``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from ovsnet.ovsdb.values import wire, wire_row, wire_rows

Operation: TypeAlias = Mapping[str, object]
Condition: TypeAlias = tuple[str, str, object]
Mutation: TypeAlias = tuple[str, str, object]


def select(table: str, where: Iterable[Condition] = (), columns: Iterable[str] | None = None) -> Operation:
    """The rows that match, with all columns when none are named. Result: ``{"rows": [...]}``."""
    operation = {"op": "select", "table": table, "where": wire_triples(where)}
    return operation if columns is None else operation | {"columns": list(columns)}


def insert(table: str, row: Mapping[str, object], *, name: str = "") -> Operation:
    """A new row. ``name`` lets other operations refer to it by NamedUuid. Result: ``{"uuid": ["uuid", ...]}``."""
    operation = {"op": "insert", "table": table, "row": wire_row(row)}
    return operation | {"uuid-name": name} if name else operation


def update(table: str, row: Mapping[str, object], where: Iterable[Condition] = ()) -> Operation:
    """Overwrite columns of the rows that match. Result: ``{"count": n}``."""
    return {"op": "update", "table": table, "where": wire_triples(where), "row": wire_row(row)}


def mutate(table: str, mutations: Iterable[Mutation], where: Iterable[Condition] = ()) -> Operation:
    """Change columns in place: ``(column, mutator, value)``, mutators ``+= -= *= /= %= insert delete``.

    Result: ``{"count": n}``.
    """
    return {"op": "mutate", "table": table, "where": wire_triples(where), "mutations": wire_triples(mutations)}


def delete(table: str, where: Iterable[Condition] = ()) -> Operation:
    """Delete the rows that match; all rows without a condition. Result: ``{"count": n}``."""
    return {"op": "delete", "table": table, "where": wire_triples(where)}


def wait(
    table: str,
    rows: Iterable[Mapping[str, object]],
    where: Iterable[Condition] = (),
    *,
    columns: Iterable[str],
    until: Literal["==", "!="] = "==",
    timeout: float = 0.0,
) -> Operation:
    """Go on only when ``columns`` of the rows that match are (or are not) ``rows``; wait ``timeout`` seconds for it.

    With a timeout of 0 it guards a read-modify-write: TransactionTimedOut means that another client was faster.
    """
    return {
        "op": "wait",
        "table": table,
        "where": wire_triples(where),
        "columns": list(columns),
        "until": until,
        "rows": wire_rows(rows),
        "timeout": round(timeout * 1000),
    }


def commit(*, durable: bool) -> Operation:
    """With ``durable``, answer only when the transaction is on disk."""
    return {"op": "commit", "durable": durable}


def abort() -> Operation:
    """Undo the transaction: it ends with TransactionAborted."""
    return {"op": "abort"}


def comment(text: str) -> Operation:
    """A line for the database's log."""
    return {"op": "comment", "comment": text}


def assert_lock(lock: str) -> Operation:
    """Fail with NotOwner unless this session holds ``lock``."""
    return {"op": "assert", "lock": lock}


def wire_triples(triples: Iterable[tuple[str, str, object]]) -> list[object]:
    """Conditions or mutations as JSON."""
    return [[column, function, wire(value)] for column, function, value in triples]
