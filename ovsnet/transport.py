"""Open sockets, move bytes, and say exactly why it did not work.

The only module of ovsnet that opens sockets. Three things are done here because the libraries get them wrong:

* A unix ``connect()`` on a full backlog says EAGAIN at once. asyncio takes that for "in progress" and reports
  success, anyio spins, ``socket.settimeout`` is ignored (cpython#117208). Here EAGAIN means: close, wait a jittered
  moment, try again until the deadline, then ``BacklogFull``.
* ENOENT, ECONNREFUSED, EAGAIN and EACCES are four different states of a daemon, so they are four different errors.
* Bytes go straight into a sans-IO core from one ``asyncio.Protocol``: a stream per connection costs four to seven
  times the CPU.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from ovsnet.address import Address
from ovsnet.calls import after_next_poll
from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    ConnectError,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    PeerError,
    PermissionDenied,
    ProtocolError,
    SocketMissing,
    TlsFailed,
    Unreachable,
)
from ovsnet.tls import Tls as Tls

Event = TypeVar("Event")
Event_co = TypeVar("Event_co", covariant=True)

FIRST_RETRY = 0.001
LONGEST_RETRY = 0.050
"""Seconds between attempts on a full backlog. OVS accepts one connection per bridge and main-loop pass (connmgr.c,
``ofservice_run``), so room appears within a millisecond on a healthy switch; on a stuck one 20 attempts a second are
plenty."""


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
    over.
    """

    def __init__(
        self,
        address: Address,
        core: Core[Event],
        on_events: Callable[[Sequence[Event]], None],
        on_lost: Callable[[PeerError], None],
    ) -> None:
        self.address = address
        self.peer_pid: int | None = None
        self.heard_at = 0.0
        """When the last bytes came, in ``time.monotonic``: whoever sends bytes lives."""
        self._core = core
        self._on_events = on_events
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[PeerError] = asyncio.get_running_loop().create_future()
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

    def flush(self) -> None:
        """Write what the core wants to send."""
        if data := self._core.data_to_send():
            self.write(data)

    async def room(self, timeout: float) -> None:
        """Wait until the peer takes bytes again. Raises DeadlineExceeded after ``timeout`` seconds, or why the stream
        ended."""
        try:
            async with asyncio.timeout(timeout):
                while self.congested:  # who was woken first may have filled the room again
                    await self._room.wait()
        except TimeoutError:
            await after_next_poll()
            if self.congested:
                raise DeadlineExceeded(f"{self.address} has read nothing of what we sent for {timeout:g} s.") from None
        if self.lost is not None:
            raise self.lost

    async def aclose(self) -> None:
        """Send what is queued, close, and return when the stream is over. A peer that does not read is not waited
        for."""
        if self._transport is not None and not self.closed.done():
            self._transport.close()
            await asyncio.wait([self.closed], timeout=CLOSE_PATIENCE)
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
        try:
            self._core.eof_received()
        except PeerError as error:
            self._end(error)
        else:
            self._end(ConnectionLost(f"{self.address} closed the connection."))

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, ssl.SSLError):
            # TLS 1.3 lets us finish the handshake before the peer has looked at our certificate.
            self._end(TlsFailed(f"TLS with {self.address} failed: {error}."))
            return
        why = f"broke: {error}." if error else "is closed."
        self._end(ConnectionLost(f"The connection to {self.address} {why}"))

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _answer(self, data: bytes) -> None:
        """Write what the core answers by itself: nobody asks ``congested`` for it, so it has a bound of its own."""
        assert self._transport is not None
        self.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNREAD_ANSWERS:
            self._end(ProtocolError(f"{self.address} asks on and on, and reads none of our answers."))

    def _located(self, error: ProtocolError) -> ProtocolError:
        """The core knows what is wrong, and not on which socket."""
        located = type(error)(f"{self.address}: {str(error).rstrip('.')}.", remedy=error.remedy)
        located.__cause__ = error
        return located

    def _end(self, error: PeerError) -> None:
        if self.closed.done():
            return
        self.closed.set_result(error)
        self._room.set()
        if self._transport is not None:
            self._transport.abort()
        self._on_lost(error)


