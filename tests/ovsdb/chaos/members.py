"""The servers of one database, each behind a proxy: one that is alone, or the members of a cluster."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from ovsnet import unixctl
from ovsnet.errors import ConnectionLost, PeerError, RequestRefused
from ovsnet.io.address import Address
from ovsnet.ovsdb import connect
from ovsnet.sandbox.binaries import find
from tests.ovsdb import shapes
from tests.ovsdb.conftest import Server
from tests.ovsdb.proxy import Proxy, proxied
from tests.patience import PATIENCE

PROBE = 2.0
"""Seconds after which a client leaves a frozen member; another leads after one or two (raft.c, ELECTION_BASE_MSEC)."""


class Members:
    """``away`` is the one member that is frozen or killed; the others have a quorum without it."""

    def __init__(self, directory: Path, count: int) -> None:
        self.servers = [Server(directory / str(number), find()) for number in range(count)]
        self.proxies: list[Proxy] = []
        self.away: Server | None = None

    def create(self, *, clustered: bool) -> None:
        """Make the empty databases."""
        first, *others = self.servers
        for server in self.servers:
            server.directory.mkdir()
        (first.directory / "shapes.ovsschema").write_text(json.dumps(shapes.SCHEMA))
        local = [f"unix:{server.directory / 'raft.sock'}" for server in self.servers]
        if not clustered:
            first.tool("create", "shapes.db", "shapes.ovsschema")
            return
        first.tool("create-cluster", "shapes.db", "shapes.ovsschema", local[0])
        for server, address in zip(others, local[1:], strict=True):
            server.tool("join-cluster", "shapes.db", shapes.NAME, address, local[0])

    async def start(self, stack: AsyncExitStack) -> None:
        """Start all, and the proxies."""
        await asyncio.gather(*(server.start() for server in self.servers))
        for server in self.servers:
            self.proxies.append(await stack.enter_async_context(proxied(server.path + ".proxy", server.path)))

    @property
    def present(self) -> list[Server]:
        """Those that answer."""
        return [server for server in self.servers if server is not self.away]

    @property
    def addresses(self) -> list[str]:
        """Of all, past the proxies."""
        return [str(server.address) for server in self.servers]

    @property
    def connections(self) -> int:
        """How many connections the proxies have carried."""
        return sum(proxy.connections for proxy in self.proxies)

    async def heal(self) -> None:
        """Bring the one that is away back."""
        server, self.away = self.away, None
        if server is None:
            return
        if server.alive:
            await server.thaw()
        else:
            await server.start()

    async def lose(self, server: Server, *, kill: bool) -> None:
        """Kill or freeze one; only one is away at a time."""
        await self.heal()
        self.away = server
        if kill:
            server.kill()
        else:
            await server.freeze()

    async def leader(self) -> Server:
        """The member that leads, as it says itself."""
        while True:
            for server in self.present:
                with suppress(PeerError):
                    async with connect(server.address, timeout=PATIENCE) as session:
                        where = [("name", "==", shapes.NAME)]
                        (row,) = await session.select("_Server", "Database", where, ["leader"], timeout=PATIENCE)
                        if row["leader"]:
                            return server
            await asyncio.sleep(0.05)

    async def move_leader(self) -> None:
        """Freeze the leader until another member leads: when it thaws it learns that its term is over."""
        await self.heal()
        await self.lose(await self.leader(), kill=False)
        await self.leader()
        await self.heal()

    async def compact(self, server: Server) -> None:
        """Write a snapshot in place of the log. A cluster's member that has nothing new to write refuses."""
        async with await unixctl.connect(Address.unix(server.directory / "ctl"), timeout=PATIENCE) as control:
            with suppress(RequestRefused):
                await control.call("ovsdb-server/compact", timeout=PATIENCE)

    async def forget(self) -> None:
        """All members lose their history: it begins at the last snapshot (ovsdb/transaction.c)."""
        await self.heal()
        for server in self.servers:
            await self.compact(server)
        self.kill()
        await asyncio.gather(*(server.start() for server in self.servers))

    async def convert(self, server: Server, schema: dict[str, Any]) -> None:
        """Give the database another schema."""
        async with connect(server.address, timeout=PATIENCE) as session:
            # A clustered server may drop its clients because of the change before it answers the one who asked for it.
            with suppress(ConnectionLost):
                await session.request("convert", (shapes.NAME, schema), timeout=PATIENCE)

    def kill(self) -> None:
        """All of them."""
        for server in self.servers:
            server.kill()
