"""One session with an ovsdb-server.

    async with await connect(Address.parse("unix:/run/openvswitch/db.sock")) as session:
        print(await session.echo(), await session.list_dbs())
        bridges = await session.select("Open_vSwitch", "Bridge", columns=["name"])
        monitor = await session.monitor("Open_vSwitch", {"Interface": ["name", "ofport"]}, on_change=print)

Every request has a deadline, in seconds. A session that is lost stays lost: open another, and pass the old monitor as
``since``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from ovsnet.errors import PeerError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.tls import Tls
from ovsnet.ovsdb.errors import MonitorCanceled, Refused, UnknownMethod, ovsdb_error
from ovsnet.ovsdb.monitor import LONGEST, SILENCE, Monitor, OnChange
from ovsnet.ovsdb.operations import Condition, Operation, select
from ovsnet.ovsdb.schema import Schema, parse_schema
from ovsnet.ovsdb.selection import Columns, Where
from ovsnet.ovsdb.values import Row, Uuid
from ovsnet.protocol.jsonrpc import decode_body

MAX_BYTES = 256 << 20
"""Bytes of one message. A southbound database of 100 000 rows is 36 MB."""

_ANY: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)
_NAMES: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
_NAME: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_RESULTS: msgspec.json.Decoder[list[dict[str, Any] | None]] = msgspec.json.Decoder(list[dict[str, Any] | None])
_UPDATE: msgspec.json.Decoder[tuple[str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_UPDATE3: msgspec.json.Decoder[tuple[str, str, msgspec.Raw]] = msgspec.json.Decoder(tuple[str, str, msgspec.Raw])
_CANCELED: msgspec.json.Decoder[tuple[str]] = msgspec.json.Decoder(tuple[str])


class Session(JsonRpcSession):
    """Requests may overlap freely. Use as ``async with await connect(address) as session``."""

    def __init__(self, address: Address, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(address, max_bytes=max_bytes, refusal=self._error_of, on_notification=self._dispatch)
        self.closed.add_done_callback(self._on_closed)
        self._monitors: dict[str, Monitor] = {}
        self._keys = count(1)
        self._schemas: dict[str, Schema] = {}
        self._change_aware = False

    async def echo(self, *, timeout: float = 1.0) -> float:
        """Seconds for an echo to come back (RFC 7047 section 4.1.11): proof that the server's main loop turns."""
        started = time.monotonic()
        await self.request("echo", (), timeout=timeout)
        return time.monotonic() - started

    async def list_dbs(self, *, timeout: float = 1.0) -> list[str]:
        """The databases that the server serves, ``_Server`` among them."""
        return decode_body(await self.request("list_dbs", (), timeout=timeout), _NAMES)

    async def get_schema(self, database: str, *, timeout: float = 5.0) -> Schema:
        """The schema, fetched once per session. Raises UnknownDatabase."""
        if database not in self._schemas:
            body = await self.request("get_schema", (database,), timeout=timeout)
            self._schemas[database] = parse_schema(decode_body(body, _ANY))
        return self._schemas[database]

    async def get_server_id(self, *, timeout: float = 1.0) -> Uuid:
        """What tells this run of the server from another, and from its cluster's other members."""
        return Uuid(decode_body(await self.request("get_server_id", (), timeout=timeout), _NAME))

    async def set_db_change_aware(self, aware: bool = True, *, timeout: float = 1.0) -> None:
        """Ask the server to cancel our monitors when a schema changes, instead of closing the session.

        ``monitor`` does it by itself. Raises UnknownMethod on servers before 2.9, which close the session.
        """
        await self.request("set_db_change_aware", (aware,), timeout=timeout)
        self._change_aware = aware

    async def transact(self, database: str, *operations: Operation, timeout: float = 5.0) -> list[dict[str, Any]]:
        """Do all ``operations`` or none; one result for each, as in RFC 7047 section 5.2, in JSON.

        Raises the type of ``ovsnet.ovsdb.errors`` that fits, with the index of the operation that failed. After a
        DeadlineExceeded or a ConnectionLost nobody knows whether the transaction was done.
        """
        body = await self.request("transact", (database, *operations), timeout=timeout)
        results = decode_body(body, _RESULTS)
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
        return [schema.row(row) for row in _rows(result)]

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
    ) -> Monitor:
        """A live copy of ``tables`` (their columns, or None for all), returned when the first snapshot is in.

        ``on_change`` is called with the changes of each update, first with the rows that are there already; it must
        not raise. ``since`` is the monitor of a lost session: its rows are kept if the server remembers its last
        transaction, else replaced; ``on_change`` gets the difference in both cases. ``timeout`` is about silence: it
        counts from the last byte of the snapshot that arrived; ``longest`` bounds the whole.
        """
        schema = await self.get_schema(database, timeout=timeout)
        await self._become_change_aware(timeout)
        key = f"ovsnet-{next(self._keys)}"
        monitor = Monitor(self, key, schema, tables, where, on_change)
        self._monitors[key] = monitor
        monitor.closed.add_done_callback(lambda _: self._monitors.pop(key, None))
        try:
            await monitor.start(since, silence=timeout, longest=longest)
        except BaseException as error:
            monitor.end(error if isinstance(error, PeerError) else MonitorCanceled("The monitor was given up."))
            raise
        return monitor

    async def _become_change_aware(self, timeout: float) -> None:
        if not self._change_aware:
            try:
                await self.set_db_change_aware(timeout=timeout)
            except UnknownMethod:
                self._change_aware = True

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
                self._on_canceled(*decode_body(params, _CANCELED))
                return
            case _:
                # "locked" and "stolen" need a lock, which is never asked for.
                return
        # An update may still be under way for a monitor that was cancelled.
        if (monitor := self._monitors.get(key)) is not None:
            monitor.on_update(txn, updates)

    def _on_canceled(self, key: str) -> None:
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


async def connect(
    address: Address, *, timeout: float = 1.0, tls: Tls | None = None, max_bytes: int = MAX_BYTES
) -> Session:
    """Connect within ``timeout`` seconds.

    Raises the ConnectError that fits. A server that accepts and is stuck is not noticed here: only an answer proves
    that it lives, see ``Session.echo``.
    """
    session = Session(address, max_bytes=max_bytes)
    await session.open(timeout=timeout, tls=tls)
    return session


def _rows(result: Mapping[str, Any]) -> list[dict[str, object]]:
    rows = result.get("rows")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ProtocolError("The server answered a select without rows.")
