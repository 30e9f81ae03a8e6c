"""The schemas that one session has read, and whether they are the server's still.

A server that converts a database cancels the monitors that it has of it, where the session is change-aware. One that
was asked for under the old schema and comes just after is kept, with the columns of before, and nothing ever cancels
it. So a schema is trusted once it was read again after a monitor began, and as long as that monitor is not cancelled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from ovsnet.ovsdb.schema import Schema

Fetch: TypeAlias = Callable[[str, float], Awaitable[bytes]]
"""Database, seconds -> the text of its schema, as the server has it now."""


class KnownSchemas:
    """``change_aware`` is what the session asked of the server: one that it closes instead needs no watching."""

    def __init__(self, fetch: Fetch, parse: Callable[[bytes], Schema]) -> None:
        self.change_aware = False
        self._fetch = fetch
        self._parse = parse
        self._schemas: dict[str, Schema] = {}
        self._texts: dict[str, bytes] = {}
        self._monitors: dict[str, str] = {}
        """Their databases, by the keys of all that are not over."""
        self._watching: set[str] = set()
        """Keys of those that began under the schema that is known: they would be cancelled with it."""

    async def read(self, database: str, timeout: float) -> Schema:
        """Fetched if it is not known. It may be an old one: ``is_current`` says so."""
        if database not in self._schemas:
            text = await self._fetch(database, timeout)
            if database not in self._schemas or self._texts[database] != text:  # another task may have asked, too
                self._schemas[database], self._texts[database] = self._parse(text), text
        return self._schemas[database]

    def add(self, key: str, database: str) -> None:
        """A monitor will be asked for."""
        self._monitors[key] = database

    def remove(self, key: str) -> None:
        """It is over. Without any the server would not notify us of a change."""
        database = self._monitors.pop(key, None)
        self._watching.discard(key)
        if database is not None and self.change_aware and not self._keys_of(database):
            self.forget(database)

    def cancel(self, key: str) -> None:
        """The server has cancelled it: the schema changed."""
        if (database := self._monitors.get(key)) is not None:
            self.forget(database)
        self.remove(key)

    def forget(self, database: str) -> None:
        """It is read again when it is next wanted."""
        self._schemas.pop(database, None)

    def forget_all(self) -> None:
        """The same for each."""
        self._schemas.clear()

    def is_watched(self, schema: Schema) -> bool:
        """Whether it is the server's still, as we would have been notified of a change."""
        return self._is_known(schema) and not self._watching.isdisjoint(self._keys_of(schema.name))

    async def is_current(self, schema: Schema, key: str, timeout: float) -> bool:
        """Whether it was the server's still when the monitor ``key`` began, which is cancelled when that is over. Else
        it is forgotten."""
        if not self._is_known(schema):
            return False
        if self.change_aware and not self.is_watched(schema):
            known = self._texts[schema.name]
            if await self._fetch(schema.name, timeout) != known:
                if self._is_known(schema):
                    self.forget(schema.name)
                return False
        if key in self._monitors and self._is_known(schema):
            self._watching.add(key)
        return True

    def _is_known(self, schema: Schema) -> bool:
        return self._schemas.get(schema.name) is schema

    def _keys_of(self, database: str) -> set[str]:
        return {key for key, monitored in self._monitors.items() if monitored == database}
