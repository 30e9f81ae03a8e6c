"""A monitor that outlives its sessions: it goes on in the next one from its own last transaction.

Where the server remembers that transaction only what changed since is sent; where it does not, all rows are fetched
again, and the difference is delivered. So a consumer sees every row come, change and go once, whatever happened to the
connection.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from ovsnet.errors import ConnectionLost, DeadlineExceeded, OvsnetError, PeerError, ProtocolError, UsageError
from ovsnet.io.deadline import require_seconds
from ovsnet.io.fault import fault
from ovsnet.io.kept import KeptClient
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb.changes import Audience, Feed, OnChange
from ovsnet.ovsdb.errors import CallbackRaised, MonitorCanceled, Refused
from ovsnet.ovsdb.index import Index, require_monitored
from ovsnet.ovsdb.monitor import LONGEST, SILENCE, Monitor
from ovsnet.ovsdb.replica import Tables
from ovsnet.ovsdb.selection import Columns, Where, frozen, frozen_where
from ovsnet.ovsdb.session import Session
from ovsnet.ovsdb.typed import TypedRow, rows_as
from ovsnet.ovsdb.values import Uuid
from ovsnet.texts import seconds

T = TypeVar("T", bound=TypedRow)

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 8.0
"""Seconds before a session that refused the monitor is asked again, doubled each time, and jittered."""


NOT_BEGUN = "Await the monitor, or enter it with `async with`."


class Conditions(msgspec.Struct, eq=False):
    """Those of one call. ``refused`` is the server's word on them; then those that were applied before hold."""

    where: Where
    refused: OvsnetError | None = None


