"""What changed, as whole transactions, and the consumers that receive it.

A consumer that is slow is not waited for: what it has not taken is kept as it came up to a bound, and beyond that
merged, row by row, so that it never is more than the rows of the copy. ``Changes.transactions`` says how many were
merged.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeAlias, overload

from ovsnet.errors import OvsnetError
from ovsnet.ovsdb.index import Index
from ovsnet.ovsdb.replica import Change, Tables
from ovsnet.ovsdb.snapshot import BATCH
from ovsnet.ovsdb.values import Uuid

MOST_BATCHES = 100
MOST_CHANGES = 10_000
"""Transactions, and changes of rows, that wait for a consumer as they came. More are merged."""


class Changes(Sequence[Change]):
    """The rows that changed, each once.

    ``transactions`` is how many are in it: one, or more for a consumer that was slow. 0 stands for the rows that were
    there at the beginning, and for those of a resync. ``resumed`` says that a copy that was away gets at once what it
    missed; no server says how many transactions that are, and it counts as one. ``resynced`` says that the server did
    not remember where the copy was: all rows were fetched again, and this is the difference.
    """

    __slots__ = ("_changes", "resumed", "resynced", "transactions")

    def __init__(
        self, changes: Sequence[Change], *, transactions: int = 1, resumed: bool = False, resynced: bool = False
    ) -> None:
        self._changes = changes
        self.transactions = transactions
        self.resumed = resumed
        self.resynced = resynced

    @property
    def coalesced(self) -> bool:
        """Whether more than one transaction is in it, or may be."""
        return self.transactions > 1 or self.resumed

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        return self._changes[index]

    def __len__(self) -> int:
        return len(self._changes)

    def __repr__(self) -> str:
        return f"<{len(self)} changes of {self.transactions} transactions{', resynced' if self.resynced else ''}>"


IndexKey: TypeAlias = tuple[str, tuple[str, ...]]
Indexes: TypeAlias = Mapping[IndexKey, Index]
"""By table and columns."""


class CallbackFailed(Exception):
    """Its cause is what the callback raised. That may be an error of ovsnet's, and says nothing of copy and server."""


OnChange: TypeAlias = Callable[[Changes], None]
Unfed: TypeAlias = Callable[[], OvsnetError | None]
"""Why nothing will ever come to a consumer; None while something may."""


class Feed:
    """What one consumer has not taken yet: ``async for changes in monitor``. The first are the rows that are there."""

    def __init__(self, tables: Tables, *, begun: bool, unfed: Unfed = lambda: None) -> None:
        self._rows: Tables | None = {table: dict(rows) for table, rows in tables.items()} if begun else None
        self._unfed = unfed
        self._waiting: deque[Changes] = deque()
        self._waiting_changes = 0
        self._merged: dict[tuple[str, Uuid], Change] | None = None
        self._merged_transactions = 0
        self._merged_resumed = self._merged_resynced = False
        self._news = asyncio.Event()
        self._end: OvsnetError | StopAsyncIteration | None = None

    def put(self, changes: Changes) -> None:
        """One more transaction."""
        full = len(self._waiting) >= MOST_BATCHES or self._waiting_changes >= MOST_CHANGES
        if self._merged is None and not full:
            self._waiting.append(changes)
            self._waiting_changes += len(changes)
        else:
            self._merge(changes)
        self._news.set()

    def finish(self, why: OvsnetError | None) -> None:
        """Nothing will come any more; the loop ends by ``why``, or quietly without one."""
        if self._end is None:
            self._end = StopAsyncIteration() if why is None else why
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Changes:
        if self._rows is not None:
            rows = await _as_new(self._rows)
            self._rows = None
            return Changes(rows, transactions=0)
        while True:
            if self._waiting:
                changes = self._waiting.popleft()
                self._waiting_changes -= len(changes)
                return changes
            if self._merged is not None:
                return self._take_merged()
            if isinstance(self._end, StopAsyncIteration):
                raise StopAsyncIteration
            if self._end is not None:
                raise self._end.with_traceback(None)
            if (unfed := self._unfed()) is not None:
                raise unfed
            self._news.clear()
            await self._news.wait()

    def _merge(self, changes: Changes) -> None:
        merged = self._merged = {} if self._merged is None else self._merged
        for change in changes:
            key = change.table, change.uuid
            before = merged.pop(key, None)
            both = change if before is None else Change(change.table, change.uuid, before.old, change.new)
            if both.old != both.new:
                merged[key] = both
        self._merged_transactions += changes.transactions
        self._merged_resumed |= changes.resumed
        self._merged_resynced |= changes.resynced

    def _take_merged(self) -> Changes:
        merged, self._merged = self._merged or {}, None
        taken = Changes(
            list(merged.values()),
            transactions=self._merged_transactions,
            resumed=self._merged_resumed,
            resynced=self._merged_resynced,
        )
        self._merged_transactions, self._merged_resumed, self._merged_resynced = 0, False, False
        return taken


