"""The southbound database as the checks need it: one connection, two rows.

A fleet of agents must cost the southbound almost nothing: the monitor holds one row of ``SB_Global`` and the server's
own row about itself, both of which change seldom. What changes with every commit or sync is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ovsnet import ovsdb
from ovsnet.errors import ConnectError, DeadlineExceeded, PeerError, SocketMissing
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls

DATABASE = "OVN_Southbound"

MAX_BYTES = 16 << 20
"""Bytes of one message: the schema is the longest, with 0.1 MB."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of its copy of the database (ovsdb-server(5), the ``_Server`` database)."""

    clustered: bool
    connected: bool
    leader: bool
    cluster: str


class Southbound:
    """A held session with its two monitors."""

    def __init__(self, session: ovsdb.Session, server: ovsdb.Monitor, globals_: ovsdb.Monitor) -> None:
        self._session = session
        self._server = server
        self._globals = globals_

    @property
    def address(self) -> Address:
        """The remote that accepted."""
        return self._session.address

    @property
    def peer_pid(self) -> int | None:
        """The server's pid, when it runs where we can see it."""
        return self._session.peer_pid

    @property
    def heard_at(self) -> float:
        """When the server's last bytes came, in ``time.monotonic``."""
        return self._session.heard_at

    @property
    def closed(self) -> asyncio.Future[PeerError]:
        """Done, with the reason, when the connection is over."""
        return self._session.closed

    @property
    def server(self) -> Server | None:
        """The server's word on its copy, or None when it does not serve the southbound."""
        for row in self._server.tables.get("Database", {}).values():
            if row["name"] == DATABASE:
                return Server(
                    clustered=row["model"] == "clustered",
                    connected=bool(row["connected"]),
                    leader=bool(row["leader"]),
                    cluster=str(row["cid"] or ""),
                )
        return None

    @property
    def options(self) -> Mapping[str, str]:
        """``SB_Global.options``."""
        row = next(iter(self._globals.tables.get("SB_Global", {}).values()), {})
        return cast("Mapping[str, str]", row.get("options") or {})

    async def log_index(self, *, timeout: float) -> int:
        """How many log entries a clustered server has applied: a copy whose index went back is stale.

        Asked for and not monitored: it grows with every commit, and the server would push each to every agent.
        """
        rows = await self._session.select("_Server", "Database", [("name", "==", DATABASE)], ["index"], timeout=timeout)
        return cast("int", rows[0]["index"] or 0) if rows else 0

    async def echo(self, *, timeout: float) -> float:
        """Seconds for an echo to come back."""
        return await self._session.echo(timeout=timeout)

    async def aclose(self) -> None:
        """Close, and wait until the connection is gone."""
        await self._session.aclose()


def is_local(remotes: Sequence[Address]) -> bool:
    """Whether every remote is on this host."""
    return bool(remotes) and all(each.scheme == "unix" or each.host in LOOPBACK for each in remotes)


async def open_southbound(
    remotes: Sequence[Address], *, timeout: float, patience: float, tls: Tls | None, on_change: Callable[[], None]
) -> Southbound:
    """The first remote that accepts, as ovn-controller takes them. ``timeout`` is for each connect, in seconds."""
    why: PeerError = SocketMissing("external_ids:ovn-remote names no southbound database.")
    for address in remotes:
        try:
            session = await ovsdb.connect(address, timeout=timeout, tls=tls, max_bytes=MAX_BYTES)
        except (ConnectError, DeadlineExceeded) as error:  # over TLS a frozen member accepts, and says nothing
            why = error
            continue
        return await _watch(session, patience, on_change)
    raise why


async def _watch(session: ovsdb.Session, patience: float, on_change: Callable[[], None]) -> Southbound:
    try:
        server = await session.monitor(
            "_Server",
            {"Database": ["name", "model", "connected", "leader", "cid"]},
            on_change=lambda changes: on_change(),
            timeout=patience,
        )
        globals_ = await session.monitor(
            DATABASE, {"SB_Global": ["options"]}, on_change=lambda changes: on_change(), timeout=patience
        )
    except BaseException:
        await session.aclose()
        raise
    return Southbound(session, server, globals_)