async def connect(
    channel: Endpoint, *, timeout: float, tls: Tls | None = None, rng: random.Random | None = None
) -> None:
    """Connect ``channel`` to its address within ``timeout`` seconds.

    Raises the ConnectError that fits; ConfigError for ``ssl:`` without usable files; DeadlineExceeded when the peer
    accepts and does not finish the TLS handshake. A listener whose backlog is full is tried again until the deadline.
    """
    address = channel.address
    loop = asyncio.get_running_loop()
    context = _tls_context(address, tls)
    deadline = loop.time() + timeout
    sock = await _connect_socket(address, deadline, timeout, rng or random.Random())
    try:
        if address.scheme == "unix":
            await loop.create_unix_connection(lambda: channel, sock=sock)
            return
        async with asyncio.timeout_at(deadline if context else None):
            name = address.host if context else None
            await loop.create_connection(lambda: channel, sock=sock, ssl=context, server_hostname=name)
    except TimeoutError:
        raise DeadlineExceeded(f"{address} accepted, and finished no TLS handshake within {timeout:g} s.") from None
    except OSError as error:
        if context is None:
            raise connect_error(address, error) from error
        raise TlsFailed(f"TLS with {address} failed: {str(error) or 'it closed the connection'}.") from error
    finally:
        _let_go(sock, loop)


async def connect_once(channel: Endpoint) -> None:
    """Connect to a unix socket in one attempt, which does not wait. Raises the ConnectError that fits."""
    loop = asyncio.get_running_loop()
    sock = try_connect_unix(channel.address)
    try:
        await loop.create_unix_connection(lambda: channel, sock=sock)
    finally:
        _let_go(sock, loop)


def _let_go(sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """uvloop closes the descriptor itself, and forgets to tell the socket object of a connection that ended before it
    was awaited: the object's deletion would then close whatever has got the same number since."""
    if not isinstance(loop, asyncio.BaseEventLoop):
        sock.detach()


async def _connect_socket(address: Address, deadline: float, timeout: float, rng: random.Random) -> socket.socket:
    try:
        if address.scheme == "unix":
            return await _connect_unix(address, deadline, rng)
        return await _connect_ip(address, deadline)
    except TimeoutError:
        raise Unreachable(
            f"{address} did not accept within {timeout:g} s.", remedy="Check the address, the route and the firewall."
        ) from None
    except OSError as error:
        raise connect_error(address, error) from error


async def _connect_unix(address: Address, deadline: float, rng: random.Random) -> socket.socket:
    """No attempt waits, so the deadline only ends the retries. One that passed in a stall of ours costs no attempt."""
    loop = asyncio.get_running_loop()
    delay = FIRST_RETRY
    while True:
        try:
            return try_connect_unix(address)
        except BacklogFull:
            wait = delay * rng.uniform(0.5, 1.5)
            if loop.time() + wait >= deadline:
                raise
        await asyncio.sleep(wait)
        delay = min(delay * 2, LONGEST_RETRY)


async def _connect_ip(address: Address, deadline: float) -> socket.socket:
    """Try each address of the name. ``create_connection`` does so too, and makes of several errors one without
    errno. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for family, kind, protocol, _, place in await _resolve(address, deadline):
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        try:
            async with asyncio.timeout_at(deadline):
                await loop.sock_connect(sock, place)
        except TimeoutError:
            if _is_connected(sock):
                return sock  # the deadline passed in a stall of ours
            sock.close()
            raise
        except OSError as error:
            sock.close()
            failure = failure or error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure or OSError(f"{address.host} has no address")


async def _resolve(address: Address, deadline: float) -> list[tuple[Any, ...]]:
    """The places of an address. A number needs no thread, which a busy host may be slow to run."""
    try:
        return socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    except socket.gaierror:
        async with asyncio.timeout_at(deadline):
            loop = asyncio.get_running_loop()
            return await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)


def _is_connected(sock: socket.socket) -> bool:
    """Whether an attempt has come to a good end that nobody was told of yet (connect(2), EINPROGRESS)."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(0)) and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def try_connect_unix(address: Address) -> socket.socket:
    """Connect once, without waiting. A unix connect never is "in progress": it succeeds or fails at once."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(address.path)
    except OSError as error:
        sock.close()
        raise connect_error(address, error) from error
    return sock


def connect_error(address: Address, error: OSError) -> ConnectError:
    """The error of the tree that an errno of ``connect()`` means."""
    match error.errno:
        case errno.ENOENT:
            return SocketMissing(f"{address} does not exist.")
        case errno.ECONNREFUSED:
            return ConnectionRefused(f"Nobody listens on {address}.")
        case errno.EAGAIN:
            return BacklogFull(f"{address} accepts nobody: its backlog is full.")
        case errno.EACCES | errno.EPERM:
            return PermissionDenied(f"User {os.geteuid()} may not open {address}.")
    return Unreachable(f"{address} cannot be reached: {error.strerror or error}.")


def _tls_context(address: Address, tls: Tls | None) -> ssl.SSLContext | None:
    if address.scheme != "ssl":
        return None
    if tls is None:
        raise ConfigError(
            f"{address} needs TLS files, and none are configured.",
            remedy="Set tls_key, tls_certificate and tls_ca.",
        )
    return tls.context()


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
