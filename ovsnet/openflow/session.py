"""One negotiated OpenFlow session with a switch.

    async with connect("unix:/run/openvswitch/br-int.mgmt") as switch:
        print(await switch.echo(), (await switch.aggregate()).flow_count)

Never sends SET_CONFIG: a service connection that leaves ``miss_send_len`` at 0 gets no asynchronous messages, and so
costs the switch nothing (connmgr.c, ``ofconn_receives_async_msg``).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from itertools import count
from typing import TypeVar

from ovsnet.errors import OpenFlowRefused, PeerError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.held_session import HeldSession
from ovsnet.io.inflow import Inflow
from ovsnet.io.opening import Opening
from ovsnet.io.pending import PendingRequests
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel
from ovsnet.openflow.flow_changes import FlowChanges
from ovsnet.openflow.questions import ALL_TABLES, ANY_PORT, Questions
from ovsnet.openflow.unread import Parts, Unread
from ovsnet.protocol import openflow as wire

Parsed = TypeVar("Parsed")

HELLO_XID = 0
"""The switch's HELLO is awaited under this key. Our requests begin at 1, so that it never names one of them."""

XID_LIMIT = 1 << 32

MAX_UNREAD_CHANGES = 1 << 16
"""Changes of ports that nobody reads."""

MAX_UNREAD_UPDATES = 64 << 20
"""Bytes of changes of flows that nobody reads: half a million changes."""


