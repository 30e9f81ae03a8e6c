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

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from ovsnet.errors import UsageError
from ovsnet.ovsdb.values import LARGEST_INTEGER, wire, wire_row, wire_rows

Operation: TypeAlias = Mapping[str, object]
Condition: TypeAlias = tuple[str, str, object]
Mutation: TypeAlias = tuple[str, str, object]

_EXAMPLES = {"condition": '("name", "==", "br0")', "mutation": '("ports", "insert", [port])'}


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
    return {
        "op": "mutate",
        "table": table,
        "where": wire_triples(where),
        "mutations": wire_triples(mutations, "mutation"),
    }


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
        "timeout": milliseconds(timeout),
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


def wire_triples(triples: Iterable[tuple[str, str, object]], what: str = "condition") -> list[object]:
    """Conditions or mutations as JSON. Raises UsageError for what is none."""
    return [[column, function, wire(value)] for column, function, value in well_formed(triples, what)]


def well_formed(triples: object, what: str = "condition") -> Iterator[tuple[str, str, object]]:
    """The same. Raises UsageError for what is no condition, or no mutation, whatever the schema says."""
    if not isinstance(triples, Iterable) or isinstance(triples, str):
        raise UsageError(f"{triples!r} is not a list of {what}s.", remedy=f"Give a list such as [{_EXAMPLES[what]}].")
    for each in triples:
        match each:
            case [str(), str(), _]:
                yield each
            case _:
                raise UsageError(
                    f"{each!r} is not a {what}.",
                    remedy=f"Give a column, a function and a value, such as {_EXAMPLES[what]}.",
                )


def milliseconds(seconds: float) -> int:
    """For how long the server is to wait. Raises UsageError for no time at all."""
    if not (isinstance(seconds, int | float) and 0.0 <= seconds <= LARGEST_INTEGER // 1000):
        raise UsageError(f"No wait operation takes {seconds!r} s.", remedy="Give a number of seconds, or 0.")
    return round(seconds * 1000)


def require_operations(operations: Iterable[object]) -> None:
    """Raises UsageError for what is none."""
    for each in operations:
        if not isinstance(each, Mapping):
            raise UsageError(
                f"{each!r} is not an operation of a transaction.",
                remedy="Make it with ovsnet.ovsdb.operations, such as insert().",
            )
