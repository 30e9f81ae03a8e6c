"""The databases to tune: a session with each, held while we read, plan and write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from ovsnet import ovsdb
from ovsnet.errors import ConnectError, SocketMissing
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.ovsdb import Session


@asynccontextmanager
async def opened(
    remotes: Mapping[str, Sequence[Address]], *, timeout: float, tls: Tls | None = None
) -> AsyncIterator[dict[str, Session]]:
    """A session by database, on the first of its remotes that accepts. ``timeout`` is in seconds for each connect.

    Raises the ConnectError that fits.
    """
    async with AsyncExitStack() as stack:
        sessions = {}
        for database, addresses in remotes.items():
            sessions[database] = await stack.enter_async_context(await _first(addresses, timeout, tls))
        yield sessions


async def _first(addresses: Sequence[Address], timeout: float, tls: Tls | None) -> Session:
    why: ConnectError = SocketMissing("No address of the database was given.")
    for address in addresses:
        try:
            return await ovsdb.connect(address, timeout=timeout, tls=tls)
        except ConnectError as error:
            why = error
    raise why
