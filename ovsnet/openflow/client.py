"""A client of one bridge that stays connected.

    async with Client("unix:/run/openvswitch/br-int.mgmt") as client:
        print(await client.tables(timeout=5.0))
        async for status in client.changes():
            print(status.state, status.reason)

A question asked while the switch is away waits for it, up to its own deadline; with ``wait=False`` it fails at once
with the reason. One that was under way when the connection broke fails with ConnectionLost: ask again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError
from ovsnet.io.address import Address
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.kept import PROBE, KeptClient
from ovsnet.io.tls import Tls
from ovsnet.openflow.flow_changes import FlowChanges, FlowPicture
from ovsnet.openflow.port_picture import PortPicture
from ovsnet.openflow.questions import Questions
from ovsnet.openflow.session import Session, connect
from ovsnet.protocol import openflow as wire

GREETING_PATIENCE = 60.0
"""Seconds for which a connection that was accepted waits for HELLO. It is held meanwhile, so that a frozen switch finds
one client when it thaws."""


class Client(KeptClient[Session], Questions):
    """``address`` is one bridge's, such as ``unix:/run/openvswitch/br-int.mgmt``.

    Every ``probe`` seconds in which the switch said nothing it is sent an echo; one that does not come back within as
    many again ends the connection. None sends none: then only the kernel says that a connection is lost. Pauses between
    attempts grow to ``longest_pause`` seconds; without a number to 1 for a bridge of this host, and to 8 for another.
    """

    def __init__(
        self,
        address: Address | str,
        *,
        versions: frozenset[wire.Version] = wire.ALL_VERSIONS,
        timeout: float = 1.0,
        wait: bool = True,
        probe: float | None = PROBE,
        longest_pause: float | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._address = Address.of(address)
        super().__init__((self._address,), wait=wait, probe=probe, longest_pause=longest_pause)
        self._versions = wire.offer(versions)
        self._timeout = require_seconds(timeout)
        self._tls = tls

    @property
    def address(self) -> Address:
        """Where the switch listens."""
        return self._address

    async def flow_monitor(
        self, *, table: int | None = None, out_port: int | None = None, timeout: float = 5.0
    ) -> AsyncGenerator[FlowChanges, None]:
        """The flows of the bridge, and then each change of them until the client is closed, whatever becomes of its
        connections: ``async for changes in client.flow_monitor()``. It is that of ``Session``, and goes on in the next
        connection.

        All flows come again there, and the difference is given: so each flow comes, changes and goes once. Until then
        the changes are not ``complete``. For that all flows are kept. ``timeout`` is in seconds, for each part of the
        first answer; once all flows have come, the client waits as long as it takes.
        """
        picture = FlowPicture()
        session = await self._wanted(timeout)
        while True:
            if gone := picture.connected(session.version):
                yield gone
            try:
                async with aclosing(session.flow_monitor(table=table, out_port=out_port, timeout=timeout)) as monitor:
                    async for changes in monitor:
                        yield picture.changed(changes)
            except PeerError as error:
                late = picture.begun and isinstance(error, DeadlineExceeded)
                if session.channel.lost is None and not late:
                    raise
            yield FlowChanges((), complete=False)
            try:
                session = await self.living()
            except ConnectionLost:
                return  # the client was closed

    async def port_changes(self, *, timeout: float = 5.0) -> AsyncGenerator[wire.PortChange, None]:
        """Ports that come, go and change from now on until the client is closed, whatever becomes of its connections:
        ``async for change in client.port_changes()``. It is that of ``Session``, and goes on in the next connection.

        The ports are asked for there, and the difference is given: so each port comes, changes and goes once, however
        long the switch was away. ``timeout`` is for the questions before, of the first connection; once they were
        answered, the client waits as long as it takes.
        """
        picture: PortPicture | None = None
        session = await self._wanted(timeout)
        while True:
            try:
                picture = picture or PortPicture(await session.ports(timeout=timeout))
                async with session._watched_ports(timeout) as changes:
                    for change in picture.difference(await session.ports(timeout=timeout)):
                        yield change
                    while True:
                        for change in picture.changed(await changes.next()):
                            yield change
            except PeerError as error:
                late = picture is not None and isinstance(error, DeadlineExceeded)
                if session.channel.lost is None and not late:
                    raise
            try:
                session = await self.living()
            except ConnectionLost:
                return  # the client was closed

    async def _connect(self) -> Session:
        patience = max(self._timeout, GREETING_PATIENCE)
        return await connect(
            self._address, versions=self._versions, timeout=self._timeout, patience=patience, tls=self._tls
        )

    async def _ask(self, encode: Callable[..., bytes], *arguments: object, timeout: float) -> wire.Message:
        deadline = Deadline(timeout)
        session = await self._wanted(timeout)
        return await session._ask(encode, *arguments, timeout=deadline.left)

    async def _parts(
        self, encode: Callable[..., bytes], *arguments: object, timeout: float
    ) -> AsyncGenerator[wire.Message, None]:
        session = await self._wanted(timeout)
        async with aclosing(session._parts(encode, *arguments, timeout=timeout)) as parts:
            async for part in parts:
                yield part
