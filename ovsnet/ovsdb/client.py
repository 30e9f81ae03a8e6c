"""A client that stays connected.

    async with Client("tcp:10.0.0.1:6642,tcp:10.0.0.2:6642", database="OVN_Southbound", leader_only=True) as client:
        async with client.monitor("OVN_Southbound", {"Chassis": ["name", "hostname"]}) as monitor:
            async for changes in monitor:
                ...

It connects to one of its remotes, in random order, and to another when that is lost, hangs, or is not the right server
any more; with pauses that double and are jittered once none could be used. A call that is made while it is away waits
up to its own deadline, or with ``wait=False`` fails at once with the reason. A question is asked again where its
connection broke; a transaction never is: TransactionInDoubt says that nobody knows whether it was done.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from ovsnet.errors import OvsnetError, PeerError
from ovsnet.io.address import Address, remotes_of
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.kept import PROBE, KeptClient
from ovsnet.io.opening import Opening
from ovsnet.io.pending import after_next_poll
from ovsnet.io.tls import Tls
from ovsnet.ovsdb.changes import OnChange
from ovsnet.ovsdb.errors import TransactionInDoubt
from ovsnet.ovsdb.fate import is_end_of, only_reads
from ovsnet.ovsdb.lasting import LastingMonitor
from ovsnet.ovsdb.live import LiveDatabase
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.monitor import LONGEST, SILENCE
from ovsnet.ovsdb.opening import membership, open_first
from ovsnet.ovsdb.operations import Condition, Operation, require_operations
from ovsnet.ovsdb.schema import Schema
from ovsnet.ovsdb.selection import Columns, Where
from ovsnet.ovsdb.session import MAX_BYTES, Session
from ovsnet.ovsdb.values import Row

T = TypeVar("T")


class Client(KeptClient[Session]):
    """``remotes`` are addresses, texts, or texts that list several.

    With ``database`` only a server will do that serves it, is in touch with its cluster, and has no older copy than was
    seen before; with ``leader_only`` only the leader. ``timeout`` is for each connect. None for ``probe`` sends no
    echoes: then only the kernel says that a connection is lost. ``longest_pause`` is in seconds, between two attempts;
    without a number it is 1 for remotes of this host alone, and 8 for others.
    """

    def __init__(
        self,
        *remotes: Address | str,
        database: str = "",
        leader_only: bool = False,
        shuffle: bool = True,
        wait: bool = True,
        timeout: float = 1.0,
        probe: float | None = PROBE,
        longest_pause: float | None = None,
        tls: Tls | None = None,
        max_bytes: int = MAX_BYTES,
        rng: random.Random | None = None,
    ) -> None:
        self._rng = rng or random.Random()
        self.remotes = remotes_of(remotes)
        super().__init__(self.remotes, wait=wait, probe=probe, longest_pause=longest_pause, rng=self._rng)
        self._membership = membership(database, leader_only=leader_only)
        self._timeout = require_seconds(timeout)
        self._tls = tls
        self._max_bytes = max_bytes
        order = self._rng.sample(self.remotes, len(self.remotes)) if shuffle else self.remotes
        self._remotes = deque(order)
        self._monitors: set[LastingMonitor] = set()

    def forget_index(self) -> None:
        """Take a server with an older copy too: the cluster was restored from a backup, for instance."""
        if self._membership is not None:
            self._membership.forget()

    async def aclose(self) -> None:
        """End all monitors, and close the connection, or give up making it."""
        for monitor in tuple(self._monitors):
            await monitor.cancel()
        await super().aclose()

    # What is asked.

    def __getitem__(self, database: str) -> LiveDatabase:
        return LiveDatabase(self, database)

    async def list_dbs(self, *, timeout: float = 5.0) -> list[str]:
        """The databases that the server serves, ``_Server`` among them."""
        return await self._again(lambda session, left: session.list_dbs(timeout=left), timeout)

    async def get_schema(self, database: str, *, timeout: float = 5.0) -> Schema:
        """The schema, as the server that we are connected to has it now."""
        return await self._again(lambda session, left: session.get_schema(database, timeout=left), timeout)

    async def select(
        self,
        database: str,
        table: str,
        where: Iterable[Condition] = (),
        columns: Iterable[str] | None = None,
        *,
        timeout: float = 5.0,
    ) -> list[Row]:
        """The rows of a table that match, as ``Session.select``."""
        where, columns = tuple(where), None if columns is None else tuple(columns)
        return await self._again(
            lambda session, left: session.select(database, table, where, columns, timeout=left), timeout
        )

    async def transact(self, database: str, *operations: Operation, timeout: float = 5.0) -> list[dict[str, Any]]:
        """Do all ``operations`` or none, as ``Session.transact``.

        One that may write is never sent twice: TransactionInDoubt says that no answer came, and is no other error here;
        after a DeadlineExceeded or a ConnectionLost nothing was sent. One that only reads is a question like any other.
        """
        require_operations(operations)
        if only_reads(operations):
            return await self._again(
                lambda session, left: session.transact(database, *operations, timeout=left), timeout
            )
        deadline = Deadline(timeout)
        session = await self._writable(deadline)
        try:
            return await session.transact(database, *operations, timeout=deadline.left)
        except TransactionInDoubt as error:  # and nothing else: after a DeadlineExceeded of ours nothing was sent
            raise TransactionInDoubt(str(error)) from error.__cause__

    def monitor(
        self,
        database: str,
        tables: Columns,
        *,
        where: Where | None = None,
        on_change: OnChange | None = None,
        timeout: float = SILENCE,
        longest: float = LONGEST,
        widen: bool = False,
    ) -> LastingMonitor:
        """A live copy of ``tables`` (their columns, or None for all) that outlives the connection.

        Await it, or enter it with ``async with``. ``timeout`` is for a connection, and then for silence while the rows
        come; ``longest`` bounds the whole. The rest is as in ``Session.monitor``.
        """
        return LastingMonitor(
            self,
            database,
            tables,
            where,
            on_change,
            wait=self._wait,
            timeout=timeout,
            longest=longest,
            widen=widen,
            on_begin=self._monitors.add,
            on_end=self._monitors.discard,
        )

    def lock(self, name: str, *, steal: bool = False, timeout: float = 10.0) -> Opening[Lock]:
        """Hold a lock: it is waited for up to ``timeout`` seconds, over several connections if need be. Await it, or
        enter it with ``async with``.

        It ends with its connection, or when another client steals it: ``lock.held`` and ``lock.lost`` say so at once,
        and leaving the block then raises why. A transaction that depends on it asserts it. A client asks for a name
        once at a time: a second block of the same name is a UsageError.
        """
        return Opening(lambda: self._lock(name, steal, Deadline(timeout)))

    async def _lock(self, name: str, steal: bool, deadline: Deadline) -> Lock:
        while True:
            session = await self._writable(deadline)
            lock: Lock | None = None
            try:
                lock = await session.lock(name, steal=steal, timeout=deadline.left)
                await lock.acquired(timeout=deadline.left)
            except BaseException as error:
                if self._wait and isinstance(error, PeerError) and is_end_of(session, error):
                    continue
                if lock is not None:
                    lock.abandon()
                raise
            else:
                return lock

    async def _writable(self, deadline: Deadline) -> Session:
        """A session over which something can be sent now. Nothing has been sent when this raises."""
        while True:
            left = deadline.left
            try:
                session = await self._wanted(left)
                await session.ready(left)
            except OvsnetError:
                if not self._wait or self.state == "closed" or not deadline.left:
                    raise
                await after_next_poll()  # it was up, and is not any more
            else:
                return session

    async def _again(self, ask: Callable[[Session, float], Awaitable[T]], timeout: float) -> T:
        """What only reads is asked again where its connection broke."""
        deadline = Deadline(timeout)
        while True:
            session = await self._writable(deadline)
            try:
                return await ask(session, deadline.left)
            except PeerError as error:
                if not self._wait or not is_end_of(session, error):
                    raise

    # How it stays connected.

    async def _connect(self) -> Session:
        """To the first that will do of all remotes, beginning behind the one that was used last: a server that takes
        connections and ends them must not hide the others."""
        session = await open_first(
            tuple(self._remotes),
            self._membership,
            timeout=self._timeout,
            silence=self._probe or SILENCE,
            watch=True,
            tls=self._tls,
            max_bytes=self._max_bytes,
        )
        self._remotes.rotate(-1 - self._remotes.index(session.address))
        return session
