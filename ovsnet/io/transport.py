"""A connected byte stream with a sans-IO core at its end.

Bytes go straight into the core from one ``asyncio.Protocol``: a stream per connection costs four to seven times the
CPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, cast

from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError, ProtocolError, ProtocolFlood, TlsFailed
from ovsnet.io.address import Address
from ovsnet.io.deadline import require_seconds
from ovsnet.io.ending import Ending
from ovsnet.io.inflow import PASS, Inflow
from ovsnet.io.pending import after_next_poll
from ovsnet.texts import seconds

Event = TypeVar("Event")
Event_co = TypeVar("Event_co", covariant=True)

CLOSE_PATIENCE = 0.2
"""Seconds for a close to send what is queued. A frozen peer reads nothing."""


MAX_UNREAD_ANSWERS = 4 << 20
"""Bytes that wait for a peer whose echo requests we answer. OVS has one such request in flight."""


class Core(Protocol[Event_co]):
    """A sans-IO protocol: bytes in, events and bytes out. Raises ProtocolError, and nothing else."""

    def receive_data(self, data: bytes, /) -> Sequence[Event_co]: ...

    def data_to_send(self) -> bytes: ...

    def eof_received(self) -> None: ...


class Endpoint(asyncio.Protocol):
    """Our end of a connection: a ``Channel``, or something lighter."""

    address: Address


class Channel(Endpoint, Generic[Event]):
    """One connected byte stream, with a sans-IO core at its end.

    ``on_events`` gets what the core made of the bytes; ``on_lost`` is told once, with the reason, when the stream is
    over. With an ``inflow`` the peer is read no faster than that says.
    """

    def __init__(
        self,
        address: Address,
        core: Core[Event],
        on_events: Callable[[Sequence[Event]], None],
        on_lost: Callable[[PeerError], None],
        inflow: Inflow | None = None,
    ) -> None:
        self.address = address
        self.peer_pid: int | None = None
        self.heard_at = 0.0
        """When the last bytes came, in ``time.monotonic``: a peer that sends bytes is alive."""
        self._core = core
        self._on_events = on_events
        self._on_lost = on_lost
        self._inflow = inflow
        self._unread = b""
        self._rest: asyncio.Handle | None = None
        self._transport: asyncio.Transport | None = None
        self.closed = Ending()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def lost(self) -> PeerError | None:
        """Why the stream ended, or None while it lives."""
        return self.closed.result() if self.closed.done() else None

    @property
    def congested(self) -> bool:
        """True while the peer does not take what we wrote."""
        return not self._room.is_set()

    def write(self, data: bytes) -> None:
        """Queue bytes. Ask ``congested`` first where the amount is not small."""
        if self._transport is not None and not self.closed.done():
            self._transport.write(data)

    def asked(self) -> None:
        """What was just written wants an answer, or what has just come was wanted."""
        if self._inflow is not None:
            self._inflow.asked()

    def flush(self) -> None:
        """Write what the core wants to send."""
        if data := self._core.data_to_send():
            self.write(data)

    def answer(self) -> None:
        """Write what the core wants to send because the peer asked for it. One that reads no answers is given up."""
        if data := self._core.data_to_send():
            self._answer(data)

    async def room(self, timeout: float) -> None:
        """Wait until the peer takes bytes again. Raises DeadlineExceeded after ``timeout`` seconds, or why the stream
        ended."""
        try:
            async with asyncio.timeout(require_seconds(timeout)):
                while self.congested:  # another waiter may have used the room up
                    await self._room.wait()
        except TimeoutError:
            await after_next_poll()
            if self.congested:
                raise DeadlineExceeded(
                    f"{self.address} has read nothing of what we sent for {seconds(timeout)}."
                ) from None
        if self.lost is not None:
            raise self.lost

    async def aclose(self) -> None:
        """Send what is queued, close, and return when the stream is over. A peer that does not read is not waited
        for."""
        if self._transport is not None and not self.closed.done():
            self._transport.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closed, CLOSE_PATIENCE)
        self.abort()

    def abort(self, why: PeerError | None = None) -> None:
        """Close now, whatever is queued; ``why`` becomes the reason of the end."""
        self._end(why or ConnectionLost(f"The connection to {self.address} was closed by us."))

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by shape, not by class
        if self.closed.done():  # given up while it was connecting
            self._transport.abort()
            return
        self.peer_pid = _peer_pid(transport)
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.closed.done():
            return
        self.heard_at = time.monotonic()
        if self._inflow is None:
            self._take(data)
        else:
            self._inflow.read(len(data), self.heard_at)
            self._unread += data
            if self._rest is None:
                self._take_some(self._inflow)

    def _take_some(self, inflow: Inflow) -> None:
        """As much as one pass of the loop may take. What is left waits, and nothing more is read meanwhile."""
        self._rest = None
        data, at = self._unread, 0
        began = now = time.monotonic()
        pause = 0.0
        while at < len(data) and not self.closed.done() and not pause and now - began < PASS:
            piece = data[at : at + inflow.piece]
            at += len(piece)
            self._take(piece)
            before, now = now, time.monotonic()
            pause = inflow.took(len(piece), now, now - before)
        self._unread = data[at:]
        if self.closed.done():
            return
        if inflow.is_flood(now):
            self._end(ProtocolFlood(f"{self.address} sends unrequested messages without end."))
        elif self._unread or pause:
            self._pause_reading()
            loop = asyncio.get_running_loop()
            self._rest = loop.call_later(pause, self._take_some, inflow)
        elif self._transport is not None:
            self._transport.resume_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def _take_rest(self) -> None:
        """The stream is over: what it said before comes first."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        data, self._unread = self._unread, b""
        if data and not self.closed.done():
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            events = self._core.receive_data(data)
        except ProtocolError as error:
            if error.events:
                self._on_events(cast("Sequence[Event]", error.events))
            self._end(self._located(error))
            return
        if answer := self._core.data_to_send():
            self._answer(answer)
        if events:
            self._on_events(events)

    def eof_received(self) -> None:
        self._take_rest()
        try:
            self._core.eof_received()
        except PeerError as error:
            self._end(self._located(error))
        else:
            self._end(self._ended_by_peer("it closed the connection"))

    def connection_lost(self, error: Exception | None) -> None:
        self._take_rest()
        if isinstance(error, ssl.SSLError):
            self._end(TlsFailed(f"TLS with {self.address} failed: {error}."))
        else:
            self._end(self._ended_by_peer(f"it broke: {error}" if error else "it is closed"))

    def _ended_by_peer(self, how: str) -> PeerError:
        """TLS 1.3 lets us finish the handshake before the peer has looked at our certificate. One that then closes
        without a byte has not accepted it."""
        if self.address.scheme == "ssl" and not self.heard_at:
            return TlsFailed(f"TLS with {self.address} failed: {how} before it said anything.")
        return ConnectionLost(f"The connection to {self.address} was lost: {how}.")

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _answer(self, data: bytes) -> None:
        """Write what the peer asked for: nobody asks ``congested`` for it, so it has a bound of its own."""
        self.write(data)
        if self._transport is not None and self._transport.get_write_buffer_size() > MAX_UNREAD_ANSWERS:
            self._end(ProtocolError(f"{self.address} asks on and on, and reads none of our answers."))

    def _located(self, error: PeerError) -> PeerError:
        """The core knows what is wrong, and not on which socket."""
        located = type(error)(f"{self.address}: {str(error).rstrip('.')}.", remedy=error.remedy)
        located.__cause__ = error
        return located

    def _end(self, error: PeerError) -> None:
        if self.closed.done():
            return
        _forget_frames(error)
        self.closed.come(error)
        self._unread = b""
        if self._rest is not None:
            self._rest.cancel()
        self._room.set()
        if self._transport is not None:
            self._transport.abort()
        self._on_lost(error)


def _forget_frames(error: BaseException) -> None:
    """It is kept as the reason of the end, and its frames would keep what they were at: a message of megabytes."""
    pending: list[BaseException | None] = [error]
    while pending:
        if (each := pending.pop()) is not None:
            each.__traceback__ = None
            pending += (each.__cause__, each.__context__)


_UCRED = struct.Struct("3i")


def _peer_pid(transport: asyncio.BaseTransport) -> int | None:
    """The process that listens at the other end of a unix socket (unix(7), SO_PEERCRED).

    The kernel gives 0 for a process of a pid namespace that we cannot see; that is None here.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    pid: int = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))[0]
    return pid or None