class LastingMonitor:
    """Made by ``Client.monitor``: await it, or enter it with ``async with``; its first rows are in then.

    ``async for changes in monitor`` gives the rows that are there, and then whole transactions; see ``Changes``.
    """

    def __init__(
        self,
        client: KeptClient[Session],
        database: str,
        tables: Columns,
        where: Where | None = None,
        on_change: OnChange | None = None,
        *,
        wait: bool = True,
        timeout: float = SILENCE,
        longest: float = LONGEST,
        widen: bool = False,
        on_begin: Callable[[LastingMonitor], None] = lambda monitor: None,
        on_end: Callable[[LastingMonitor], None] = lambda monitor: None,
    ) -> None:
        self.database = database
        self.resyncs = 0
        """How often all rows had to be fetched again."""
        self.reason: OvsnetError | None = None
        """Why it is not ``synced``, or was not last."""
        self._client = client
        self._wanted = frozen(tables)
        self._conditions = self._applied = Conditions(frozen_where(where))
        self._turn = asyncio.Event()
        """Other conditions are wanted, or the monitor of this session is over."""
        self._audience = Audience(on_change, self._unfed)
        self._wait = wait
        self._silence = self._patience = require_seconds(timeout)
        self._longest = require_seconds(longest)
        self._widen = widen
        self._last: Monitor | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended: OvsnetError | None = None
        self._on_begin = on_begin
        self._on_end = on_end
        self._pause = FIRST_PAUSE
        self._rng = random.Random()

    @property
    def tables(self) -> Tables:
        """Rows by table and ``_uuid``, as they were last seen. Do not walk them across an await."""
        return self._audience.tables

    @property
    def missing(self) -> frozenset[str]:
        """``Table`` or ``Table.column`` that was asked for and that the server's schema has not."""
        return self._last.missing if self._last is not None else frozenset()

    @property
    def synced(self) -> bool:
        """True while the copy is complete and kept up, with the conditions that were asked for last."""
        return self._last is not None and self._last.synced and self._applied is self._conditions

    @property
    def last_txn_id(self) -> str:
        """The last transaction that the copy has; zeros where the server names none."""
        return self._last.last_txn_id if self._last is not None else ""

    def index(self, table: str, *columns: str) -> Index:
        """Rows by what these columns hold, kept up with the copy; of many rows, await it: see ``Index``. Raises
        UsageError for what is not in the copy."""
        if self._last is not None and self._wanted.get(table, ()) is None:
            return self._last.index(table, *columns)
        require_monitored(self._wanted, table, columns)
        return self._audience.index(table, columns)

    def rows_as(self, kind: type[T]) -> dict[Uuid, T]:
        """The rows of a table as objects of a class that ``ovsnet ovsdb generate`` wrote. Raises UsageError for a class
        with columns that are not monitored."""
        return rows_as(kind, self.tables, self._wanted)

    async def until(self, fact: Callable[[Tables], object], *, timeout: float) -> None:
        """Return when ``fact(tables)`` is true, at once if it is, be there a connection or not.

        Raises DeadlineExceeded with the reason why the copy is not kept up, if it is not; or why the monitor ended.
        """
        await self._until(lambda: fact(self.tables), "did not change as awaited", timeout)

    async def resynced(self, *, timeout: float) -> None:
        """Return when the copy is complete and kept up. Raises as ``until``."""
        await self._until(lambda: self.synced, "was not fetched", timeout)

    async def set_conditions(self, where: Where, *, timeout: float = SILENCE) -> None:
        """Ask for other rows, and return when the copy has them; a session that begins meanwhile has them at once.

        Raises UsageError, and the server's refusal: then the old ones hold. Raises DeadlineExceeded after ``timeout``
        seconds in which no byte of them came; they are still asked for then, as they are when the caller is cancelled.
        """
        self._raise_if_over()
        require_seconds(timeout)
        asked = Conditions(frozen_where(where))
        if self._last is not None:
            self._last.selection_of(asked.where)
        self._conditions = asked
        self._turn.set()
        while True:
            arrived = self._arriving()
            try:
                await self._until(
                    lambda: asked.refused or self.synced, "was not fetched with these conditions", timeout
                )
            except DeadlineExceeded:
                if self._arriving() == arrived:
                    raise
            else:
                break
        if asked.refused is not None:
            raise asked.refused.with_traceback(None)

    def __aiter__(self) -> Feed:
        feed = self._audience.feed()
        if self._ended is not None:
            feed.finish(self._ended)
        return feed

    async def cancel(self) -> None:
        """End it, also at the server. Consumers' loops end quietly. Nothing happens when it is over already."""
        if self._ended is not None:
            return
        self._end(MonitorCanceled(f"The monitor of {self.database} was cancelled by its owner."), quietly=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def __await__(self) -> Generator[Any, None, Self]:
        return self._start().__await__()

    async def __aenter__(self) -> Self:
        return await self._start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.cancel()

    # How it lives.

    async def _start(self) -> Self:
        """Begin, and return when the first rows are in. What prevents that ends it, and is raised."""
        if self._task is None:
            if not self._wait:
                self._client.held()
            self._task = asyncio.create_task(self._run())
            self._on_begin(self)
        try:
            await self._client.connected(timeout=self._silence)
            await self._until(lambda: self._last is not None, "was not fetched", self._longest)
        except BaseException:
            await self.cancel()
            raise
        return self

    async def _run(self) -> None:
        try:
            while True:
                session = await self._client.living()
                reason = await self._follow(session)
                self.reason = reason
                self._audience.wake()
                if isinstance(reason, CallbackRaised):
                    raise reason
                if not session.closed.done():
                    await self._decide(session, reason)
        except asyncio.CancelledError:
            if self._ended is None:
                self._end(ConnectionLost(f"The client of {self.database} was closed."), quietly=True)
            if self._last is not None:
                self._last.give_up(MonitorCanceled(f"The monitor of {self.database} was cancelled by its owner."))
            raise
        except OvsnetError as error:
            self._end(error)
        except Exception as error:
            self._end(fault(f"The monitor of {self.database}", error))

    async def _follow(self, session: Session) -> OvsnetError:
        """Keep the copy up over one session. Returns why that is over."""
        conditions = self._conditions
        try:
            monitor = await session.monitor(
                self.database,
                self._wanted,
                where=conditions.where,
                since=self._last,
                timeout=self._patience,
                longest=self._longest,
                widen=self._widen,
                audience=self._audience,
            )
        except (Refused, UsageError) as error:
            if conditions is not self._applied:
                self._refuse(conditions, error)
                return await self._follow(session)
            if isinstance(error, UsageError):
                raise
            return error
        except PeerError as error:
            return error
        if self._last is not None and not monitor.resumed:
            self.resyncs += 1
        self._last = monitor
        self._pause, self._patience = FIRST_PAUSE, self._silence
        self._apply(conditions)
        monitor.closed.add_done_callback(lambda closed: self._turn.set())
        while not monitor.closed.done():
            self._turn.clear()
            if self._conditions is self._applied:
                await self._turn.wait()
            elif (late := await self._change_conditions(monitor)) is not None:
                return late
        return monitor.closed.result()

    async def _change_conditions(self, monitor: Monitor) -> PeerError | None:
        """To those that are wanted now. Returns why the session must be left: what the server makes of them is not
        known when it is late."""
        conditions = self._conditions
        try:
            await monitor.set_conditions(conditions.where, timeout=self._silence)
        except (Refused, UsageError) as error:
            if not monitor.closed.done():  # else the next one asks for them
                self._refuse(conditions, error)
        except PeerError as error:
            return error
        else:
            self._apply(conditions)
        return None

    def _apply(self, conditions: Conditions) -> None:
        """The copy has the rows of these."""
        self._applied, self.reason = conditions, None
        self._audience.wake()

    def _refuse(self, conditions: Conditions, error: OvsnetError) -> None:
        """Those of before hold, unless yet others were asked for meanwhile."""
        conditions.refused = error
        if self._conditions is conditions:
            self._conditions = self._applied
        self._audience.wake()

    def _arriving(self) -> int:
        session = self._client.session
        return 0 if session is None else session.arriving

    async def _decide(self, session: Session, reason: OvsnetError) -> None:
        """The session lives on without us. Raises what ends the monitor for good."""
        first = self._last is None
        match reason:
            case MonitorCanceled():
                return  # the schema changed: it is read again
            case DeadlineExceeded():
                self._patience = min(2 * self._patience, self._longest)  # a slow server must get done once
                session.fail(reason)
                return
            case Refused() | ProtocolError() if first:
                raise reason
        await asyncio.sleep(self._pause * self._rng.uniform(0.75, 1.25))
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _until(self, fact: Callable[[], object], what: str, timeout: float) -> None:
        try:
            async with asyncio.timeout(require_seconds(timeout)):
                while not fact():
                    self._raise_if_over()
                    await self._audience.wait()
        except TimeoutError:
            await after_next_poll()
            if not fact():
                raise self._late(what, timeout) from None

    def _late(self, what: str, timeout: float) -> DeadlineExceeded:
        why = None if self.synced else self.reason or self._client.status.reason
        return DeadlineExceeded(
            f"{self.database} {what} within {seconds(timeout)}." + ("" if why is None else f" {why}"),
            remedy=NOT_BEGUN if self._task is None else "" if why is None else why.remedy,
        )

    def _end(self, error: OvsnetError, *, quietly: bool = False) -> None:
        self._ended = self.reason = error
        self._on_end(self)
        self._audience.finish(None if quietly else error)

    def _raise_if_over(self) -> None:
        if self._ended is not None:
            raise self._ended.with_traceback(None)

    def _unfed(self) -> UsageError | None:
        """Before it has begun nothing is asked for, and a consumer that waits would wait for good."""
        if self._task is not None or self._ended is not None:
            return None
        return UsageError(f"The monitor of {self.database} has not begun.", remedy=NOT_BEGUN)
