"""A client of one bridge that stays connected.

    async with Client("unix:/run/openvswitch/br-int.mgmt") as client:
        print(await client.tables(timeout=5.0))
        async for status in client.changes():
            print(status.state, status.reason)

A question asked while the switch is away waits for it, up to its own deadline; with ``wait=False`` it fails at once
with the reason. One that was under way when the connection broke fails with ConnectionLost: ask again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self

from ovsnet.errors import DeadlineExceeded, PeerError
from ovsnet.io.address import Address
from ovsnet.io.kept import Changes, ClientState, Kept, Status
from ovsnet.io.tls import Tls
from ovsnet.openflow.questions import Questions
from ovsnet.openflow.session import Session, connect
from ovsnet.protocol import openflow as wire

GREETING_PATIENCE = 60.0
"""Seconds for which a connection that was accepted waits for HELLO. It is held meanwhile, so that a frozen switch finds
one client when it thaws."""


class Client(Questions):
    """``address`` is one bridge's, such as ``unix:/run/openvswitch/br-int.mgmt``.

    Every ``probe`` seconds in which the switch said nothing it is sent an echo; one that does not come back within as
    many again ends the connection. None sends none: then only the kernel says that a connection is lost.
    """

    def __init__(
        self,
        address: Address | str,
        *,
        versions: frozenset[wire.Version] = wire.ALL_VERSIONS,
        timeout: float = 1.0,
        wait: bool = True,
        probe: float | None = 5.0,
        tls: Tls | None = None,
    ) -> None:
        self._address = Address.of(address)
        self._wait = wait
        self._probe = probe

        async def opened() -> Session:
            return await connect(
                self._address, versions=versions, timeout=timeout, patience=max(timeout, GREETING_PATIENCE), tls=tls
            )

        self._kept = Kept(opened, self._watch)

    @property
    def address(self) -> Address:
        """Where the switch listens."""
        return self._address

    @property
    def state(self) -> ClientState:
        """``connecting``, ``up``, ``waiting`` for the next attempt, or ``closed``."""
        return self._kept.status.state

    @property
    def status(self) -> Status:
        """The state, why it is not ``up``, and since when."""
        return self._kept.status

    @property
    def session(self) -> Session | None:
        """The connection that there is now."""
        return self._kept.session

    def changes(self) -> Changes:
        """The status now, and then every change of it, until the client is closed.

        A watcher that is slower than the switch comes and goes misses the oldest changes, never the newest.
        """
        return self._kept.changes()

    async def until(self, state: ClientState, *, timeout: float) -> Status:
        """Return when ``state`` was reached, if only for a moment. Raises DeadlineExceeded after ``timeout`` seconds,
        with the reason why it was not."""
        return await self._kept.until(state, timeout)

    async def connected(self, *, timeout: float) -> Session:
        """The session, as soon as there is one. It ends with its connection, and the client makes another."""
        return await self._kept.connected(timeout)

    def start(self) -> None:
        """Connect, and stay connected until ``aclose``; ``async with`` does both."""
        self._kept.start()

    async def aclose(self) -> None:
        """Close the connection, or give up making it."""
        await self._kept.aclose()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _ask(self, encode: Callable[..., bytes], *arguments: object, timeout: float) -> wire.Message:
        deadline = time.monotonic() + timeout
        session = await self.connected(timeout=timeout) if self._wait else self._kept.held()
        return await session._ask(encode, *arguments, timeout=max(0.0, deadline - time.monotonic()))

    async def _parts(
        self, encode: Callable[..., bytes], *arguments: object, timeout: float
    ) -> AsyncGenerator[wire.Message, None]:
        session = await self.connected(timeout=timeout) if self._wait else self._kept.held()
        async with aclosing(session._parts(encode, *arguments, timeout=timeout)) as parts:
            async for part in parts:
                yield part

    async def _watch(self, session: Session) -> None:
        """The inactivity probe, as OVS's rconn has it (lib/rconn.c, ``run_ACTIVE``)."""
        if self._probe is None:
            return
        while not session.closed.done():
            idle = time.monotonic() - session.heard_at
            if idle < self._probe:
                await asyncio.sleep(self._probe - idle)
                continue
            try:
                await session.echo(timeout=self._probe)
            except DeadlineExceeded as error:
                session.channel.abort(error)
            except PeerError:
                return
