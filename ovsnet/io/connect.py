"""Open connections, and say exactly why one did not come to be.

Two things are done here because the libraries get them wrong:

* A unix ``connect()`` on a full backlog says EAGAIN at once. asyncio takes that for "in progress" and reports
  success, anyio spins, ``socket.settimeout`` is ignored (cpython#117208). Here EAGAIN means: close, wait a jittered
  moment, try again until the deadline, then ``BacklogFull``.
* ENOENT, ECONNREFUSED, EAGAIN and EACCES are four different states of a daemon, so they are four different errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import select
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    ConnectError,
    ConnectionRefused,
    DeadlineExceeded,
    NameUnresolved,
    OwnLimit,
    PermissionDenied,
    SocketMissing,
    TlsFailed,
    Unreachable,
    own_limit,
)
from ovsnet.io.address import Address
from ovsnet.io.deadline import require_seconds
from ovsnet.io.nofile import require_descriptor
from ovsnet.io.rights import BY_POLICY, refusal
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Endpoint
from ovsnet.texts import seconds

FIRST_RETRY = 0.001
LONGEST_RETRY = 0.050
"""Seconds between attempts on a full backlog. OVS accepts one connection per bridge and main-loop pass (connmgr.c,
``ofservice_run``), so room appears within a millisecond on a healthy switch; on a stuck one 20 attempts a second are
plenty."""


def backlog_pauses(rng: random.Random) -> Iterator[float]:
    """How long to wait after each attempt that met a full backlog: twice as long each time, and jittered, so that
    clients that were refused together do not come back together."""
    delay = FIRST_RETRY
    while True:
        yield delay * rng.uniform(0.5, 1.5)
        delay = min(delay * 2, LONGEST_RETRY)


async def connect(
    channel: Endpoint, *, timeout: float, tls: Tls | None = None, rng: random.Random | None = None
) -> None:
    """Connect ``channel`` to its address within ``timeout`` seconds.

    Raises the ConnectError that fits; OwnLimit when we have no descriptor left; ConfigError for ``ssl:`` without usable
    files; DeadlineExceeded when the peer accepts and does not finish the TLS handshake. A listener whose backlog is
    full is tried again until the deadline.
    """
    address = channel.address
    loop = asyncio.get_running_loop()
    context = _tls_context(address, tls)
    deadline = loop.time() + require_seconds(timeout)
    sock = await _connect_socket(address, deadline, timeout, rng or random.Random())
    try:
        if address.scheme == "unix":
            await loop.create_unix_connection(lambda: channel, sock=sock)
            return
        async with asyncio.timeout_at(deadline if context else None):
            name = address.host if context else None
            await loop.create_connection(lambda: channel, sock=sock, ssl=context, server_hostname=name)
    except TimeoutError:
        raise DeadlineExceeded(
            f"{address} accepted, and finished no TLS handshake within {seconds(timeout)}."
        ) from None
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
    """uvloop closes the descriptor itself, and does not notify the socket object of a connection that ended before it
    was awaited: the object's deletion would then close whatever has got the same number since."""
    if not isinstance(loop, asyncio.BaseEventLoop):
        sock.detach()


async def _connect_socket(address: Address, deadline: float, timeout: float, rng: random.Random) -> socket.socket:
    try:
        if address.scheme == "unix":
            return await _connect_unix(address, deadline, rng)
        return await _connect_ip(address, deadline)
    except socket.gaierror as error:
        require_descriptor()
        raise NameUnresolved(f"The host of {address} cannot be resolved: {error.strerror or error}.") from error
    except TimeoutError:
        raise Unreachable(
            f"{address} did not accept within {seconds(timeout)}.",
            remedy="Check the address, the route and the firewall.",
        ) from None
    except OSError as error:
        raise connect_error(address, error) from error


async def _connect_unix(address: Address, deadline: float, rng: random.Random) -> socket.socket:
    """No attempt waits, so the deadline only ends the retries. One that passed in a stall of ours costs no attempt."""
    loop = asyncio.get_running_loop()
    for pause in backlog_pauses(rng):
        try:
            return try_connect_unix(address)
        except BacklogFull:
            if loop.time() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
    raise AssertionError  # the pauses never end


async def _connect_ip(address: Address, deadline: float) -> socket.socket:
    """Try each address of the name, and give each an equal share of what time is left: an IPv6 address that leads
    nowhere must leave some for the others. ``create_connection`` tries them too, and makes of several errors one
    without errno. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    places = await _resolve(address, deadline)
    for number, (family, kind, protocol, _, place) in enumerate(places):
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        now = loop.time()
        try:
            ended = await _attempt(sock, place, now + (deadline - now) / (len(places) - number))
        except BaseException:
            sock.close()
            raise
        if ended == 0:
            return sock
        sock.close()
        if ended is not None and (failure is None or isinstance(failure, TimeoutError)):
            failure = OSError(ended, os.strerror(ended))
        failure = failure or TimeoutError()
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


async def _attempt(sock: socket.socket, place: tuple[Any, ...], deadline: float) -> int | None:
    """The errno with which an attempt has ended, 0 when it is connected; None when it goes on at the deadline. One that
    ended in a stall of ours ended all the same: ``sock_connect`` would have taken its errno along (connect(2),
    EINPROGRESS)."""
    if (found := sock.connect_ex(place)) != errno.EINPROGRESS:
        return found
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    loop.add_writer(sock, writable.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await writable.wait()
    finally:
        loop.remove_writer(sock)
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if poll.poll(0) else None


def try_connect_unix(address: Address) -> socket.socket:
    """Connect once, without waiting. A unix connect never is "in progress": it succeeds or fails at once."""
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise connect_error(address, error) from error
    try:
        sock.connect(address.path)
    except OSError as error:
        sock.close()
        raise connect_error(address, error) from error
    return sock


def connect_error(address: Address, error: OSError) -> ConnectError | OwnLimit:
    """The error of the tree that an errno of ``socket()`` or ``connect()`` means."""
    if (own := own_limit(error)) is not None:
        return own
    match error.errno:
        case errno.ENOENT:
            return SocketMissing(f"{address} does not exist.")
        case errno.ECONNREFUSED:
            return ConnectionRefused(f"Nobody listens on {address}.")
        case errno.EAGAIN:
            return BacklogFull(f"{address} accepts no connection: its backlog is full.")
        case errno.EACCES | errno.EPERM:
            return _denied(address)
    return Unreachable(f"{address} cannot be reached: {error.strerror or error}.")


def _denied(address: Address) -> PermissionDenied:
    """At a port a filter gives EPERM: netfilter, or BPF as for IPAddressDeny= (systemd.resource-control(5))."""
    if address.scheme != "unix":
        return PermissionDenied(
            f"This host forbids ovsnet to connect to {address}.",
            remedy="Allow it in the host's firewall (`nft list ruleset`), or in IPAddressAllow= of ovsnet's service.",
        )
    shown = address.path if os.path.isdir(address.path) else address
    said = f"User {os.geteuid()} may not open {shown}"
    if (found := refusal(address.path)) is None:
        return PermissionDenied(f"{said}.", remedy=BY_POLICY)
    return PermissionDenied(f"{said}: {found.cause(address.path)}.", remedy=found.remedy)


def _tls_context(address: Address, tls: Tls | None) -> ssl.SSLContext | None:
    if address.scheme != "ssl":
        return None
    if tls is None:
        raise ConfigError(
            f"{address} needs TLS files, and none are configured.",
            remedy="Set tls_key, tls_certificate and tls_ca.",
        )
    return tls.context()
