"""One session with an ovsdb-server.

    async with connect("unix:/run/openvswitch/db.sock") as session:
        print(await session.echo(), await session.list_dbs())
        bridges = await session.select("Open_vSwitch", "Bridge", columns=["name"])
        async with session.monitor("Open_vSwitch", {"Interface": ["name", "ofport"]}, on_change=print) as monitor:
            print(monitor.tables["Interface"])

Every request has a deadline, in seconds. A session that is lost stays lost: open another, and pass the old monitor as
``since``; or use a ``Client``, which does both.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Any, TypeAlias, TypeVar

import msgspec

from ovsnet.errors import OvsnetError, PeerError, ProtocolError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.opening import Opening
from ovsnet.ovsdb.changes import Audience, OnChange
from ovsnet.ovsdb.database import SessionDatabase
from ovsnet.ovsdb.errors import CallbackRaised, MonitorCanceled, Refused, UnknownMethod, ovsdb_error
from ovsnet.ovsdb.fate import transacted
from ovsnet.ovsdb.known_schemas import KnownSchemas
from ovsnet.ovsdb.lock import Lock, Locks
from ovsnet.ovsdb.monitor import LONGEST, SILENCE, Monitor
from ovsnet.ovsdb.operations import Condition, Operation, require_operations, select
from ovsnet.ovsdb.schema import Schema, parse_schema
from ovsnet.ovsdb.selection import Columns, Where, frozen, frozen_where
from ovsnet.ovsdb.values import Row, Uuid
from ovsnet.protocol.jsonrpc import Body, decode_body, outline_of, part_of

MAX_BYTES = 256 << 20
"""Bytes of one message. A southbound database of 100 000 rows is 36 MB."""

T = TypeVar("T")
Make: TypeAlias = Callable[[str, Schema], Monitor]

_ANY: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)
_NAMES: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
_NAME: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_UPDATE: msgspec.json.Decoder[tuple[str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_UPDATE3: msgspec.json.Decoder[tuple[str, str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])
_ONE_NAME: msgspec.json.Decoder[tuple[str]] = msgspec.json.Decoder(tuple[str])
_LOCKED: msgspec.json.Decoder[dict[str, bool]] = msgspec.json.Decoder(dict[str, bool])


class Session(JsonRpcSession):
    """Requests may overlap freely. Use as ``async with connect(address) as session``.

    With ``bounded`` a server that sends thousands of updates a second ends it with ProtocolFlood, as a stranger in its
    place would. A session that ``connect`` or a Client makes takes as many as there are: its monitors asked for them.
    With ``most_row`` a monitored row of more bytes ends it, too.
    """

    def __init__(
        self, address: Address, *, max_bytes: int = MAX_BYTES, most_row: int | None = None, bounded: bool = True
    ) -> None:
        super().__init__(address, max_bytes=max_bytes, refusal=self._error_of, on_notification=self._dispatch)
        self._bounded = bounded
        self._most_row = most_row
        self._monitors: dict[str, Monitor] = {}
        self._keys = count(1)
        self._schemas = KnownSchemas(self._schema_text, self._schema_of)
        self._locks = Locks(self, lambda answer: self._read(answer, _LOCKED).get("locked", False))
        self._asked_for_changes = False

    def __getitem__(self, database: str) -> SessionDatabase:
        return SessionDatabase(self, database)

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
        deadline = Deadline(timeout)
        while True:
            schema = await self._schemas.read(database, deadline.left)
            if self._schemas.is_watched(schema):
                return schema
            key = await self._watch_schema(schema, deadline.left) if self._schemas.change_aware else ""
            if await self._schemas.is_current(schema, key, deadline.left):
                return schema

    async def _watch_schema(self, schema: Schema, timeout: float) -> str:
        """A monitor that is sent no update, and is cancelled when the schema changes. It names a table: ovsdb-server
        3.1 takes two monitors of no table for one, of whatever databases, and so cancels neither."""
        key, nothing = self._new_key(), dict.fromkeys(("initial", "insert", "delete", "modify"), False)
        quiet = {table: [{"columns": [], "select": nothing}] for table in list(schema.tables)[:1]}
        self._schemas.add(key, schema.name)
        try:
            await self.request("monitor_cond", (schema.name, key, quiet), timeout=timeout)
        except BaseException:  # the server may begin it yet, and nobody would end it
            self._schemas.remove(key)
            self.post("monitor_cancel", [key])
            raise
        return key

    async def get_server_id(self, *, timeout: float = 1.0) -> Uuid:
        """What tells this run of the server from another, and from its cluster's other members."""
        return Uuid(self._read(await self.request("get_server_id", (), timeout=timeout), _NAME))

    async def set_db_change_aware(self, aware: bool = True, *, timeout: float = 1.0) -> None:
        """Ask the server to cancel our monitors when a schema changes, instead of closing the session.

        ``monitor`` does it by itself. Raises UnknownMethod on servers before 2.9, which close the session.
        """
        await self.request("set_db_change_aware", (aware,), timeout=timeout)
        if aware and not self._schemas.change_aware:
            self._schemas.forget_all()  # the server would not notify us of a change of these
        self._schemas.change_aware, self._asked_for_changes = aware, True

    async def transact(self, database: str, *operations: Operation, timeout: float = 5.0) -> list[dict[str, Any]]:
        """Do all ``operations`` or none; one result for each, as in RFC 7047 section 5.2, in JSON.

        Raises the type of ``ovsnet.ovsdb.errors`` that fits, with the index of the operation that failed. When nobody
        knows whether it was done that is TransactionInDoubt, which here is also a DeadlineExceeded, a ConnectionLost or
        a ProtocolError; after one of these alone nothing was sent, or it only reads. One that is late, or whose caller
        is cancelled, is cancelled at the server too, where it may still wait for something.
        """
        require_operations(operations)
        return await transacted(self, database, operations, await self.ready(timeout))

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
        deadline = Deadline(timeout)
        schema = (await self.get_schema(database, timeout=timeout)).table(table)
        named = None if columns is None else tuple(columns)
        (result,) = await self.transact(database, select(table, where, named), timeout=deadline.left)
        return schema.rows(result, named or ())

    def lock(self, name: str, *, steal: bool = False, timeout: float = 10.0) -> Opening[Lock]:
        """Ask for a lock, or with ``steal`` take it from its owner. Await this, and ``acquired`` says when it is ours;
        or enter it with ``async with``, and it is, within ``timeout`` seconds. See ``Lock``.

        A session asks for a name once at a time: a second one is a UsageError until ``release``.
        """
        return Opening(lambda: self._locks.ask(name, steal=steal, timeout=timeout))

    async def unlock(self, name: str, *, timeout: float = 1.0) -> None:
        """Give up a lock by its name, as ``Lock.release`` does."""
        require_seconds(timeout)
        if (lock := self._locks.get(name)) is not None:
            lock.give_up()
        await self.request("unlock", (name,), timeout=timeout)

    def monitor(
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
    ) -> Opening[Monitor]:
        """A live copy of ``tables`` (their columns, or None for all). Await it, or enter it with ``async with``; its
        first rows are in then.

        ``on_change`` is called with each transaction's changes, first with the rows that are there already; when it
        raises, the monitor ends. ``since`` is the monitor of a lost session: its rows are kept if the server remembers
        its last transaction, else replaced; the difference is delivered in both cases. A monitor that was lost after
        its rows were delivered is returned, closed: it is the next ``since``. ``timeout`` is about silence: it
        counts from the last byte of the snapshot that arrived; ``longest`` bounds the whole. A condition on a column
        that the server has not is a UsageError; with ``widen`` all rows of that table come. ``audience`` is for those
        that follow a copy over several sessions.
        """
        where, tables = frozen_where(where), frozen(tables)

        def make(key: str, schema: Schema) -> Monitor:
            return Monitor(
                self, key, schema, tables, where, on_change, audience=audience, widen=widen, most_row=self._most_row
            )

        return Opening(lambda: self._fetch(make, database, since, timeout, longest))

    async def _fetch(self, make: Make, database: str, since: Monitor | None, timeout: float, longest: float) -> Monitor:
        await self._become_change_aware(timeout)
        told: Monitor | None = None
        while True:
            try:
                monitor, current = await self._begin(make, database, told or since, timeout, longest)
            except CallbackRaised:
                raise
            except OvsnetError:
                if told is None:
                    raise
                return told  # what comes next must follow the rows that were delivered, not those of ``since``
            if monitor is not None and current:
                return monitor
            told = monitor or told

    async def _begin(
        self, make: Make, database: str, since: Monitor | None, timeout: float, longest: float
    ) -> tuple[Monitor | None, bool]:
        """The monitor whose rows were delivered, if any, and whether it can stay: not under an old schema. When this
        raises nothing was delivered, unless the callback raised."""
        schema = await self._schemas.read(database, timeout)
        monitor = self._open(make, schema)
        try:
            await monitor.start(since, silence=timeout, longest=longest)
        except Refused as error:
            try:
                current = await self._schemas.is_current(schema, "", longest)
            finally:
                monitor.give_up(error)
            if current:
                raise
            return None, False  # the server knew of what it has no more
        except BaseException as error:
            monitor.give_up(error if isinstance(error, PeerError) else MonitorCanceled("The monitor was given up."))
            raise
        try:
            if await self._schemas.is_current(schema, monitor.key, longest):
                return monitor, True
        except PeerError as error:
            self.fail(error)
            return monitor, True
        # Converted before the monitor came: it has the columns of before, and nothing would ever cancel it.
        monitor.give_up(MonitorCanceled(f"The schema of {database} changed before its monitor began."))
        return monitor, False

    def _open(self, make: Make, schema: Schema) -> Monitor:
        """A monitor that is not asked for yet. A schema that has not what it wants is not kept: the server may have
        another by the next time."""
        key = self._new_key()
        self._schemas.add(key, schema.name)
        try:
            monitor = self._monitors[key] = make(key, schema)
        except UsageError:
            self._schemas.remove(key)
            raise
        monitor.closed.add_done_callback(partial(self._let_go, key))
        return monitor

    def depend_on(self, monitor: Monitor) -> None:
        """End the session when this monitor ends: one that is there for its copy is of no use without."""
        monitor.closed.add_done_callback(lambda closed: self.fail(closed.result()))

    async def _become_change_aware(self, timeout: float) -> None:
        if not self._asked_for_changes:
            with contextlib.suppress(UnknownMethod):
                await self.set_db_change_aware(timeout=timeout)
            self._asked_for_changes = True

    async def _schema_text(self, database: str, timeout: float) -> bytes:
        return bytes(await self.request("get_schema", (database,), timeout=timeout))

    def _schema_of(self, text: bytes) -> Schema:
        return parse_schema(self._read(msgspec.Raw(text), _ANY))

    def _let_go(self, key: str, _: asyncio.Future[PeerError]) -> None:
        self._monitors.pop(key, None)
        self._schemas.remove(key)

    def _new_key(self) -> str:
        return f"ovsnet-{next(self._keys)}"

    def _read(self, body: Body, decoder: msgspec.json.Decoder[T]) -> T:
        try:
            return decode_body(body, decoder)
        except ProtocolError as error:
            raise ProtocolError(f"{self.address}: {error}", remedy=error.remedy) from error

    def _error_of(self, error: object) -> Refused:
        return ovsdb_error(error, peer=str(self.address))

    def _dispatch(self, method: str, params: Body) -> None:
        match method:
            case "update3":
                key, txn, updates = decode_body(outline_of(params), _UPDATE3)
            case "update" | "update2":
                key, updates = decode_body(outline_of(params), _UPDATE)
                txn = ""
            case "monitor_canceled":
                self._on_canceled(*decode_body(params, _ONE_NAME))
                return
            case "locked" | "stolen":
                self._locks.notified(method, *decode_body(params, _ONE_NAME))
                return
            case _:
                return
        # An update may still be under way for a monitor that was cancelled.
        if (monitor := self._monitors.get(key)) is not None:
            if not self._bounded:
                self.channel.asked()
            monitor.on_update(txn, part_of(params, updates))

    def _on_canceled(self, key: str) -> None:
        self._schemas.cancel(key)
        if (monitor := self._monitors.get(key)) is not None:
            monitor.end(
                MonitorCanceled(
                    f"{self.address} cancelled the monitor of {monitor.database}: the database was removed, or its"
                    " schema changed.",
                    remedy="Monitor it again; the schema is then read again.",
                )
            )

    def _on_lost(self, error: PeerError) -> None:
        super()._on_lost(error)
        for monitor in list(self._monitors.values()):
            monitor.end(error)
        self._locks.end(error)
