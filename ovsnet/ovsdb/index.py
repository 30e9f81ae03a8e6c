"""Rows of a live copy by what a column holds, without a scan.

ports = monitor.index("Port", "name")
if "eth0" in ports:
    print(ports.get("eth0"))
bridges = monitor.index("Bridge", "ports")  # by each port that a bridge has
mine = monitor.index("Interface", "external_ids:iface-id")  # by one key of a map
flows = await monitor.index("Logical_Flow", "pipeline")  # of many rows: the loop has its turns while it is made
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Self

from ovsnet.errors import UsageError
from ovsnet.ovsdb.atoms import key_in
from ovsnet.ovsdb.errors import NoSuchRow
from ovsnet.ovsdb.replica import Change, Tables
from ovsnet.ovsdb.selection import Columns
from ovsnet.ovsdb.snapshot import BATCH, collector_paused
from ovsnet.ovsdb.values import Atom, Row, Uuid

Key = tuple[Atom | None, ...]


class Index:
    """Made by ``monitor.index``, and kept up with the copy. ``columns`` are in the order of the values to look for.

    A row is found by its value; by None where an optional column is empty; by each element of a set, and each key of
    a map; and with ``external_ids:iface-id`` by the value of that key.

    ``await monitor.index(...)`` makes it in steps, with the loop free between them, whatever changes meanwhile. If it
    is not awaited, the first search makes all of it at once, and holds the loop for it: 0.3 s for 100,000 rows.
    """

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        if not columns:
            raise UsageError("An index has one column or more.", remedy="Name the columns to find rows by.")
        self.table = table
        self.columns = columns
        self._parts = [column.partition(":")[::2] for column in columns]
        self._rows: Mapping[Uuid, Row] = {}
        self._found: dict[Key, Uuid | set[Uuid]] = {}
        # A set for each of a hundred thousand names would be 20 MB, so a Uuid that is alone has none.
        self._unread: dict[Uuid, Row] = {}
        # Rows that are not in it yet. A change of one of them takes it from here, so that it is never read as it was.

    def __await__(self) -> Generator[Any, None, Self]:
        return self._made().__await__()

    def find(self, *values: Atom | None) -> dict[Uuid, Row]:
        """The rows that have these values, one for each column."""
        self._require_one_for_each(values)
        self._require_atoms(values)
        self._read_all()
        return {uuid: self._rows[uuid] for uuid in self._uuids(values)}

    def get(self, *values: Atom | None) -> Row:
        """The one row that has these values. Raises NoSuchRow when there is none, or more than one."""
        rows = self.find(*values)
        if len(rows) != 1:
            count = len(rows) or "no"
            raise NoSuchRow(
                f"There are {count} rows of {self.table} with {', '.join(self.columns)} "
                f"{', '.join(map(str, values))} in the copy.",
                remedy="See the rows that there are with find().",
            )
        return next(iter(rows.values()))

    def __contains__(self, value: object) -> bool:
        """Of several columns, a tuple of their values."""
        self._read_all()
        return (value if isinstance(value, tuple) else (value,)) in self._found

    def __len__(self) -> int:
        """How many different values there are."""
        self._read_all()
        return len(self._found)

    def fill(self, tables: Tables) -> None:
        """Begin with the rows of a copy. They are read by the first search, or while it is awaited."""
        self.follow(tables)
        self._found, self._unread = {}, dict(self._rows)

    async def prepared(self, tables: Tables) -> Index:
        """The same index of another copy, made in steps."""
        twin = Index(self.table, self.columns)
        twin.fill(tables)
        return await twin

    def become(self, twin: Index) -> None:
        """Take over what ``twin`` has found. References to this index stay valid."""
        self._rows, self._found, self._unread = twin._rows, twin._found, twin._unread

    def follow(self, tables: Tables) -> None:
        """``tables`` holds the rows from now on; what changed in them comes to ``fold``."""
        self._rows = tables.get(self.table, {})

    def fold(self, changes: Iterable[Change]) -> None:
        """Rows changed."""
        for change in changes:
            if change.table == self.table:
                unread = self._unread.pop(change.uuid, None) is not None
                before, after = set() if unread else set(self._keys(change.old)), set(self._keys(change.new))
                for key in before - after:
                    self._remove(key, change.uuid)
                for key in after - before:
                    self._add(key, change.uuid)

    async def _made(self) -> Self:
        while self._unread:
            await asyncio.sleep(0)
            self._read(BATCH)
        return self

    def _read_all(self) -> None:
        if self._unread:
            self._read(len(self._unread))

    def _read(self, most: int) -> None:
        """Put some rows in that are not."""
        count = min(most, len(self._unread))
        with collector_paused(count):
            for _ in range(count):
                uuid, row = self._unread.popitem()
                for key in self._keys(row):
                    self._add(key, uuid)

    def _keys(self, row: Row | None) -> Iterator[Key]:
        """What a row is found by. It lacks a column where the server does."""
        if row is None:
            return iter(())
        return product(*(_values(row[column], key) if column in row else () for column, key in self._parts))

    def _uuids(self, key: Key) -> Iterable[Uuid]:
        found = self._found.get(key, ())
        return (found,) if isinstance(found, Uuid) else found

    def _add(self, key: Key, uuid: Uuid) -> None:
        there = self._found.setdefault(key, uuid)
        if isinstance(there, set):
            there.add(uuid)
        elif there != uuid:
            self._found[key] = {there, uuid}

    def _remove(self, key: Key, uuid: Uuid) -> None:
        there = self._found[key]
        if isinstance(there, set) and len(there) > 1:
            there.remove(uuid)
        else:
            del self._found[key]

    def _require_one_for_each(self, values: Key) -> None:
        if len(values) != len(self.columns):
            raise UsageError(
                f"The index of {self.table} takes {len(self.columns)} values, and {len(values)} were given.",
                remedy=f"Give one for each of {', '.join(self.columns)}.",
            )

    def _require_atoms(self, values: Key) -> None:
        for value in values:
            if value is not None and not isinstance(value, int | float | str):
                raise UsageError(
                    f"No row of {self.table} is found by {value!r}: the index has each element of a set or map.",
                    remedy="Look for one of them.",
                )


def require_monitored(tables: Columns, table: str, columns: Iterable[str]) -> None:
    """Raises UsageError for what is not in the copy; a column may be followed by a key, as those of an index are."""
    if table not in tables:
        raise UsageError(f"Table {table} is not monitored.", remedy=f"Name {table} among the tables.")
    there = tables[table]
    for name in columns:
        column = name.partition(":")[0]
        if there is not None and column not in there:
            raise UsageError(
                f"Column {column} of {table} is not monitored.", remedy=f"Name it among the columns of {table}."
            )


def _values(value: object, key: str) -> Iterable[Atom | None]:
    match value:
        case Mapping() if key:
            found = key_in(value, key)
            return () if found is None else (value[found],)
        case frozenset() | Mapping():
            return value
        case _:
            return (value,)  # type: ignore[return-value]
