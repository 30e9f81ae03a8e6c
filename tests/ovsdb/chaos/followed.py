"""What a consumer has that is told changes alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from ovsnet.ovsdb import Changes, Row, Uuid


class Followed:
    """Its tables. A change that does not follow the one before is an error."""

    def __init__(self, *tables: str) -> None:
        self.tables: dict[str, dict[Uuid, Row]] = {table: {} for table in tables}
        self._news = asyncio.Event()
        self._failed: Exception | None = None

    def fold(self, changes: Changes) -> None:
        for change in changes:
            rows = self.tables[change.table]
            assert rows.get(change.uuid) == change.old, f"{change} does not follow {rows.get(change.uuid)}"
            if change.new is None:
                del rows[change.uuid]
            else:
                rows[change.uuid] = change.new

    async def follow(self, news: AsyncIterable[Changes]) -> None:
        """Until there is no more. ``reaches`` raises what ends it before."""
        try:
            async for changes in news:
                self.fold(changes)
                self._news.set()
        except Exception as error:
            self._failed = error
            self._news.set()
            raise

    async def reaches(self, other: Followed) -> None:
        """Return when it has heard what another has."""
        while self._failed is None and self.tables != other.tables:
            self._news.clear()
            await self._news.wait()
        if self._failed is not None:
            raise self._failed


def difference(ours: Any, theirs: Any) -> str:
    """The first row that differs."""
    for table in theirs:
        for uuid in {**ours[table], **theirs[table]}:
            if ours[table].get(uuid) != theirs[table].get(uuid):
                return f"{table} {uuid}: {ours[table].get(uuid)} is not {theirs[table].get(uuid)}"
    return "the tables differ"
