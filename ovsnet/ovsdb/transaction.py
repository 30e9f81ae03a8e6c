"""A transaction that is built step by step, each step held against the schema, and sent when its block is left.

    async with db.transaction(comment="add br0") as t:
        port = t.insert("Port", name="br0", interfaces=[t.insert("Interface", name="br0", type="internal")])
        bridge = t.insert("Bridge", name="br0", ports=[port])
        t.mutate("Open_vSwitch", [], ("bridges", "insert", [bridge]))
    print(bridge.uuid)

All of it is done or nothing; an exception inside the block sends nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.ovsdb import operations
from ovsnet.ovsdb.fit import fit_conditions, fit_mutations, fit_row
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.operations import Condition, Mutation, Operation
from ovsnet.ovsdb.schema import Schema, Table
from ovsnet.ovsdb.values import NamedUuid, Row, Uuid, columns_of

T = TypeVar("T")

_NUMBERS = count()
"""Of the rows that are inserted. No two have one name, so that the row of one transaction is none of another's."""

Rows: TypeAlias = Uuid | uuid.UUID | NamedUuid | Iterable[Condition]
"""Which rows: one by its uuid, or those that meet all conditions; an empty list means all."""


class Transacts(Protocol):
    """What a transaction is sent over: a Session, or a Client."""

    async def get_schema(self, database: str, *, timeout: float = ...) -> Schema: ...

    async def transact(self, database: str, *operations: Operation, timeout: float = ...) -> list[dict[str, Any]]: ...


class Inserted(NamedUuid):
    """A row that is inserted. Refer to it within the transaction, and in later ones; ``uuid`` is known after it."""

    _uuid: Uuid | None = None
    _never = False

    def wire(self) -> list[str]:
        """By its name within the transaction; the name means nothing in another one, and by then there is a uuid.
        Raises UsageError where there is none: the server would take an unknown name for that of no row."""
        if self._never:
            raise UsageError("This row has no uuid: its transaction failed.", remedy="Insert it in this one.")
        return super().wire() if self._uuid is None else ["uuid", str(self._uuid)]

    @property
    def uuid(self) -> Uuid:
        """What the server gave it. Raises UsageError before the transaction was done."""
        return _known(self._uuid)


class Counted:
    """How many rows an update, a mutation or a deletion met."""

    _count: int | None = None

    @property
    def count(self) -> int:
        """Raises UsageError before the transaction was done."""
        return _known(self._count)


class Selected:
    """What a select found, as the transaction saw it."""

    _rows: list[Row] | None = None

    @property
    def rows(self) -> list[Row]:
        """Raises UsageError before the transaction was done."""
        return _known(self._rows)


