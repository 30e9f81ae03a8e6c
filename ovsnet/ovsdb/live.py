"""One database of a client: what is in ``database``, and what needs a connection that stays.

db = client["Open_vSwitch"]
async with db.lock("my-tool"), db.monitor({"Interface": ["name", "ofport"]}) as interfaces:
    async for changes in interfaces: ...
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ovsnet.ovsdb.changes import OnChange
from ovsnet.ovsdb.database import Asks, Database, Record, conditions_of
from ovsnet.ovsdb.fit import fit_conditions, meets
from ovsnet.ovsdb.lasting import LastingMonitor
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.monitor import LONGEST, SILENCE
from ovsnet.ovsdb.operations import Condition
from ovsnet.ovsdb.replica import Tables
from ovsnet.ovsdb.selection import Columns, Where
from ovsnet.ovsdb.values import Row


class Stays(Asks, Protocol):
    """A Client."""

    def monitor(
        self,
        database: str,
        tables: Columns,
        *,
        where: Where | None = ...,
        on_change: OnChange | None = ...,
        timeout: float = ...,
        longest: float = ...,
        widen: bool = ...,
    ) -> LastingMonitor: ...

    def lock(self, name: str, *, steal: bool = ..., timeout: float = ...) -> AbstractAsyncContextManager[Lock]: ...


class LiveDatabase(Database):
    """Got as ``client["Open_vSwitch"]``."""

    def __init__(self, over: Stays, name: str, *, timeout: float = 5.0) -> None:
        super().__init__(over, name, timeout=timeout)
        self._client = over

    def monitor(
        self,
        tables: Columns,
        *,
        where: Where | None = None,
        on_change: OnChange | None = None,
        timeout: float = SILENCE,
        longest: float = LONGEST,
        widen: bool = False,
    ) -> LastingMonitor:
        """As ``Client.monitor``."""
        return self._client.monitor(
            self.name, tables, where=where, on_change=on_change, timeout=timeout, longest=longest, widen=widen
        )

    def lock(self, name: str, *, steal: bool = False, timeout: float = 10.0) -> AbstractAsyncContextManager[Lock]:
        """As ``Client.lock``: a lock is the server's, and the same for all its databases."""
        return self._client.lock(name, steal=steal, timeout=timeout)

    async def wait_until(self, table: str, record: Record, *conditions: Condition, timeout: float) -> Row:
        """Return when a row is there and meets all conditions, with the columns that they name.

        Raises DeadlineExceeded after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        known = (await self._over.get_schema(self.name, timeout=timeout)).table(table)
        meant = conditions_of(known, record)
        fit_conditions(known, conditions)
        columns = {name: None for name, _, _ in (*meant, *conditions) if name != "_uuid"}
        found: list[Row] = []

        def is_met(tables: Tables) -> bool:
            found[:] = [row for uuid, row in tables[table].items() if meets(known, {**row, "_uuid": uuid}, conditions)]
            return bool(found)

        left = max(0.0, deadline - time.monotonic())
        where: Where = {table: meant} if meant else {}
        async with self.monitor({table: [*columns]}, where=where, timeout=left, longest=left) as monitor:
            await monitor.until(is_met, timeout=max(0.0, deadline - time.monotonic()))
        return found[0]
