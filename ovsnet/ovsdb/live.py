"""One database of a client: what is in ``database``, and monitors that outlive their connections."""

from __future__ import annotations

from typing import Protocol

from ovsnet.ovsdb.changes import OnChange
from ovsnet.ovsdb.database import Asks, Database
from ovsnet.ovsdb.lasting import LastingMonitor
from ovsnet.ovsdb.monitor import LONGEST, SILENCE
from ovsnet.ovsdb.selection import Columns, Where


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
