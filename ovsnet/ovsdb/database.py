"""One database of a session or a client: rows by name, and transactions that the schema has agreed to.

    db = client["Open_vSwitch"]
    print((await db.get("Bridge", "br0"))["fail_mode"])
    await db.set("Bridge", "br0", {"fail_mode": "secure", "other_config:hwaddr": "02:00:00:00:00:01"})

    async with db.lock("my_tool"), db.monitor({"Interface": ["name", "ofport"]}) as interfaces:
        async for changes in interfaces: ...

A record is a Uuid, or the name of a row; None is the one row of a table such as Open_vSwitch.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias, TypeVar

from ovsnet.errors import UsageError
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.opening import Opening
from ovsnet.ovsdb.atoms import key_of
from ovsnet.ovsdb.changes import OnChange
from ovsnet.ovsdb.errors import NoSuchRow
from ovsnet.ovsdb.fit import fit_conditions, meets
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.monitor import LONGEST, SILENCE, Monitor
from ovsnet.ovsdb.operations import Condition, Mutation, Operation
from ovsnet.ovsdb.replica import Tables
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.schema import IMPLICIT_COLUMNS, Schema, Table
from ovsnet.ovsdb.selection import Columns, Where
from ovsnet.ovsdb.transaction import Counted, Rows, Transaction
from ovsnet.ovsdb.typed import TypedRow, row_as
from ovsnet.ovsdb.values import Row, Uuid, columns_of

Record: TypeAlias = Uuid | uuid.UUID | str | None
T = TypeVar("T", bound=TypedRow)

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Copy(Protocol):
    """A monitor."""

    async def until(self, fact: Callable[[Tables], object], *, timeout: float) -> None: ...


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

    def monitor(
        self, database: str, tables: Columns, *, where: Where | None = ..., timeout: float = ..., longest: float = ...
    ) -> AbstractAsyncContextManager[Copy]: ...

    def lock(self, name: str, *, steal: bool = ..., timeout: float = ...) -> Opening[Lock]: ...


class Database:
    """Of a session it is a ``SessionDatabase``, of a client a ``LiveDatabase``: these differ in what ``monitor`` gives.
    ``timeout`` is of each call."""

    def __init__(self, over: Asks, name: str, *, timeout: float = 5.0) -> None:
        self.name = name
        self.timeout = require_seconds(timeout)
        self._over = over

    async def schema(self) -> Schema:
        """As the server has it now."""
        return await self._over.get_schema(self.name, timeout=self.timeout)

    def transaction(self, *, comment: str = "", timeout: float | None = None, durable: bool = False) -> Transaction:
        """Enter it with ``async with``; it is sent when the block is left. Without ``timeout`` that of the database
        holds, here and in ``transact``."""
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

        for name, value in columns_of(values, more).items():
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

    def lock(self, name: str, *, steal: bool = False, timeout: float = 10.0) -> Opening[Lock]:
        """Hold a lock in a block, as ``Session.lock`` and ``Client.lock`` do. It is the server's, and the same for all
        its databases."""
        return self._over.lock(name, steal=steal, timeout=timeout)

    async def wait_until(self, table: str, record: Record, *conditions: Condition, timeout: float) -> Row:
        """Return when a row is there and meets all conditions, with the columns that they name.

        Raises DeadlineExceeded after ``timeout`` seconds.
        """
        deadline = Deadline(timeout)
        known = (await self._over.get_schema(self.name, timeout=timeout)).table(table)
        meant = conditions_of(known, record)
        fit_conditions(known, conditions)
        columns = {name: None for name, _, _ in (*meant, *conditions) if name != "_uuid"}
        found: list[Row] = []

        def is_met(tables: Tables) -> bool:
            found[:] = [row for uuid, row in tables[table].items() if meets(known, {**row, "_uuid": uuid}, conditions)]
            return bool(found)

        where: Where = {table: meant} if meant else {}
        left = deadline.left
        async with self._over.monitor(self.name, {table: [*columns]}, where=where, timeout=left, longest=left) as copy:
            await copy.until(is_met, timeout=deadline.left)
        return found[0]

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


class Monitors(Asks, Protocol):
    """A Session."""

    def monitor(
        self,
        database: str,
        tables: Columns,
        *,
        where: Where | None = ...,
        on_change: OnChange | None = ...,
        since: Monitor | None = ...,
        timeout: float = ...,
        longest: float = ...,
        widen: bool = ...,
    ) -> Opening[Monitor]: ...


class SessionDatabase(Database):
    """Got as ``session["Open_vSwitch"]``."""

    def __init__(self, over: Monitors, name: str, *, timeout: float = 5.0) -> None:
        super().__init__(over, name, timeout=timeout)
        self._session = over

    def monitor(
        self,
        tables: Columns,
        *,
        where: Where | None = None,
        on_change: OnChange | None = None,
        since: Monitor | None = None,
        timeout: float = SILENCE,
        longest: float = LONGEST,
        widen: bool = False,
    ) -> Opening[Monitor]:
        """As ``Session.monitor``."""
        return self._session.monitor(
            self.name,
            tables,
            where=where,
            on_change=on_change,
            since=since,
            timeout=timeout,
            longest=longest,
            widen=widen,
        )


def _set_key(column: Column, text: str, value: object) -> list[Mutation]:
    if not column.is_map:
        raise UsageError(
            f"Column {column.name} is not a map: it has no key {text}.", remedy=f"Set {column.name} itself."
        )
    key = key_of(column, text)
    return [(column.name, "delete", [key]), (column.name, "insert", {key: value})]


def conditions_of(table: Table, record: Record) -> list[Condition]:
    """What a row must meet to be the one that is meant. Raises UsageError where rows of a table have no name."""
    if record is None:
        if not table.is_singleton:
            raise UsageError(f"Table {table.name} may hold more than one row.", remedy="Name the row that is meant.")
        return []
    if not isinstance(record, str | uuid.UUID):
        raise UsageError(f"{record!r} names no row of {table.name}.", remedy="Give a Uuid, or the name of a row.")
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
