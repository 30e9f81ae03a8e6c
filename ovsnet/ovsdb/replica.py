"""A copy of some tables, and how the server's updates change it. Pure: no session, no clock.

Three notations of one thing, for one row each:

* ``update`` (RFC 7047 section 4.1.6): ``{"old": changed columns, "new": all columns}``; no ``new`` means deleted.
* ``update2`` and ``update3`` (ovsdb-server(7), sections 4.1.14 and 4.1.15): one of ``{"initial": row}``,
  ``{"insert": row}``, ``{"modify": differences}``, ``{"delete": null}``. A row leaves out columns with their default.

A row is never changed in place: a caller that holds an old one keeps it as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias, TypeVar

import msgspec

from ovsnet.errors import ProtocolError
from ovsnet.ovsdb.rows import BAD_VALUE, Column
from ovsnet.ovsdb.values import Row, Uuid, Value

Item = TypeVar("Item")

RowUpdate: TypeAlias = Mapping[str, Mapping[str, object] | None]
Tables: TypeAlias = Mapping[str, Mapping[Uuid, Row]]


class Change(msgspec.Struct, frozen=True, gc=False):  # those of a first copy would bring about a full collection
    """One row before and after: ``old`` is None for a new row, ``new`` for a row that is gone."""

    table: str
    uuid: Uuid
    old: Row | None
    new: Row | None


class Replica:
    """Some columns of some tables. ``columns`` says which; a row holds each of them, always."""

    def __init__(self, columns: Mapping[str, Mapping[str, Column]]) -> None:
        self.columns = columns
        self.tables: dict[str, dict[Uuid, Row]] = {table: {} for table in columns}
        self._defaults = {
            table: {name: column.default for name, column in these.items()} for table, these in columns.items()
        }

    def copy(self) -> Replica:
        """The same rows, so that changes to one are not seen in the other."""
        twin = Replica(self.columns)
        twin.tables = {table: dict(rows) for table, rows in self.tables.items()}
        return twin

    def apply(self, table: str, uuid: Uuid, update: RowUpdate) -> Change | None:
        """Change one row, as ``change`` says."""
        change = self.change(table, uuid, update)
        if change is not None:
            self.accept(change)
        return change

    def change(self, table: str, uuid: Uuid, update: RowUpdate) -> Change | None:
        """What an update does to a row, without doing it. None when nothing changes.

        Raises ProtocolError when the update is malformed, or changes a row that was never sent: then the copy cannot
        be trusted any more.
        """
        rows = self.tables.get(table)
        if rows is None:
            raise ProtocolError(f"The server sent an update of table {table}, which was not asked for.")
        old = rows.get(uuid)
        try:
            new = self._after(table, old, update)
        except BAD_VALUE as error:
            raise ProtocolError(f"The update of row {uuid} in {table} cannot be applied: {error}.") from error
        return None if old == new else Change(table, uuid, old, new)

    def fill(self, table: str, uuid: Uuid, update: RowUpdate, known: Row | None = None) -> None:
        """The same, at once, for a row of a first snapshot. One that is as ``known`` is kept as that object. Raises
        ProtocolError."""
        try:
            if (new := self._after(table, None, update)) is None:
                raise ValueError("it is deleted")
            self.tables[table][uuid] = known if known is not None and known == new else new
        except BAD_VALUE as error:
            raise ProtocolError(f"Row {uuid} of {table} cannot be read: {error}.") from error

    def accept(self, change: Change) -> None:
        """Do what ``change`` found."""
        if change.new is None:
            self.tables[change.table].pop(change.uuid, None)
        else:
            self.tables[change.table][change.uuid] = change.new

    def _after(self, table: str, old: Row | None, update: RowUpdate) -> Row | None:
        for kind, wired in update.items():
            if kind == "modify":
                return self._patched(table, old, wired)
            if kind in ("initial", "insert", "new"):
                return self._whole(table, wired)
        if not update.keys() & {"delete", "old"}:
            raise ValueError("it says neither insert, modify nor delete")
        return None

    def _whole(self, table: str, wired: Mapping[str, object] | None) -> Row:
        columns = self.columns[table]
        row = self._defaults[table].copy()
        for name, value in _members(wired):
            row[name] = columns[name].read(value)
        return row

    def _patched(self, table: str, old: Row | None, wired: Mapping[str, object] | None) -> Row:
        if old is None:
            raise LookupError("the server never sent this row")
        columns = self.columns[table]
        row: dict[str, Value] = dict(old)
        for name, difference in _members(wired):
            row[name] = columns[name].patched(old[name], difference)
        return row


def changes_between(old: Tables, new: Tables, rows: int) -> Iterator[list[Change]]:
    """What turns ``old`` into ``new``, row by row: in steps of that many rows to look at, most of which may be the
    same."""
    for table in {**old, **new}:
        before, after = old.get(table, {}), new.get(table, {})
        # By uuid, and not in pairs: the cyclic collector would count these.
        for uuids in batches(before, rows):
            yield [Change(table, uuid, before[uuid], None) for uuid in uuids if uuid not in after]
        for uuids in batches(after, rows):
            yield [
                Change(table, uuid, was, row)
                for uuid in uuids
                if (was := before.get(uuid)) is not (row := after[uuid]) and was != row
            ]


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in lists of at most ``size``."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def apply_all(replica: Replica, updates: Mapping[str, Mapping[str, RowUpdate]]) -> list[Change]:
    """Apply ``<table-updates>`` of any notation, and return what changed. Raises ProtocolError, and applies nothing."""
    found = [
        replica.change(table, Uuid(uuid), update) for table, rows in updates.items() for uuid, update in rows.items()
    ]
    changes = [change for change in found if change is not None]
    for change in changes:
        replica.accept(change)
    return changes


def _members(wired: Mapping[str, object] | None) -> Iterable[tuple[str, object]]:
    if wired is None:
        raise TypeError("a row is missing")
    return wired.items()
