"""One session with an ovsdb-server.

    async with connect("unix:/run/openvswitch/db.sock") as session:
        print(await session.echo(), await session.list_dbs())
        bridges = await session.select("Open_vSwitch", "Bridge", columns=["name"])
        monitor = await session.monitor("Open_vSwitch", {"Interface": ["name", "ofport"]}, on_change=print)

Every request has a deadline, in seconds. A session that is lost stays lost: open another, and pass the old monitor as
``since``; or use a ``Client``, which does both.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, TypeVar

import msgspec

from ovsnet.errors import DeadlineExceeded, PeerError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.ovsdb.changes import Audience, OnChange
from ovsnet.ovsdb.database import Database
from ovsnet.ovsdb.errors import MonitorCanceled, Refused, UnknownMethod, ovsdb_error
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.monitor import LONGEST, SILENCE, Monitor
from ovsnet.ovsdb.operations import Condition, Operation, select
from ovsnet.ovsdb.schema import Schema, parse_schema
from ovsnet.ovsdb.selection import Columns, Where, frozen, frozen_where
from ovsnet.ovsdb.values import Row, Uuid
from ovsnet.protocol.jsonrpc import decode_body

MAX_BYTES = 256 << 20
"""Bytes of one message. A southbound database of 100 000 rows is 36 MB."""

T = TypeVar("T")

_ANY: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)
_NAMES: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
_NAME: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_RESULTS: msgspec.json.Decoder[list[dict[str, Any] | None]] = msgspec.json.Decoder(list[dict[str, Any] | None])
_UPDATE: msgspec.json.Decoder[tuple[str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_UPDATE3: msgspec.json.Decoder[tuple[str, str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])
_ONE_NAME: msgspec.json.Decoder[tuple[str]] = msgspec.json.Decoder(tuple[str])
_LOCKED: msgspec.json.Decoder[dict[str, bool]] = msgspec.json.Decoder(dict[str, bool])


class Session(JsonRpcSession):
    """Requests may overlap freely. Use as ``async with connect(address) as session``."""

    def __init__(self, address: Address, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(address, max_bytes=max_bytes, refusal=self._error_of, on_notification=self._dispatch)
        self.closed.add_done_callback(self._on_closed)
        self._monitors: dict[str, Monitor] = {}
        self._keys = count(1)
        self._schemas: dict[str, Schema] = {}
        self._texts: dict[str, bytes] = {}
        self._schema_watches: dict[str, str] = {}
        self._locks: dict[str, Lock] = {}
        self._change_aware = self._asked_for_changes = False

    def __getitem__(self, database: str) -> Database:
        return Database(self, database)

    async def echo(self, *, timeout: float = 1.0) -> float:
        """Seconds for an echo to come back (RFC 7047 section 4.1.11): proof that the server's main loop turns."""
        started = time.monotonic()
        await self.request("echo", (), timeout=timeout)
        return time.monotonic() - started

    async def list_dbs(self, *, timeout: float = 1.0) -> list[str]:
        """The databases that the server serves, ``_Server`` among them."""
        return self._read(await self.request("list_dbs", (), timeout=timeout), _NAMES)

    async def get_schema(self, database: str, *, timeout: float = 5.0) -> Schema:
        """The schema, fetched once, and again when the server was made to convert it. Raises UnknownDatabase."""
        while True:
            watched = self._is_watched(database)
            schema = await self._schema(database, timeout)
            if self._change_aware and not watched:
                await self._watch_schema(schema, timeout)
            if watched or await self._is_current(schema, timeout):
                return schema

    async def _watch_schema(self, schema: Schema, timeout: float) -> None:
        """A monitor that is sent no update, and is cancelled when the schema changes. It names a table: ovsdb-server
        3.1 takes two monitors of no table for one, of whatever databases, and so cancels neither."""
        key, nothing = self._new_key(), dict.fromkeys(("initial", "insert", "delete", "modify"), False)
        quiet = {table: [{"columns": [], "select": nothing}] for table in list(schema.tables)[:1]}
        await self.request("monitor_cond", (schema.name, key, quiet), timeout=timeout)
        self._schema_watches[key] = schema.name

    async def _is_current(self, schema: Schema, timeout: float) -> bool:
        """Whether it was the server's still when a monitor of ours began, which is cancelled when that is over. Else it
        is forgotten."""
        known = self._schemas.get(schema.name) is schema
        if known and (
            not self._change_aware or await self._schema_text(schema.name, timeout) == self._texts[schema.name]
        ):
            return True
        if self._schemas.get(schema.name) is schema:
            del self._schemas[schema.name]
        return False

    async def get_server_id(self, *, timeout: float = 1.0) -> Uuid:
        """What tells this run of the server from another, and from its cluster's other members."""
        return Uuid(self._read(await self.request("get_server_id", (), timeout=timeout), _NAME))

    async def set_db_change_aware(self, aware: bool = True, *, timeout: float = 1.0) -> None:
        """Ask the server to cancel our monitors when a schema changes, instead of closing the session.

        ``monitor`` does it by itself. Raises UnknownMethod on servers before 2.9, which close the session.
        """
        await self.request("set_db_change_aware", (aware,), timeout=timeout)
        if aware and not self._change_aware:
            self._schemas.clear()  # the server would not notify us of a change of these
        self._change_aware, self._asked_for_changes = aware, True

    async def transact(self, database: str, *operations: Operation, timeout: float = 5.0) -> list[dict[str, Any]]:
        """Do all ``operations`` or none; one result for each, as in RFC 7047 section 5.2, in JSON.

        Raises the type of ``ovsnet.ovsdb.errors`` that fits, with the index of the operation that failed. After a
        DeadlineExceeded or a ConnectionLost nobody knows whether the transaction was done. One that is late, or whose
        caller is cancelled, is cancelled at the server too, where it may still wait for something.
        """
        await self.ready(timeout)
        number, answer = self.ask("transact", (database, *operations), timeout)
        try:
            body = await answer
        except (asyncio.CancelledError, DeadlineExceeded):
            self.notify("cancel", (number,))  # RFC 7047 section 4.1.4; ovsdb-server 3.1 forgets it without a word
            raise
        results = self._read(body, _RESULTS)
        for index, result in enumerate(results):
            if result is not None and "error" in result:
                raise self._transaction_error(result, index, operations)
        if len(results) != len(operations):
            raise ProtocolError(f"{self.address} gave {len(results)} results for {len(operations)} operations.")
        return [result or {} for result in results]

    async def select(
        self,
        database: str,
        table: str,
        where: Iterable[Condition] = (),
        columns: Iterable[str] | None = None,
        *,
        timeout: float = 5.0,
    ) -> list[Row]:
        """The rows of a table that match, typed by the schema, with ``_uuid`` when no columns are named."""
        schema = (await self.get_schema(database, timeout=timeout)).table(table)
        (result,) = await self.transact(database, select(table, where, columns), timeout=timeout)
        return [schema.row(row) for row in rows_of(result)]

    async def lock(self, name: str, *, steal: bool = False, timeout: float = 1.0) -> Lock:
        """Ask for a lock, or with ``steal`` take it from its owner. ``acquired`` says when it is ours.

        A session asks for a name once at a time: ``release`` comes before the next.
        """
        lock = self._locks[name] = Lock(name, self)
        answer = await self.request("steal" if steal else "lock", (name,), timeout=timeout)
        if self._read(answer, _LOCKED).get("locked", steal):
            lock.granted()
        return lock

    async def unlock(self, name: str, *, timeout: float = 1.0) -> None:
        """What ``Lock.release`` calls."""
        self._locks.pop(name, None)
        await self.request("unlock", (name,), timeout=timeout)

    async def monitor(
        self,
        database: str,
        tables: Columns,
        *,
        where: Where | None = None,
        on_change: OnChange | None = None,
        since: Monitor | None = None,
        timeout: float = SILENCE,
        longest: float = LONGEST,
        widen: bool = False,
        audience: Audience | None = None,
    ) -> Monitor:
        """A live copy of ``tables`` (their columns, or None for all), returned when the first snapshot is in.

        ``on_change`` is called with each transaction's changes, first with the rows that are there already; when it
        raises, the monitor ends. ``since`` is the monitor of a lost session: its rows are kept if the server remembers
        its last transaction, else replaced; the difference is delivered in both cases. ``timeout`` is about silence: it
        counts from the last byte of the snapshot that arrived; ``longest`` bounds the whole. A condition on a column
        that the server has not is a UsageError; with ``widen`` all rows of that table come. ``audience`` is for those
        that follow a copy over several sessions.
        """
        await self._become_change_aware(timeout)
        where, tables = frozen_where(where), frozen(tables)
        while True:
            watched = self._is_watched(database)
            schema = await self._schema(database, timeout)
            key = self._new_key()
            monitor = Monitor(self, key, schema, tables, where, on_change, audience=audience, widen=widen)
            self._monitors[key] = monitor
            monitor.closed.add_done_callback(partial(self._let_go, key))
            try:
                await monitor.start(since, silence=timeout, longest=longest)
            except BaseException as error:
                monitor.give_up(error if isinstance(error, PeerError) else MonitorCanceled("The monitor was given up."))
                raise
            try:
                if watched or await self._is_current(schema, longest):
                    return monitor
            except PeerError as error:  # its rows were delivered: it is for its owner to go on from them
                self.fail(error)
                return monitor
            # Converted before the monitor came: it has the columns of before, and nothing would ever cancel it.
            monitor.give_up(MonitorCanceled(f"The schema of {database} changed before its monitor began."))
            since = monitor

    def depend_on(self, monitor: Monitor) -> None:
        """End the session when this monitor ends: one that is there for its copy is of no use without."""
        monitor.closed.add_done_callback(lambda closed: self.fail(closed.result()))

    async def _become_change_aware(self, timeout: float) -> None:
        if not self._asked_for_changes:
            with contextlib.suppress(UnknownMethod):
                await self.set_db_change_aware(timeout=timeout)
            self._asked_for_changes = True

    async def _schema(self, database: str, timeout: float) -> Schema:
        if database not in self._schemas:
            body = await self._schema_text(database, timeout)
            if database not in self._schemas or self._texts[database] != body:  # another task may have asked, too
                self._schemas[database] = parse_schema(self._read(msgspec.Raw(body), _ANY))
                self._texts[database] = body
        return self._schemas[database]

    async def _schema_text(self, database: str, timeout: float) -> bytes:
        return bytes(await self.request("get_schema", (database,), timeout=timeout))

    def _is_watched(self, database: str) -> bool:
        """Whether we are notified when this schema changes."""
        monitored = {monitor.database for monitor in self._monitors.values()}
        return database in monitored or database in self._schema_watches.values()

    def _let_go(self, key: str, _: asyncio.Future[PeerError]) -> None:
        monitor = self._monitors.pop(key, None)
        if monitor is not None and self._change_aware and not self._is_watched(monitor.database):
            self._schemas.pop(monitor.database, None)

    def _new_key(self) -> str:
        return f"ovsnet-{next(self._keys)}"

    def _read(self, body: msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
        try:
            return decode_body(body, decoder)
        except ProtocolError as error:
            raise ProtocolError(f"{self.address}: {error}", remedy=error.remedy) from error

    def _error_of(self, error: object) -> Refused:
        return ovsdb_error(error, peer=str(self.address))

    def _transaction_error(self, error: Mapping[str, object], index: int, operations: Sequence[Operation]) -> Refused:
        if index >= len(operations):
            return ovsdb_error(error, peer=str(self.address), subject="the commit")
        subject = f"operation {index} ({operations[index].get('op')})"
        return ovsdb_error(error, peer=str(self.address), operation=index, subject=subject)

    def _dispatch(self, method: str, params: msgspec.Raw) -> None:
        match method:
            case "update3":
                key, txn, updates = decode_body(params, _UPDATE3)
            case "update" | "update2":
                key, updates = decode_body(params, _UPDATE)
                txn = ""
            case "monitor_canceled":
                self._on_canceled(*decode_body(params, _ONE_NAME))
                return
            case "locked" | "stolen":
                (name,) = decode_body(params, _ONE_NAME)
                if (lock := self._locks.get(name)) is not None:
                    lock.granted() if method == "locked" else lock.stolen()
                return
            case _:
                return
        # An update may still be under way for a monitor that was cancelled.
        if (monitor := self._monitors.get(key)) is not None:
            monitor.on_update(txn, updates)

    def _on_canceled(self, key: str) -> None:
        if (database := self._schema_watches.pop(key, None)) is not None:
            self._schemas.pop(database, None)
        if (monitor := self._monitors.get(key)) is not None:
            self._schemas.pop(monitor.database, None)
            monitor.end(
                MonitorCanceled(
                    f"{self.address} cancelled the monitor of {monitor.database}: the database was removed, or its"
                    " schema changed.",
                    remedy="Monitor it again; the schema is then read again.",
                )
            )

    def _on_closed(self, closed: asyncio.Future[PeerError]) -> None:
        for monitor in list(self._monitors.values()):
            monitor.end(closed.result())
        for lock in self._locks.values():
            lock.end(closed.result())


def rows_of(result: Mapping[str, Any]) -> list[dict[str, object]]:
    """What the result of a select holds, in JSON. Raises ProtocolError."""
    rows = result.get("rows")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ProtocolError("The server answered a select without rows.")
