"""What a consumer has that is told changes alone."""

from __future__ import annotations

import asyncio
from typing import Any

from ovsnet.ovsdb import Changes, LastingMonitor, Row, Uuid


class Followed:
    """Its tables. A change that does not follow the one before is an error."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Uuid, Row]] = {"Shape": {}, "Counter": {}}
        self._news = asyncio.Event()

    def fold(self, changes: Changes) -> None:
        for change in changes:
            rows = self.tables[change.table]
            assert rows.get(change.uuid) == change.old, f"{change} does not follow {rows.get(change.uuid)}"
            if change.new is None:
                del rows[change.uuid]
            else:
                rows[change.uuid] = change.new

    async def follow(self, monitor: LastingMonitor) -> None:
        async for changes in monitor:
            self.fold(changes)
            self._news.set()

    async def reaches(self, other: Followed) -> None:
        """Return when it has heard what another has."""
        while self.tables != other.tables:
            self._news.clear()
            await self._news.wait()


def difference(ours: Any, theirs: Any) -> str:
    """The first row that differs."""
    for table in theirs:
        for uuid in {**ours[table], **theirs[table]}:
            if ours[table].get(uuid) != theirs[table].get(uuid):
                return f"{table} {uuid}: {ours[table].get(uuid)} is not {theirs[table].get(uuid)}"
    return "the tables differ"