class Session(HeldSession, Questions):
    """A connection to one bridge. Requests may overlap freely; each is paired with its reply by its xid.

    Closing leaves no line in the switch's log: it comes after both HELLOs, with everything read.
    """

    def __init__(self, address: Address, versions: frozenset[wire.Version]) -> None:
        self._core = wire.Connection(versions)
        self._pending: PendingRequests[wire.Message] = PendingRequests(str(address))
        self._hello: PendingRequests[wire.Version] = PendingRequests(str(address))
        self._replies: dict[int, Parts] = {}
        self._port_changes: list[Unread[wire.PortChange]] = []
        self._flow_updates: Unread[wire.Message] | None = None
        self._xids = count(1)
        inflow = Inflow(lambda: self._core.messages)
        super().__init__(Channel(address, self._core, self._on_events, self._on_lost, inflow))

    @property
    def version(self) -> wire.Version:
        """The version both sides speak."""
        assert self._core.version is not None
        return self._core.version

    async def wait_hello(self, timeout: float) -> None:
        """Return when the switch has said HELLO. Raises DeadlineExceeded after ``timeout`` seconds."""
        # On a busy host, or over TLS, the HELLO or the end comes before we do: nobody would hand it over again.
        self._require_alive()
        if self._core.version is None:
            await self._hello.open(HELLO_XID, timeout)

    async def port_changes(self, *, timeout: float = 1.0) -> AsyncGenerator[wire.PortChange, None]:
        """Ports that come, go and change from now on, until the connection ends: ``async for`` over it.

        It makes this connection one that gets asynchronous messages, of this kind alone, and it stays so. Raises
        OpenFlowRefused when the switch does not do that, why the connection ended, and ProtocolError when more changes
        wait to be read than MAX_UNREAD_CHANGES. ``timeout`` is for the questions before; under ``contextlib.aclosing``
        the loop may be left early.
        """
        async with self._watched_ports(timeout) as changes:
            while True:
                yield await changes.next()

    @asynccontextmanager
    async def _watched_ports(self, timeout: float) -> AsyncIterator[Unread[wire.PortChange]]:
        """In the block the switch sends each change of a port."""
        deadline = Deadline(timeout)
        config = await self.config(timeout=timeout)
        changes: Unread[wire.PortChange] = Unread(self.address, MAX_UNREAD_CHANGES)
        self._port_changes.append(changes)
        xid = self._next_xid()
        answer = self._pending.open(xid, timeout)
        try:
            self.channel.write(wire.port_status_requests(self.version, xid, config))
            await self.barrier(timeout=deadline.left)  # only a refusal answers these requests, and it comes before
            if answer.done() and isinstance(refused := answer.exception(), OpenFlowRefused):
                raise refused
            yield changes
        finally:
            self._pending.forget(xid)
            self._port_changes.remove(changes)

    async def flow_monitor(
        self, *, table: int | None = None, out_port: int | None = None, timeout: float = 5.0
    ) -> AsyncGenerator[FlowChanges, None]:
        """The flows of the bridge, and then each change of them until the connection ends:
        ``async for changes in session.flow_monitor()``; or those of one table, or with an output to one port.

        What there is comes first, as ``initial``; the first changes that are ``complete`` end it, though they may be
        none. ``timeout`` is in seconds, for each part of that. Raises OpenFlowRefused when the switch has no flow
        monitor, why the connection ended, and ProtocolError when changes of more than MAX_UNREAD_UPDATES bytes wait to
        be read. One at a time: a second one is a UsageError. Leave the loop early under ``contextlib.aclosing``.
        """
        await self.barrier(timeout=timeout)  # changes for a monitor that was left come before
        if self._flow_updates is not None:
            raise UsageError(
                "This session has a flow monitor already.", remedy="Open another session for a second one."
            )
        updates: Unread[wire.Message] = Unread(self.address, MAX_UNREAD_UPDATES, lambda update: len(update.body))
        self._flow_updates = updates
        monitor = self._next_xid()
        refused = False
        try:
            selection = ALL_TABLES if table is None else table, ANY_PORT if out_port is None else out_port
            begin = self._parts(wire.flow_monitor_request, monitor, *selection, timeout=timeout)
            async with aclosing(begin) as parts:
                async for part in parts:
                    first = self._read(partial(wire.parse_flow_update, initial=True), part)
                    yield FlowChanges(first.changes, complete=wire.is_last_part(part), abbreviated=first.abbreviated)
            complete = True
            while True:
                update = self._read(wire.parse_flow_update, await updates.next())
                complete = complete if update.paused is None else not update.paused
                yield FlowChanges(update.changes, complete=complete, abbreviated=update.abbreviated)
        except (OpenFlowRefused, UsageError):
            refused = True
            raise
        finally:
            self._flow_updates = None
            if not refused:
                self.channel.write(wire.flow_monitor_cancel(self.version, self._next_xid(), monitor))

    async def _ask(self, encode: Callable[..., bytes], *arguments: object, timeout: float) -> wire.Message:
        self._require_alive()
        left = timeout
        if self.channel.congested:
            deadline = Deadline(timeout)
            await self.channel.room(timeout)
            left = deadline.left
        xid = self._next_xid()
        request = encode(self.version, xid, *arguments)
        answer = self._pending.open(xid, left)
        self.channel.write(request)
        self.channel.asked()
        return await answer

    async def _parts(
        self, encode: Callable[..., bytes], *arguments: object, timeout: float
    ) -> AsyncGenerator[wire.Message, None]:
        self._require_alive()
        require_seconds(timeout)
        if self.channel.congested:
            await self.channel.room(timeout)
        xid = self._next_xid()
        request = encode(self.version, xid, *arguments)
        self._core.in_parts(xid)
        reply = self._replies[xid] = Parts(self.address)
        self.channel.write(request)
        self.channel.asked()
        try:
            while True:
                while reply.waiting:
                    yield reply.take()
                if reply.error is not None:
                    raise reply.error
                if reply.finished:
                    break
                self._require_alive()
                await self._pending.open(xid, timeout)
        finally:
            self._pending.forget(xid)
            reply.leave()
            self._forget_if_over(xid)

    def _require_alive(self) -> None:
        if self.channel.lost is not None:
            raise self.channel.lost.with_traceback(None)

    def _next_xid(self) -> int:
        return next(self._xids) % XID_LIMIT

    def _on_events(self, events: Sequence[wire.Event]) -> None:
        try:
            for event in events:
                self._on_event(event)
        except wire.OpenFlowProtocolError as error:
            self.channel.abort(wire.OpenFlowProtocolError(f"{self.address}: {error}."))

    def _on_event(self, event: wire.Event) -> None:
        if isinstance(event, wire.Message):
            if self._port_changes and event.type == wire.MessageType.PORT_STATUS:
                self._on_port_status(event)
            if self._flow_updates is not None and event.xid not in self._replies and wire.is_flow_update(event):
                self._on_flow_update(self._flow_updates, event)
            if self._replies and event.xid in self._replies:
                self._on_part(event)
            self._pending.answer(event.xid, event)
        elif isinstance(event, wire.ErrorMessage):
            error = OpenFlowRefused(f"{self.channel.address} refused: {event.name}.")
            if event.xid in self._replies:
                self._replies[event.xid].refuse(error)
                self._forget_if_over(event.xid)
            self._pending.refuse(event.xid, error)
        else:
            self._hello.answer(HELLO_XID, event.version)

    def _on_port_status(self, message: wire.Message) -> None:
        change = wire.parse_port_status(message)
        for changes in self._port_changes:
            changes.add(change)

    def _on_flow_update(self, updates: Unread[wire.Message], update: wire.Message) -> None:
        if updates.add(update):
            self.channel.asked()  # the next one is not a push: we asked for as many as there are

    def _on_part(self, part: wire.Message) -> None:
        reply = self._replies[part.xid]
        reply.add(part)
        if not reply.finished:
            self.channel.asked()  # the next part is not a push: it belongs to the question, be it read or not
        self._forget_if_over(part.xid)

    def _forget_if_over(self, xid: int) -> None:
        if self._replies[xid].is_over:
            del self._replies[xid]

    def _on_lost(self, error: PeerError) -> None:
        self._hello.fail_all(error)
        self._pending.fail_all(error)
        for changes in self._port_changes:
            changes.end(error)
        if self._flow_updates is not None:
            self._flow_updates.end(error)


def connect(
    address: Address | str,
    *,
    versions: frozenset[wire.Version] = wire.ALL_VERSIONS,
    timeout: float = 1.0,
    patience: float | None = None,
    tls: Tls | None = None,
    on_connected: Callable[[Session], None] = lambda session: None,
) -> Opening[Session]:
    """Connect within ``timeout`` seconds, and wait as long (or ``patience`` seconds) for the switch's HELLO.
    ``on_connected`` is called between the two.

    Await what this returns, or enter it with ``async with``. Raises AddressError at once for a text that is no
    address, and UsageError for ``versions`` without one; the ConnectError that fits; DeadlineExceeded when the switch
    accepts and says no HELLO (its main loop hangs, or it has no database); ProtocolError when there is no version in
    common or the peer is not a switch.
    """
    place = Address.of(address)
    offered = wire.offer(versions)
    wait = require_seconds(timeout) if patience is None else require_seconds(patience)
    return Opening(lambda: _open(Session(place, offered), timeout, wait, tls, on_connected))


async def _open(
    session: Session, timeout: float, patience: float, tls: Tls | None, on_connected: Callable[[Session], None]
) -> Session:
    try:
        await session.open(timeout=timeout, tls=tls)
        on_connected(session)
        await session.wait_hello(patience)
    except BaseException:
        session.channel.abort()
        raise
    return session
