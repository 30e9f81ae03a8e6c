"""The sockets and the timer of one simulated chassis: does what ``Chassis`` decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ovsnet.bench.race import errno_name
from ovsnet.bench.storm.chassis import Act, Chassis
from ovsnet.bench.storm.conversation import ChassisEvent, Conversation
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.errors import PeerError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect, connect_once
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel

CONNECT_TIMEOUT = 3600.0
"""Seconds that ``io.connect`` may take to connect: the chassis itself decides when to give up."""


class ChassisConnection:
    """One chassis at work on the running loop, from ``begin`` until ``end``. What happens to it is added to
    ``measures``; ``joined_at`` is when the first of all chassis arrived."""

    __slots__ = (
        "_channel", "_connecting", "_ended", "_joined_at", "_loop", "_measures", "_probed_at", "_register", "_remotes",
        "_timer", "_tls", "chassis",
    )  # fmt: skip

    def __init__(
        self, chassis: Chassis, remotes: Sequence[Address], measures: StormMeasures, joined_at: float,
        *, tls: Tls | None, register: bool,
    ) -> None:  # fmt: skip
        self.chassis = chassis
        self._remotes = remotes
        self._measures = measures
        self._joined_at = joined_at
        self._tls = tls
        self._register = register
        self._loop = asyncio.get_running_loop()
        self._channel: Channel[ChassisEvent] | None = None
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
        if not self.chassis.connected:
            self._measures.connect_timeouts += 1
            return
        self._measures.gave_up += 1
        if not heard_at:
            # The kernel made the connection, and the server's backlog was full: it never learned of it.
            self._measures.gave_up_unheard += 1

    def _connect(self, now: float) -> None:
        address = self._remotes[self.chassis.remote]
        channel = _ChassisChannel(address, self.chassis.connecting(now, register=self._register), self)
        self._measures.connection_attempts += 1
        self._connecting = self._loop.create_task(self._attempt(channel))

    async def _attempt(self, channel: _ChassisChannel) -> None:
        try:
            if channel.address.scheme == "unix":
                await connect_once(channel)  # ovn-controller takes a full backlog for a failure, and backs off
            else:
                await connect(channel, timeout=CONNECT_TIMEOUT, tls=self._tls)
        except PeerError as error:
            channel.abort()
            self._connecting = None
            why, errors = errno_name(error), self._measures.connect_errors
            errors[why] = errors.get(why, 0) + 1
            self._fall(time.monotonic())
            self._arm(time.monotonic())
        except asyncio.CancelledError:
            channel.abort()
            raise

    def made(self, channel: Channel[ChassisEvent]) -> None:
        """The connection is there."""
        now = time.monotonic()
        self._connecting, self._channel = None, channel
        self.chassis.connected_at(now)
        self._arm(now)

    def heard(self, events: Sequence[ChassisEvent]) -> None:
        """The conversation has made progress."""
        for event in events:
            now = time.monotonic()
            if event is ChassisEvent.SYNCED and self.chassis.synced_at is None:
                self._record_sync(self.chassis.synced(now), now)
            elif event is ChassisEvent.ECHOED:
                self._measures.probe.record(int((now - self._probed_at) * 1e9))
            elif event is ChassisEvent.TURNED_AWAY:
                self._measures.turned_away += 1
                self.chassis.turned_away(now)
                self._drop()
                self._arm(now)
                return

    def _record_sync(self, outage: float | None, now: float) -> None:
        if outage is None:
            self._measures.join_to_synced.record(int((now - self._joined_at) * 1e9))
        else:
            self._measures.outage.record(int(outage * 1e9))

    def lost(self, channel: Channel[ChassisEvent], error: PeerError) -> None:
        """The server, or the network, ended the connection."""
        if channel is not self._channel:
            return
        if isinstance(error, ProtocolError):
            self._measures.bad_bytes += 1
        else:
            self._measures.closed_by_server += 1
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


class _ChassisChannel(Channel[ChassisEvent]):
    """Notifies the chassis before the first byte is sent: with TLS, the handshake is over by then."""

    def __init__(self, address: Address, conversation: Conversation, owner: ChassisConnection) -> None:
        super().__init__(address, conversation, owner.heard, lambda error: owner.lost(self, error))
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.closed.done():
            self._owner.made(self)
        super().connection_made(transport)
