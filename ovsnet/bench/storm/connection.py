"""The sockets and the timer of one simulated chassis: does what ``Chassis`` decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from ovsnet.bench.race import errno_name
from ovsnet.bench.storm.chassis import Act, Chassis
from ovsnet.bench.storm.conversation import Conversation, Event
from ovsnet.errors import PeerError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect, connect_once
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel

PATIENCE = 3600.0
"""Seconds that ``transport`` may take to connect: the chassis itself decides when to give up."""


class Log(Protocol):
    """Where a station tells what happened."""

    def count(self, what: str) -> None: ...

    def synced(self, outage: float | None) -> None: ...

    def probed(self, seconds: float) -> None: ...


class Station:
    """One chassis at work on the running loop, from ``begin`` until ``end``."""

    __slots__ = (
        "_channel", "_connecting", "_ended", "_log", "_loop", "_probed_at", "_register", "_remotes", "_timer", "_tls",
        "chassis",
    )  # fmt: skip

    def __init__(
        self, chassis: Chassis, remotes: Sequence[Address], log: Log, *, tls: Tls | None, register: bool
    ) -> None:
        self.chassis = chassis
        self._remotes = remotes
        self._log = log
        self._tls = tls
        self._register = register
        self._loop = asyncio.get_running_loop()
        self._channel: Channel[Event] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._probed_at = 0.0
        self._ended = False

    def begin(self) -> None:
        """Connect for the first time."""
        self._judge(time.monotonic())

    def end(self) -> None:
        """Close whatever is open."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._drop()

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_at = self.chassis.due_at(now)
        self._timer = None if due_at is None else self._loop.call_later(max(due_at - now, 0.0), self._rang)

    def _rang(self) -> None:
        # A callback made by a callback runs after the next poll: bytes that have arrived are heard before we judge,
        # so that a stall of our own is never taken for one of the server's.
        self._timer = None
        self._loop.call_soon(self._loop.call_soon, self._judge_what_is_due)

    def _judge_what_is_due(self) -> None:
        if self._timer is None and not self._ended:  # what was heard meanwhile may have set another date
            self._judge(time.monotonic())

    def _judge(self, now: float) -> None:
        heard_at = self._channel.heard_at if self._channel is not None else 0.0
        match self.chassis.act(now, heard_at):
            case Act.CONNECT:
                self._connect(now)
            case Act.PROBE:
                self._probe(now)
            case Act.GIVE_UP:
                self._give_up(heard_at)
                self._fall(now)
        self._arm(now)

    def _probe(self, now: float) -> None:
        if self.chassis.conversation is not None and self._channel is not None:
            self._probed_at = now
            self.chassis.conversation.probe()
            self._channel.flush()

    def _give_up(self, heard_at: float) -> None:
        self._log.count("gave up" if self.chassis.connected else "connect timeouts")
        if self.chassis.connected and not heard_at:
            # The kernel made the connection, and the server's backlog was full: it never learned of it.
            self._log.count("gave up unheard")

    def _connect(self, now: float) -> None:
        self.chassis.connecting(now)
        self._log.count("connection attempts")
        self._connecting = self._loop.create_task(self._attempt(self._remotes[self.chassis.remote]))

    async def _attempt(self, address: Address) -> None:
        channel = _Ringing(address, self)
        try:
            if address.scheme == "unix":
                await connect_once(channel)  # ovn-controller takes a full backlog for a failure, and backs off
            else:
                await connect(channel, timeout=PATIENCE, tls=self._tls)
        except PeerError as error:
            channel.abort()
            self._connecting = None
            self._log.count(f"connect {errno_name(error)}")
            self._fall(time.monotonic())
            self._arm(time.monotonic())
        except asyncio.CancelledError:
            channel.abort()
            raise

    def made(self, channel: Channel[Event]) -> Conversation:
        """The connection is there; what to say on it."""
        now = time.monotonic()
        self._connecting, self._channel = None, channel
        conversation = self.chassis.connected_at(now, register=self._register)
        self._arm(now)
        return conversation

    def heard(self, events: Sequence[Event]) -> None:
        """The conversation has got on."""
        for event in events:
            now = time.monotonic()
            if event is Event.SYNCED and self.chassis.synced_at is None:
                self._log.synced(self.chassis.synced(now))
            elif event is Event.ECHOED:
                self._log.probed(now - self._probed_at)
            elif event is Event.TURNED_AWAY:
                self._log.count("turned away")
                self.chassis.turned_away(now)
                self._drop()
                self._arm(now)
                return

    def lost(self, channel: Channel[Event], error: PeerError) -> None:
        """The server, or the network, ended the connection."""
        if channel is not self._channel:
            return
        self._log.count("bad bytes" if isinstance(error, ProtocolError) else "closed by the server")
        self._channel = None
        self._fall(time.monotonic())
        self._arm(time.monotonic())

    def _fall(self, now: float) -> None:
        self._drop()
        self.chassis.disconnected(now)

    def _drop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.abort()
        task, self._connecting = self._connecting, None
        if task is not None:
            task.cancel()


class _Ringing(Channel[Event]):
    """A channel whose conversation begins when the connection is there: a TLS handshake comes first."""

    def __init__(self, address: Address, station: Station) -> None:
        super().__init__(address, _SILENT, station.heard, lambda error: station.lost(self, error))
        self._station = station

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.closed.done():
            self._core = self._station.made(self)
        super().connection_made(transport)


class _Silent:
    """The core of a channel before its connection."""

    def receive_data(self, data: bytes, /) -> Sequence[Event]:
        return ()

    def data_to_send(self) -> bytes:
        return b""

    def eof_received(self) -> None:
        return


_SILENT = _Silent()
