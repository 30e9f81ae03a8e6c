"""A live copy of some tables.

The newest method that the server knows is used: ``monitor_cond_since``, then ``monitor_cond``, then ``monitor``. The
copy changes from one consistent state to the next; a large update is prepared aside while the loop goes on, and then
swapped in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec

from ovsnet.errors import DeadlineExceeded, PeerError, ProtocolError, ProtocolFlood
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb.errors import MonitorCanceled, UnknownMethod
from ovsnet.ovsdb.replica import Change, Replica, Tables, apply_all, changes_between
from ovsnet.ovsdb.schema import Schema
from ovsnet.ovsdb.selection import Columns, Where, choose
from ovsnet.ovsdb.snapshot import BATCH, batches, load
from ovsnet.protocol.jsonrpc import decode_body

OnChange: TypeAlias = Callable[[Sequence[Change]], None]

SMALL_UPDATE = 256 << 10
"""Bytes. Up to here an update is applied at once: 2-4 ms."""

MOST_BACKLOG = 16 << 20
"""Bytes of updates that wait while a large one is prepared."""

SILENCE = 10.0
LONGEST = 120.0
"""Seconds for a snapshot: without a byte, and in all. A busy ovsdb-server thinks 3 s before the first byte of 36 MB."""

NO_TXN = "00000000-0000-0000-0000-000000000000"
"""No transaction: the whole snapshot is wanted (ovsdb-server(7), section 4.1.15)."""

RawTables: TypeAlias = dict[str, msgspec.Raw]

_TABLES: msgspec.json.Decoder[RawTables] = msgspec.json.Decoder(RawTables)
_SINCE: msgspec.json.Decoder[tuple[bool, str, RawTables]] = msgspec.json.Decoder(tuple[bool, str, RawTables])
_UPDATES: msgspec.json.Decoder[dict[str, dict[str, dict[str, dict[str, Any] | None]]]] = msgspec.json.Decoder(
    dict[str, dict[str, dict[str, dict[str, Any] | None]]]
)


class Monitor:
    """Made by ``Session.monitor``. Its rows stay readable after the end; ``synced`` is False then.

    ``closed`` is done, with the reason, when the copy is no longer kept up. ``method`` is what the server understood:
    with ``monitor`` no condition is applied. ``last_txn_id`` is where a later monitor may go on.
    """

    def __init__(
        self,
        session: JsonRpcSession,
        key: str,
        schema: Schema,
        tables: Columns,
        where: Where | None = None,
        on_change: OnChange | None = None,
    ) -> None:
        self.method = "monitor_cond_since"
        self.last_txn_id = NO_TXN
        self.closed: asyncio.Future[PeerError] = asyncio.get_running_loop().create_future()
        self._session = session
        self._key = key
        self._schema = schema
        self._wanted = tables
        self._selection = choose(schema, tables, where)
        self._on_change = on_change
        self._replica = Replica(self._selection.columns)
        self._loaded = False
        self._settled = True
        self._backlog: deque[tuple[str, msgspec.Raw]] = deque()
        self._backlog_bytes = 0
        self._idle = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def database(self) -> str:
        """The database's name."""
        return self._schema.name

    @property
    def tables(self) -> Tables:
        """Rows by table and ``_uuid``. Ask again after an await: a large update replaces the mapping."""
        return self._replica.tables

    @property
    def missing(self) -> frozenset[str]:
        """``Table`` or ``Table.column`` that was asked for and that the server's schema has not."""
        return self._selection.missing

    @property
    def synced(self) -> bool:
        """True while the copy is complete and kept up."""
        return self._loaded and not self.closed.done()

    async def until(self, fact: Callable[[Tables], object], *, timeout: float) -> None:
        """Return when ``fact(tables)`` is true, at once if it is. Raises DeadlineExceeded, or why the monitor ended."""
        try:
            async with asyncio.timeout(timeout):
                while not fact(self.tables):
                    self._raise_if_over()
                    await self._changed.wait()
        except TimeoutError:
            await after_next_poll()
            if not fact(self.tables):
                raise DeadlineExceeded(f"{self.database} did not change as awaited within {timeout:g} s.") from None

    async def set_conditions(self, where: Where, *, timeout: float = SILENCE) -> None:
        """Ask for other rows, and return when the copy has them. Tables that ``where`` does not name are unfiltered.

        Raises DeadlineExceeded after ``timeout`` seconds of silence, and what every call raises.
        """
        self._raise_if_over()
        selection = choose(self._schema, self._wanted, where)
        self._settled = False
        params = [self._key, self._key, selection.new_conditions()]
        await self._session.request_patiently("monitor_cond_change", params, silence=timeout, longest=LONGEST)
        # The rows came before the reply (ovsdb/jsonrpc-server.c, ovsdb_jsonrpc_monitor_cond_change).
        await self._idle.wait()
        self._selection = selection
        self._settled = True

    async def cancel(self, *, timeout: float = 1.0) -> None:
        """End the monitor. Nothing happens when it is over already."""
        if self.closed.done():
            return
        self.end(MonitorCanceled(f"The monitor of {self.database} was cancelled by its owner."))
        await self._session.request("monitor_cancel", [self._key], timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.cancel()

    # What the session calls.

    async def start(self, since: Monitor | None, *, silence: float, longest: float) -> None:
        """Fetch the first snapshot; or only what changed ``since`` an earlier monitor, if the server still knows."""
        if since is not None and self._is_kin(since):
            self._replica = since._replica
        txn = since.last_txn_id if since is not None and self._may_resume(since) else NO_TXN
        found, txn, tables = await self._ask(txn, silence, longest)
        await self._replace(self._replica.copy() if found else Replica(self._selection.columns), txn, tables)
        await self._catch_up()

    def on_update(self, txn: str, updates: msgspec.Raw) -> None:
        """The server sent an update; ``txn`` is empty when it named no transaction."""
        if self.closed.done():
            return
        self._backlog.append((txn, updates))
        self._backlog_bytes += memoryview(updates).nbytes
        if not self._idle.is_set():
            if self._backlog_bytes > MOST_BACKLOG and len(self._backlog) > 1:
                raise ProtocolFlood(f"The server changes {self.database} faster than a copy of it can be kept.")
            return
        if not _is_small(updates):
            self._idle.clear()
            self._task = asyncio.create_task(self._catch_up())
            return
        try:
            self._apply_next()
        except ProtocolError as error:
            self.end(error)

    def end(self, error: PeerError) -> None:
        """No more updates will be applied, because of ``error``."""
        if not self.closed.done():
            self.closed.set_result(error)
        self._wake()

    # How the copy moves on.

    async def _ask(self, txn: str, silence: float, longest: float) -> tuple[bool, str, RawTables]:
        """The newest method that the server knows: ``found``, the transaction, and the rows or what changed."""
        conditional = self._selection.conditional_request()
        methods: list[tuple[str, list[object]]] = [
            ("monitor_cond_since", [conditional, txn]),
            ("monitor_cond", [conditional]),
            ("monitor", [self._selection.plain_request()]),
        ]
        for method, request in methods:
            self.method = method
            params = [self.database, self._key, *request]
            try:
                body = await self._session.request_patiently(method, params, silence=silence, longest=longest)
            except UnknownMethod as error:
                unknown = error
            else:
                if method == "monitor_cond_since":
                    return decode_body(body, _SINCE)
                return False, NO_TXN, decode_body(body, _TABLES)
        raise unknown

    async def _replace(self, fresh: Replica, txn: str, tables: RawTables) -> None:
        """Apply ``<table-updates>`` to ``fresh``, take it for the copy, and tell what changed."""
        await load(fresh, tables)
        old, self._replica = self._replica, fresh
        self.last_txn_id = txn or self.last_txn_id
        self._loaded = True
        if self._on_change is not None:
            for changes in batches(changes_between(old.tables, fresh.tables), BATCH):
                self._on_change(changes)
                await asyncio.sleep(0)
        self._wake()

    async def _catch_up(self) -> None:
        """Apply what came meanwhile; then updates are applied as they come."""
        try:
            while self._backlog and not self.closed.done():
                if _is_small(self._backlog[0][1]):
                    self._apply_next()
                else:
                    txn, updates = self._next()
                    await self._replace(self._replica.copy(), txn, decode_body(updates, _TABLES))
        except ProtocolError as error:
            self.end(error)
        finally:
            self._idle.set()

    def _next(self) -> tuple[str, msgspec.Raw]:
        txn, updates = self._backlog.popleft()
        self._backlog_bytes -= memoryview(updates).nbytes
        return txn, updates

    def _apply_next(self) -> None:
        txn, updates = self._next()
        decoded = decode_body(updates, _UPDATES)
        changes = apply_all(self._replica, decoded)
        self.last_txn_id = txn or self.last_txn_id
        if changes:
            if self._on_change is not None:
                self._on_change(changes)
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    def _raise_if_over(self) -> None:
        if self.closed.done():
            raise self.closed.result().with_traceback(None)

    def _is_kin(self, other: Monitor) -> bool:
        """True when both hold the same columns, so that the difference between their rows means something."""
        return self.database == other.database and self._selection.columns == other._selection.columns

    def _may_resume(self, other: Monitor) -> bool:
        """True when what changed since ``other``'s last transaction turns its copy into ours.

        Not after a malformed update, of which a part may be applied, nor when its conditions were changing.
        """
        trusted = not (other.closed.done() and isinstance(other.closed.result(), ProtocolError))
        return self._is_kin(other) and trusted and other._settled and self._selection.where == other._selection.where


def _is_small(updates: msgspec.Raw) -> bool:
    return memoryview(updates).nbytes <= SMALL_UPDATE