class Audience:
    """Everyone that follows one copy: the callback, the consumers, and those that wait for a fact."""

    def __init__(self, on_change: OnChange | None = None, unfed: Unfed = lambda: None) -> None:
        self.tables: Tables = {}
        """What those that heard every change have: the copy, as it was delivered last."""
        self.begun = False
        """Whether the first rows were delivered."""
        self._on_change = on_change
        self._unfed = unfed
        self._feeds: weakref.WeakSet[Feed] = weakref.WeakSet()
        self._indexes: dict[IndexKey, Index] = {}
        self._changed = asyncio.Event()

    @property
    def listening(self) -> bool:
        """Whether a subscriber wants to know what changed, and not only that something did."""
        return self._on_change is not None or bool(self._feeds)

    async def prepared(self, tables: Tables) -> Indexes:
        """The indexes of what is about to be the copy, made in steps."""
        return {key: await index.prepared(tables) for key, index in tuple(self._indexes.items())}

    def replace(self, tables: Tables, indexes: Indexes) -> None:
        """Another copy takes the place of this one, with its ``indexes``; the difference is delivered next."""
        self.tables, self.begun = tables, True
        for key, index in self._indexes.items():
            if (twin := indexes.get(key)) is not None:
                index.become(twin)
            else:  # it was asked for meanwhile
                index.fill(tables)

    def publish(self, tables: Tables) -> None:
        """``tables`` is the copy from now on; what changed is told next."""
        self.tables, self.begun = tables, True
        for index in self._indexes.values():
            index.follow(tables)

    def tell(self, changes: Changes) -> None:
        """The copy has changed so. Raises as ``deliver``."""
        for index in self._indexes.values():
            index.fold(changes)
        self.deliver(changes)

    def deliver(self, changes: Changes) -> None:
        """Raises CallbackFailed for whatever the callback raises, after the others have heard."""
        self.wake()
        for feed in tuple(self._feeds):
            feed.put(changes)
        if self._on_change is not None:
            try:
                self._on_change(changes)
            except (Exception, asyncio.CancelledError) as error:
                # A CancelledError is that of a future that it asked: nobody cancels a task within a call.
                raise CallbackFailed from error

    def wake(self) -> None:
        """Something changed, be it the state of the copy."""
        self._changed.set()
        self._changed.clear()

    async def wait(self) -> None:
        """Return when something changed."""
        await self._changed.wait()

    def feed(self) -> Feed:
        """A consumer. Once nobody holds it any more, nothing is kept for it."""
        feed = Feed(self.tables, begun=self.begun, unfed=self._unfed)
        self._feeds.add(feed)
        return feed

    def index(self, table: str, columns: tuple[str, ...]) -> Index:
        """Made when it is asked for first."""
        if (table, columns) not in self._indexes:
            index = self._indexes[table, columns] = Index(table, columns)
            index.fill(self.tables)
        return self._indexes[table, columns]

    def finish(self, why: OvsnetError | None) -> None:
        """The copy is not kept up any more."""
        for feed in tuple(self._feeds):
            feed.finish(why)
        self.wake()


async def _as_new(tables: Tables) -> Sequence[Change]:
    """All rows, in steps."""
    changes: list[Change] = []
    for table, rows in tables.items():
        for number, (uuid, row) in enumerate(rows.items(), 1):
            changes.append(Change(table, uuid, None, row))
            if number % (10 * BATCH) == 0:
                await asyncio.sleep(0)
    return changes
