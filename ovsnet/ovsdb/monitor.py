"""A live copy of some tables, over one session.

The newest method that the server knows is used: ``monitor_cond_since``, then ``monitor_cond``, then ``monitor``. The
copy changes from one consistent state to the next, and whole transactions are delivered of it; a large update is
prepared while the loop goes on, and then applied at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from ovsnet.errors import DeadlineExceeded, PeerError, ProtocolError, ProtocolFlood
from ovsnet.io.deadline import require_seconds
from ovsnet.io.ending import Ending
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb.changes import Audience, Changes, Feed, OnChange
from ovsnet.ovsdb.errors import CallbackRaised, MonitorCanceled, Refused
from ovsnet.ovsdb.index import Index, require_monitored
from ovsnet.ovsdb.monitor_methods import NO_TXN, RawTables, begin, raw_tables
from ovsnet.ovsdb.replica import Change, Replica, Tables, apply_all
from ovsnet.ovsdb.schema import Schema
from ovsnet.ovsdb.selection import Columns, Selection, Where, choose
from ovsnet.ovsdb.snapshot import changes_in, difference, is_small, load
from ovsnet.ovsdb.typed import TypedRow, rows_as
from ovsnet.ovsdb.values import Uuid
from ovsnet.protocol.jsonrpc import Body, decode_body, size_of
from ovsnet.texts import seconds

MOST_BACKLOG = 16 << 20
"""Bytes of updates that wait while a large one is prepared."""

TURN = 0.005
"""Seconds for which updates that waited are applied before others of the loop have their turn."""

SILENCE = 10.0
LONGEST = 120.0
"""Seconds for a snapshot: without a byte, and in all. A busy ovsdb-server thinks 3 s before the first byte of 36 MB."""

T = TypeVar("T", bound=TypedRow)

_UPDATES: msgspec.json.Decoder[dict[str, dict[str, dict[str, dict[str, Any] | None]]]] = msgspec.json.Decoder(
    dict[str, dict[str, dict[str, dict[str, Any] | None]]]
)


class Monitor:
    """Made by ``Session.monitor``. Its rows stay readable after the end; ``synced`` is False then.

    ``async for changes in monitor`` gives the rows that are there, and then each transaction. ``closed`` is done, with
    the reason, when the copy is no longer kept up. ``method`` is what the server understood: with ``monitor`` no
    condition is applied. ``last_txn_id`` is where a later monitor may go on; ``resumed`` says that this one did.
    """

    def __init__(
        self,
        session: JsonRpcSession,
        key: str,
        schema: Schema,
        tables: Columns,
        where: Where | None = None,
        on_change: OnChange | None = None,
        *,
        audience: Audience | None = None,
        widen: bool = False,
        most_row: int | None = None,
    ) -> None:
        self.method = "monitor_cond_since"
        self.last_txn_id = NO_TXN
        self.resumed = False
        self.closed = Ending()
        self._session = session
        self.key = key
        self._schema = schema
        self._wanted = tables
        self._widen = widen
        self._most_row = most_row
        self._selection = choose(schema, tables, where, widen=widen)
        self._audience = audience or Audience(on_change)
        self._owns_audience = audience is None
        self._replica = Replica(self._selection.columns)
        self._loaded = False
        self._asked_conditions = self._settled_conditions = 0
        self._backlog: deque[tuple[str, Body]] = deque()
        self._backlog_bytes = 0
        self._idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def database(self) -> str:
        """The database's name."""
        return self._schema.name

    @property
    def tables(self) -> Tables:
        """Rows by table and ``_uuid``. They change with every update: do not walk them across an await."""
        return self._replica.tables

    @property
    def missing(self) -> frozenset[str]:
        """``Table`` or ``Table.column`` that was asked for and that the server's schema has not."""
        return self._selection.missing

    @property
    def synced(self) -> bool:
        """True while the copy is complete, kept up, and no update that came waits to be applied."""
        return self._loaded and self._idle.is_set() and not self.closed.done()

    def index(self, table: str, *columns: str) -> Index:
        """Rows by what these columns hold, kept up with the copy; of many rows, await it: see ``Index``. Raises
        UsageError for what is not in the copy."""
        require_monitored(self._selection.columns, table, columns)
        return self._audience.index(table, columns)

    def rows_as(self, kind: type[T]) -> dict[Uuid, T]:
        """The rows of a table as objects of a class that ``ovsnet ovsdb generate`` wrote. Raises UsageError for a class
        with columns that are not monitored."""
        return rows_as(kind, self.tables, self._wanted)

    async def until(self, fact: Callable[[Tables], object], *, timeout: float) -> None:
        """Return when ``fact(tables)`` is true, at once if it is. Raises DeadlineExceeded, or why the monitor ended."""
        try:
            async with asyncio.timeout(require_seconds(timeout)):
                while not fact(self.tables):
                    self._raise_if_over()
                    await self._audience.wait()
        except TimeoutError:
            await after_next_poll()
            if not fact(self.tables):
                raise DeadlineExceeded(
                    f"{self.database} did not change as awaited within {seconds(timeout)}."
                ) from None

    def __aiter__(self) -> Feed:
        feed = self._audience.feed()
        if self.closed.done():
            feed.finish(self.closed.result())
        return feed

    def selection_of(self, where: Where) -> Selection:
        """What conditions mean under this schema. Raises UsageError for what it has not, or what are no conditions."""
        return choose(self._schema, self._wanted, where, widen=self._widen)

    async def set_conditions(self, where: Where, *, timeout: float = SILENCE) -> None:
        """Ask for other rows, and return when the copy has them. Tables that ``where`` does not name are unfiltered.

        Raises DeadlineExceeded after ``timeout`` seconds of silence, and what every call raises.
        """
        self._raise_if_over()
        selection = self.selection_of(where)
        require_seconds(timeout)
        number = self._asked_conditions = self._asked_conditions + 1
        params = [self.key, self.key, selection.new_conditions()]
        try:
            await self._session.request_patiently("monitor_cond_change", params, silence=timeout, longest=LONGEST)
        except Refused:
            self._settle(number, None)
            raise
        # The rows came before the reply (ovsdb/jsonrpc-server.c, ovsdb_jsonrpc_monitor_cond_change).
        await self._idle.wait()
        self._raise_if_over()
        self._settle(number, selection)

    async def cancel(self, *, timeout: float = 1.0) -> None:
        """End the monitor. Nothing happens when it is over already."""
        require_seconds(timeout)
        if self.closed.done():
            return
        if self._owns_audience:
            self._audience.finish(None)
        self.end(MonitorCanceled(f"The monitor of {self.database} was cancelled by its owner."))
        await self._session.request("monitor_cancel", [self.key], timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(PeerError):  # it is over, whether the server says so or not
            await self.cancel()

    # What the session calls.

    async def start(self, since: Monitor | None, *, silence: float, longest: float) -> None:
        """Fetch the first snapshot; or only what changed ``since`` an earlier monitor, if the server still knows.
        Raises why the monitor ended meanwhile."""
        if since is not None and since.database == self.database:
            # What is delivered is the difference to it, whatever it held; one that lives must not change meanwhile.
            self._replica = since._replica if since.closed.done() else since._replica.copy()
        txn = since.last_txn_id if since is not None and self._may_resume(since) else NO_TXN
        answer = await begin(
            self._session, self.database, self.key, self._selection, txn, silence=silence, longest=longest
        )
        self.method, self.resumed = answer.method, answer.found
        try:
            if self.resumed:
                self._replica = self._replica.copy()
                changes = await changes_in(self._replica, answer.tables, self._most_row)
                self._raise_if_over()
                self._take(changes, answer.txn, resumed=True)
            else:
                await self._begin(answer.txn, answer.tables, resynced=since is not None)
        except Exception as error:  # the callback's, too
            if since is not None and isinstance(error, ProtocolError):
                since.last_txn_id = NO_TXN  # it would be told the same again
            self._fail(error)
            self._raise_if_over()
        await self._catch_up()

    def on_update(self, txn: str, updates: Body) -> None:
        """The server sent an update; ``txn`` is empty when it named no transaction."""
        if self.closed.done():
            return
        self._backlog.append((txn, updates))
        self._backlog_bytes += size_of(updates)
        if not self._idle.is_set():
            if self._backlog_bytes > MOST_BACKLOG and len(self._backlog) > 1:
                raise ProtocolFlood(f"The server changes {self.database} faster than a copy of it can be kept.")
            return
        if not is_small(updates):
            self._idle.clear()
            self._task = asyncio.create_task(self._catch_up())
            return
        try:
            self._apply_next()
        except Exception as error:  # the callback's, too
            self._fail(error)

    def end(self, error: PeerError) -> None:
        """No more updates will be applied, and nothing more is delivered, because of ``error``."""
        if self.closed.come(error):
            self._backlog.clear()
        if self._owns_audience:
            self._audience.finish(error)
        self._audience.wake()

    def give_up(self, error: PeerError) -> None:
        """The same for a reason of ours: the server would go on, and so is asked not to."""
        if not self.closed.done():
            self.end(error)
            self._session.post("monitor_cancel", [self.key])

    # How the copy moves on.

    async def _begin(self, txn: str, tables: RawTables, *, resynced: bool) -> None:
        """Take a whole snapshot for the copy, and deliver what it changes."""
        fresh = Replica(self._selection.columns)
        await load(fresh, tables, self._most_row, self._replica)
        indexes = await self._audience.prepared(fresh.tables)
        changes = await difference(self._replica.tables, fresh.tables) if self._audience.listening else ()
        self._raise_if_over()
        self._replica, self._loaded = fresh, True
        self._audience.replace(fresh.tables, indexes)
        self.last_txn_id = txn or self.last_txn_id
        if changes:
            self._audience.deliver(Changes(changes, transactions=0, resynced=resynced))
        self._audience.wake()

    async def _catch_up(self) -> None:
        """Apply what came meanwhile; then updates are applied as they come."""
        until = time.monotonic() + TURN
        try:
            while self._backlog and not self.closed.done():
                if not is_small(self._backlog[0][1]):
                    await self._apply_large()
                else:
                    self._apply_next()
                if time.monotonic() > until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + TURN
        except Exception as error:  # whatever it is, this copy is not kept up any more
            self._fail(error)
        finally:
            self._idle.set()
            self._audience.wake()  # synced only now, after its rows have woken those that wait

    def _next(self) -> tuple[str, Body]:
        txn, updates = self._backlog.popleft()
        self._backlog_bytes -= size_of(updates)
        return txn, updates

    def _apply_next(self) -> None:
        txn, updates = self._next()
        decoded = decode_body(updates, _UPDATES)
        changes = apply_all(self._replica, decoded)
        self.last_txn_id = txn or self.last_txn_id
        if changes:
            self._audience.tell(Changes(changes))

    async def _apply_large(self) -> None:
        txn, updates = self._next()
        changes = await changes_in(self._replica, raw_tables(updates), self._most_row)
        if not self.closed.done():
            self._take(changes, txn)

    def _take(self, changes: list[Change], txn: str, *, resumed: bool = False) -> None:
        """Apply at once what was prepared in steps: 2 ms for 20,000 rows."""
        for change in changes:
            self._replica.accept(change)
        self.last_txn_id = txn or self.last_txn_id
        self._loaded = True
        self._audience.publish(self._replica.tables)
        if changes:
            self._audience.tell(Changes(changes, resumed=resumed))

    def _fail(self, error: Exception) -> None:
        """A copy that is not kept up must not look as if it were."""
        if isinstance(error, PeerError):
            self.give_up(error)
            return
        raised = error.__cause__ or error
        ended = CallbackRaised(
            f"The monitor of {self.database} ended because a callback raised {type(raised).__name__}: {raised}."
        )
        ended.__cause__ = raised
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": str(ended), "exception": raised})
        self.give_up(ended)

    def _raise_if_over(self) -> None:
        if self.closed.done():
            raise self.closed.result().with_traceback(None)

    def _settle(self, number: int, selection: Selection | None) -> None:
        """The server has done a change of conditions, or refused it. It takes them in order."""
        if number > self._settled_conditions:
            self._settled_conditions = number
            self._selection = selection or self._selection

    def _may_resume(self, other: Monitor) -> bool:
        """True when what changed since ``other``'s last transaction turns its copy into ours.

        Not after a malformed update, nor when its conditions were changing.
        """
        return (
            self.database == other.database
            and self._selection.columns == other._selection.columns
            and self._selection.where == other._selection.where
            and other._asked_conditions == other._settled_conditions
            and not (other.closed.done() and isinstance(other.closed.result(), ProtocolError))
        )
