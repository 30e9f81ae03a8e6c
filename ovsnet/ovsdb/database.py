"""One database of a session or a client: rows by name, and transactions that the schema has agreed to.

    db = client["Open_vSwitch"]
    print((await db.get("Bridge", "br0"))["fail_mode"])
    await db.set("Bridge", "br0", {"fail_mode": "secure", "other_config:hwaddr": "02:00:00:00:00:01"})

A record is a Uuid, or the name of a row; None is the one row of a table such as Open_vSwitch.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from ovsnet.errors import UsageError
from ovsnet.io.deadline import Deadline
from ovsnet.ovsdb.atoms import key_of
from ovsnet.ovsdb.errors import NoSuchRow
from ovsnet.ovsdb.operations import Condition, Mutation, Operation
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.schema import IMPLICIT_COLUMNS, Schema, Table
from ovsnet.ovsdb.transaction import Counted, Rows, Transaction
from ovsnet.ovsdb.typed import TypedRow, row_as
from ovsnet.ovsdb.values import Row, Uuid

Record: TypeAlias = Uuid | uuid.UUID | str | None
T = TypeVar("T", bound=TypedRow)

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Asks(Protocol):
    """What a database is reached over: a Session, or a Client."""

    async def get_schema(self, database: str, *, timeout: float = ...) -> Schema: ...

    async def transact(self, database: str, *operations: Operation, timeout: float = ...) -> list[dict[str, Any]]: ...

    async def select(
        self,
        database: str,
        table: str,
        where: Iterable[Condition] = ...,
        columns: Iterable[str] | None = ...,
        *,
        timeout: float = ...,
    ) -> list[Row]: ...


class Database:
    """Got as ``session["Open_vSwitch"]``; of a client it is a ``LiveDatabase``. ``timeout`` is of each call."""

    def __init__(self, over: Asks, name: str, *, timeout: float = 5.0) -> None:
        self.name = name
        self.timeout = timeout
        self._over = over

    async def schema(self) -> Schema:
        """As the server has it now."""
        return await self._over.get_schema(self.name, timeout=self.timeout)

    def transaction(self, *, comment: str = "", timeout: float | None = None, durable: bool = False) -> Transaction:
        """Enter it with ``async with``; it is sent when the block is left."""
        seconds = self.timeout if timeout is None else timeout
        return Transaction(self._over, self.name, comment=comment, timeout=seconds, durable=durable)

    async def transact(self, *operations: Operation, timeout: float | None = None) -> list[dict[str, Any]]:
        """Operations as ``ovsnet.ovsdb.operations`` makes them, with their results in JSON."""
        return await self._over.transact(self.name, *operations, timeout=self.timeout if timeout is None else timeout)

    async def find(self, table: str, *conditions: Condition, columns: Iterable[str] | None = None) -> list[Row]:
        """The rows that meet all conditions; all rows without one."""
        return await self._find(table, conditions, columns, Deadline(self.timeout))

    async def find_as(self, kind: type[T], *conditions: Condition) -> list[T]:
        """The same, as objects of a class that ``ovsnet ovsdb generate`` wrote; only its columns are asked for."""
        deadline = Deadline(self.timeout)
        known = (await self.schema()).table(kind.TABLE).columns
        columns = [name for name in kind.FIELDS.values() if name in known or name in IMPLICIT_COLUMNS]
        rows = await self._find(kind.TABLE, conditions, columns, deadline)
        return [row_as(kind, row) for row in rows]

    async def get(self, table: str, record: Record, *columns: str) -> Row:
        """One row, with all columns when none are named. Raises NoSuchRow."""
        deadline = Deadline(self.timeout)
        known = (await self.schema()).table(table)
        rows = await self._find(table, conditions_of(known, record), columns or None, deadline)
        return _only(rows, known, record)

    async def set(
        self, table: str, record: Record, values: Mapping[str, object] | None = None, /, **more: object
    ) -> None:
        """Set columns of a row; ``column:key`` sets one key of a map and leaves the others. Raises NoSuchRow."""
        columns: dict[str, object] = {}
        keys: list[tuple[str, str, object]] = []

        def mutations(known: Table) -> list[Mutation]:
            return [each for column, key, value in keys for each in _set_key(known.column(column), key, value)]

        for name, value in {**(values or {}), **more}.items():
            column, colon, key = name.partition(":")
            if colon:
                keys.append((column, key, value))
            else:
                columns[name] = value
        await self._write(table, record, columns, mutations)

    async def add(self, table: str, record: Record, column: str, value: object) -> None:
        """Add elements to a set, or pairs to a map; a key that is there keeps its value. Raises NoSuchRow."""
        await self._write(table, record, {}, lambda known: [(column, "insert", value)])

    async def remove(self, table: str, record: Record, column: str, value: object) -> None:
        """Remove elements of a set, or keys or pairs of a map. Raises NoSuchRow."""
        await self._write(table, record, {}, lambda known: [(column, "delete", value)])

    async def _find(
        self, table: str, conditions: Iterable[Condition], columns: Iterable[str] | None, deadline: Deadline
    ) -> list[Row]:
        async with Transaction(self._over, self.name, timeout=deadline) as t:
            found = t.select(table, conditions, columns=columns)
        return found.rows

    async def _write(
        self,
        table: str,
        record: Record,
        columns: Mapping[str, object],
        mutations_of: Callable[[Table], list[Mutation]],
    ) -> None:
        deadline = Deadline(self.timeout)
        known = (await self.schema()).table(table)
        mutations = mutations_of(known)
        meant = conditions_of(known, record)
        rows: Rows = meant
        if not isinstance(record, Uuid | uuid.UUID):
            rows = _only(await self._find(table, meant, ["_uuid"], deadline), known, record)["_uuid"]
        met: list[Counted] = []
        async with Transaction(self._over, self.name, timeout=deadline) as t:
            if columns:
                met.append(t.update(table, rows, columns))
            if mutations:
                met.append(t.mutate(table, rows, *mutations))
        if any(each.count == 0 for each in met):
            raise _no_row(known, record)


def _set_key(column: Column, text: str, value: object) -> list[Mutation]:
    key = key_of(column, text)
    return [(column.name, "delete", [key]), (column.name, "insert", {key: value})]


def conditions_of(table: Table, record: Record) -> list[Condition]:
    """What a row must meet to be the one that is meant. Raises UsageError where rows of a table have no name."""
    if record is None:
        if not table.is_singleton:
            raise UsageError(f"Table {table.name} may hold more than one row.", remedy="Name the row that is meant.")
        return []
    if isinstance(record, Uuid | uuid.UUID) or _UUID.fullmatch(record):
        return [("_uuid", "==", Uuid(record))]
    return [(_naming_column(table), "==", record)]


def _naming_column(table: Table) -> str:
    """The string that an index says is unique; else ``name``."""
    indexed = [index[0] for index in table.indexes if len(index) == 1]
    for column in ("name", *indexed):
        if column in table.columns and table.columns[column].key == "string" and table.columns[column].is_scalar:
            return column
    raise UsageError(f"Rows of {table.name} have no name.", remedy="Give the row's Uuid, or use find().")


def _only(rows: list[Row], table: Table, record: Record) -> Row:
    if not rows:
        raise _no_row(table, record)
    if len(rows) > 1:
        raise NoSuchRow(f"{len(rows)} rows of {table.name} are called {record}.", remedy="Give the row's Uuid.")
    return rows[0]


def _no_row(table: Table, record: Record) -> NoSuchRow:
    called = "" if record is None else f" called {record}"
    return NoSuchRow(f"There is no row of {table.name}{called}.", remedy="See the rows that there are with find().")