class Transaction:
    """Made by ``Database.transaction``. ``durable`` has the server answer when it is on disk. ``timeout`` is in
    seconds, to enter the block and again to leave it; or one deadline for both."""

    def __init__(
        self,
        over: Transacts,
        database: str,
        *,
        comment: str = "",
        timeout: float | Deadline = 5.0,
        durable: bool = False,
    ) -> None:
        self._over = over
        self._database = database
        self._comment = comment
        self._timeout = timeout if isinstance(timeout, Deadline) else require_seconds(timeout)
        self._durable = durable
        self._operations: list[Operation] = []
        self._take: list[Callable[[Mapping[str, Any]], None]] = []
        self._inserted: list[Inserted] = []
        self._schema: Schema | None = None
        self._left = False

    async def __aenter__(self) -> Self:
        if self._left or self._schema is not None:
            raise UsageError("This transaction was entered before.", remedy="Make one for each block.")
        self._schema = await self._over.get_schema(self._database, timeout=self._left_of_timeout())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left = True
        try:
            if kind is None:
                await self._commit()
        finally:
            for each in self._inserted:
                each._never = each._uuid is None

    def insert(self, table: str, row: Mapping[str, object] | None = None, /, **columns: object) -> Inserted:
        """A new row. Columns that are not named get their default."""
        made = Inserted(f"row{next(_NUMBERS)}")
        fitted = fit_row(self._table(table), columns_of(row, columns), new=True)

        def take(result: Mapping[str, Any]) -> None:
            made._uuid = _uuid_of(result)

        self._inserted.append(made)
        self._add({"op": "insert", "table": table, "row": fitted, "uuid-name": str(made)}, take)
        return made

    def update(self, table: str, rows: Rows, row: Mapping[str, object] | None = None, /, **columns: object) -> Counted:
        """Overwrite columns of some rows."""
        known = self._table(table)
        fitted = fit_row(known, columns_of(row, columns), new=False)
        return self._count({"op": "update", "table": table, "where": _where(known, rows), "row": fitted})

    def mutate(self, table: str, rows: Rows, /, *mutations: Mutation) -> Counted:
        """Change columns of some rows in place: ``(column, mutator, value)``."""
        known = self._table(table)
        fitted = fit_mutations(known, mutations)
        return self._count({"op": "mutate", "table": table, "where": _where(known, rows), "mutations": fitted})

    def delete(self, table: str, rows: Rows, /) -> Counted:
        """Delete some rows."""
        return self._count({"op": "delete", "table": table, "where": _where(self._table(table), rows)})

    def select(self, table: str, rows: Rows = (), /, *, columns: Iterable[str] | None = None) -> Selected:
        """Read some rows as they are at this step."""
        known, found = self._table(table), Selected()
        operation: dict[str, object] = {"op": "select", "table": table, "where": _where(known, rows)}
        named = None if columns is None else [known.column(name).name for name in columns]
        if named is not None:
            operation["columns"] = named

        def take(result: Mapping[str, Any]) -> None:
            found._rows = known.rows(result, named or ())

        self._add(operation, take)
        return found

    def wait(
        self,
        table: str,
        rows: Rows,
        values: Iterable[Mapping[str, object]],
        /,
        *,
        columns: Iterable[str],
        until: Literal["==", "!="] = "==",
        timeout: float = 0.0,
    ) -> None:
        """Go on only if ``columns`` of these rows are (or are not) ``values``; wait ``timeout`` seconds for it.

        With 0 it guards what was read before: TransactionTimedOut means that another client changed it since.
        """
        known = self._table(table)
        named = [known.column(name).name for name in columns]
        wanted = [known.to_wire(row) for row in values]
        milliseconds = operations.milliseconds(timeout)
        operation: dict[str, object] = {"op": "wait", "table": table, "where": _where(known, rows), "columns": named}
        self._add({**operation, "until": until, "rows": wanted, "timeout": milliseconds})

    def verify(self, table: str, uuid: Uuid, row: Row, /) -> None:
        """Go on only if a row still is as it was read."""
        known = self._table(table)
        kept = {name: value for name, value in row.items() if name in known.columns}
        self.wait(table, uuid, [kept], columns=kept)

    def assert_lock(self, lock: Lock | str, /) -> None:
        """Go on only if this connection holds the lock."""
        self._add(operations.assert_lock(lock.name if isinstance(lock, Lock) else lock))

    def _count(self, operation: Operation) -> Counted:
        counted = Counted()

        def take(result: Mapping[str, Any]) -> None:
            counted._count = _count_of(result)

        self._add(operation, take)
        return counted

    def _add(self, operation: Operation, take: Callable[[Mapping[str, Any]], None] = lambda result: None) -> None:
        self._begun()
        self._operations.append(operation)
        self._take.append(take)

    def _begun(self) -> Schema:
        if self._left:
            raise UsageError("The transaction is over.", remedy="Begin another for what comes after its block.")
        if self._schema is None:
            raise UsageError("The transaction has not begun.", remedy="Enter it with `async with`.")
        return self._schema

    def _table(self, name: str) -> Table:
        return self._begun().table(name)

    def _left_of_timeout(self) -> float:
        return self._timeout.left if isinstance(self._timeout, Deadline) else self._timeout

    async def _commit(self) -> None:
        if not self._operations:
            return
        more = [operations.comment(self._comment)] if self._comment else []
        if self._durable:
            more.append(operations.commit(durable=True))
        seconds = self._left_of_timeout()
        results = await self._over.transact(self._database, *self._operations, *more, timeout=seconds)
        for take, result in zip(self._take, results, strict=False):
            take(result)


def _known(found: T | None) -> T:
    if found is None:
        raise UsageError("The transaction is not done yet.", remedy="Ask for results behind its block.")
    return found


def _where(table: Table, rows: Rows) -> list[object]:
    if isinstance(rows, uuid.UUID):
        rows = Uuid(rows)
    if isinstance(rows, str):
        if not isinstance(rows, Uuid | NamedUuid):
            raise UsageError(f"{rows!r} names no rows of {table.name}.", remedy="Give a Uuid, or a list of conditions.")
        rows = [("_uuid", "==", rows)]
    return fit_conditions(table, rows)


def _uuid_of(result: Mapping[str, Any]) -> Uuid:
    match result.get("uuid"):
        case ["uuid", str(text)]:
            return Uuid(text)
    raise ProtocolError("The server answered an insert without a uuid.")


def _count_of(result: Mapping[str, Any]) -> int:
    match result.get("count"):
        case int(number):
            return number
    raise ProtocolError("The server answered an operation without a count.")
