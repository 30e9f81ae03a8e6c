"""A server of the northbound or the southbound on this host, as the checks need it: a session, and what the server says
of its copy of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from ovsnet import ovsdb
from ovsnet.io.address import Address
from ovsnet.node.tls_rows import COLUMNS, TlsRow, go_through_tls, reads_row, remotes_given, tls_row
from ovsnet.protocol.jsonrpc import decode_body

MAX_BYTES = 16 << 20
"""Bytes of one message: the schema is the longest, with 0.1 MB."""


class _Schema(msgspec.Struct):
    version: str = ""


_VERSION = msgspec.json.Decoder(_Schema)


class Served(ovsdb.Session):
    """A session with its monitor of one row that seldom changes. What changes with every commit is asked for."""

    def __init__(self, address: Address, database: str) -> None:
        super().__init__(address, max_bytes=MAX_BYTES)
        self.database = database
        self._server: ovsdb.Monitor | None = None
        self.tls: TlsRow | None = None
        """What its row SSL names, if any of its own remotes goes through TLS, as it was read last."""

    async def read_tls(self, *, timeout: float) -> None:
        """Asked for and not monitored: a member that has joined no cluster yet serves no tables."""
        row = tls_row(await self.rows("SSL", COLUMNS, timeout=timeout))
        pid = self.peer_pid
        if row is None or pid is None or not reads_row(pid, self.database):
            self.tls = None
            return
        targets = [str(each["target"]) for each in await self.rows("Connection", ["target"], timeout=timeout)]
        self.tls = row if go_through_tls([*targets, *remotes_given(pid)]) else None

    async def watch(self, on_change: Callable[[], None], *, timeout: float) -> None:
        """Return when the row is in; ``on_change`` is called with it and with each change after.

        Raises DeadlineExceeded when the server sends nothing for ``timeout`` seconds.
        """
        self._server = await self.monitor(
            "_Server",
            {"Database": ["name", "model"]},
            on_change=lambda changes: on_change(),
            timeout=timeout,
        )
        self.depend_on(self._server)

    @property
    def model(self) -> str:
        """``standalone``, ``clustered`` or ``relay``; empty when it does not serve this database."""
        rows = self._server.tables.get("Database", {}).values() if self._server is not None else ()
        for row in rows:
            if row["name"] == self.database:
                return str(row["model"])
        return ""

    @property
    def clustered(self) -> bool:
        """Whether it is a member of a cluster, or wants to be."""
        return self.model == "clustered"

    async def schema_version(self, *, timeout: float) -> str:
        """The version of the schema that it serves now: a server may be made to convert it while we are connected."""
        return decode_body(await self.request("get_schema", (self.database,), timeout=timeout), _VERSION).version

    async def rows(
        self, table: str, columns: Iterable[str], where: Iterable[ovsdb.Condition] = (), *, timeout: float
    ) -> list[ovsdb.Row]:
        """The rows of a table that match. Columns that the schema has not are left out."""
        known = (await self.get_schema(self.database, timeout=timeout)).table(table).columns
        wanted = [each for each in columns if each in known]
        return await self.select(self.database, table, where, wanted, timeout=timeout)

    async def root(self, table: str, columns: Iterable[str], *, timeout: float) -> ovsdb.Row:
        """The one row of a table such as NB_Global; empty when nobody has made it yet."""
        rows = await self.rows(table, columns, timeout=timeout)
        return rows[0] if rows else {}


async def open_served(
    address: Address,
    database: str,
    *,
    timeout: float,
    patience: float,
    on_change: Callable[[], None],
    on_connected: Callable[[Served], None],
) -> Served:
    """Connect within ``timeout`` seconds, and wait up to ``patience`` seconds for the row."""
    served = Served(address, database)
    await served.open(timeout=timeout)
    on_connected(served)
    try:
        await served.watch(on_change, timeout=patience)
    except BaseException:
        await served.aclose()
        raise
    return served
