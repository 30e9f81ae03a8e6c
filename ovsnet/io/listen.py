"""Sockets to serve on: our own, or those a service manager opened for us."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
import struct
from collections.abc import Mapping

import msgspec

from ovsnet.deadlines import BACKLOG
from ovsnet.errors import ConfigError, ConnectError, ConnectionRefused, UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.io.connect import try_connect_unix
from ovsnet.io.http_address import HttpAddress
from ovsnet.texts import whole_number

SEND_BUFFER = 65536
"""Bytes of our answers that the kernel keeps for a client, and as many again for itself (socket(7), SO_SNDBUF). It
would let that grow to megabytes for every client that does not read (tcp(7), tcp_wmem). A scrape is some 10 kB."""

FIRST_INHERITED = 3
"""The first descriptor that a service manager passes (sd_listen_fds(3), SD_LISTEN_FDS_START)."""

SECURE = "ssl"
"""Scheme of an address, and ``FileDescriptorName=`` of a passed socket, behind which HTTPS is spoken."""


class Access(msgspec.Struct, frozen=True):
    """Who may connect to a unix socket: its mode, and its group's name if that is not to be ours. Whether others of our
    user may listen at the same TCP address (``shared``)."""

    mode: int = 0o660
    group: str = ""
    shared: bool = False


OURS = Access()


class Listener(msgspec.Struct, frozen=True):
    """A listening socket, the URL that reaches it, and whether TLS is spoken there. ``made`` is the file of a unix
    socket that we made: one that was passed to us is not ours to touch, and a connection to it would start us again."""

    sock: socket.socket
    url: str
    secure: bool = False
    made: str = ""

    def accepting(self, queue: int) -> socket.socket:
        """A copy to accept on: its end leaves the socket and its queue alone. ``queue`` connections wait there, in the
        kernel, and get ``SEND_BUFFER``."""
        self.sock.listen(queue)
        copy = self.sock.dup()
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # accept(2) hands it on
        return copy

    def close(self) -> None:
        """Close it, and remove its file unless another process listens there by now."""
        self.sock.close()
        if self.made and _is_socket(self.made) and not _answers(self.made):
            os.unlink(self.made)


def listen(text: str, access: Access = OURS) -> Listener:
    """Listen on an address as ``HttpAddress.parse`` reads it.

    Raises AddressError for a bad address, UnfitEnvironment when it cannot be had. A stale unix socket is replaced,
    one that answers is not.
    """
    address = HttpAddress.parse(text, any_port=True)
    try:
        if address.scheme == "unix":
            return Listener(_listen_unix(address, access), f"http+unix://{address.path}", made=address.path)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        # SO_REUSEPORT (socket(7)): all sockets that share an address must set it, and belong to one user.
        sock = socket.create_server(
            (address.host, address.port), family=family, backlog=BACKLOG, reuse_port=access.shared
        )
    except OSError as error:
        raise _cannot_listen(text, error) from error
    return Listener(sock, _url(sock, address.host, address.scheme), secure=address.scheme == SECURE)


REMEDIES = {
    errno.EADDRINUSE: "See which process listens there (`ss -lp`), or name another address with --listen.",
    errno.EADDRNOTAVAIL: "Name an address that an interface of this host has, with --listen.",
    errno.EACCES: "Name a port from 1024 on, or a directory in which this user may write, with --listen.",
}


def _cannot_listen(text: str, error: OSError) -> UnfitEnvironment:
    """``socket.create_server`` adds the address, as Python writes it, to what the kernel says."""
    why = os.strerror(error.errno) if error.errno in REMEDIES else error.strerror or str(error)
    remedy = REMEDIES.get(error.errno or 0, "Name another address with --listen.")
    return UnfitEnvironment(f"Cannot listen on {text}: {why}.", remedy=remedy)


def inherited(environ: Mapping[str, str], pid: int) -> list[Listener]:
    """The sockets that a service manager has passed to process ``pid``; none when it passed none.

    Raises UnfitEnvironment when what it passed is not a listening stream socket.
    """
    count = whole_number(environ.get("LISTEN_FDS", ""))
    if environ.get("LISTEN_PID") != str(pid) or count is None:
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    return [_inherit(FIRST_INHERITED + index, names[index] if index < len(names) else "") for index in range(count)]


def discard_unsent(sock: socket.socket | None) -> None:
    """Let the end of this connection be a reset. The kernel would keep and offer what nobody reads, for minutes after
    its close (socket(7), SO_LINGER). One that is closed has nothing to keep: uvloop's transports then have no socket,
    or one without a descriptor, which is a ValueError."""
    if sock is not None:
        with contextlib.suppress(OSError, ValueError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _inherit(descriptor: int, name: str) -> Listener:
    try:
        os.set_inheritable(descriptor, False)
        sock = socket.socket(fileno=descriptor)
        listening = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        place = sock.getsockname()
    except OSError as error:
        raise UnfitEnvironment(
            f"Descriptor {descriptor}, passed to ovsnet, is not a socket: {error.strerror}."
        ) from error
    if not listening:
        sock.close()
        raise UnfitEnvironment(
            f"Descriptor {descriptor}, passed to ovsnet, is not a listening stream socket.",
            remedy="Use ListenStream= and Accept=no in the socket unit.",
        )
    if sock.family == socket.AF_UNIX:
        return Listener(sock, f"http+unix://{place}")
    return Listener(sock, _url(sock, place[0], name), secure=name == SECURE)


def _url(sock: socket.socket, host: str, scheme: str) -> str:
    shown = f"[{host}]" if sock.family == socket.AF_INET6 else host
    return f"http{'s' if scheme == SECURE else ''}://{shown}:{sock.getsockname()[1]}"


def _listen_unix(address: Address, access: Access) -> socket.socket:
    try:
        try_connect_unix(address).close()
    except ConnectionRefused:
        # The kernel refuses a connection to any file that is not a socket, too (net/unix/af_unix.c, unix_find_bsd).
        if _is_socket(address.path):
            os.unlink(address.path)
    except ConnectError:
        pass
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The file gets the mode of the socket's own inode (net/unix/af_unix.c, unix_bind), so it never has another.
        os.fchmod(sock.fileno(), access.mode)
        group = _group_id(access.group)
        umask = os.umask(0)
        try:
            sock.bind(address.path)
        finally:
            os.umask(umask)
        if group >= 0:
            _give_to(address.path, group)
        sock.listen(BACKLOG)
    except (OSError, ConfigError):
        sock.close()
        raise
    return sock


def _give_to(path: str, group: int) -> None:
    """Another process that may write the directory may put something else there meanwhile: only a socket of ours is
    given away, and nobody can connect before listen()."""
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(errno.EEXIST, "another process put something else there", path)
        os.chown(f"/proc/self/fd/{descriptor}", -1, group)
    finally:
        os.close(descriptor)


def _group_id(name: str) -> int:
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError(f"There is no group {name!r} on this host.", remedy="Correct socket_group.") from None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _answers(path: str) -> bool:
    try:
        try_connect_unix(Address.unix(path)).close()
    except ConnectionRefused:
        return False
    except ConnectError:
        return True
    return True
