"""Which two unix sockets are connected to one another: the kernel says so by sock_diag(7), and /proc/net/unix does not.

A request for a dump, and messages until NLMSG_DONE; each has a fixed head and attributes (linux/unix_diag.h).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 0x1
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
ESTABLISHED = 1 << 1
"""The bit of TCP_ESTABLISHED, which is what a connected unix socket counts as."""

SHOW_PEER = 0x4
ATTRIBUTE_PEER = 2

HEADER = struct.Struct("=IHHII")
"""``struct nlmsghdr``: length, type, flags, sequence number, port."""

REQUEST = struct.Struct("=BBHIIIII")
"""``struct unix_diag_req``: family, protocol, padding, states, inode, what to show, and a cookie of two words."""

ENTRY = struct.Struct("=BBBBIII")
"""``struct unix_diag_msg``: family, type, state, padding, inode, and a cookie of two words."""

ATTRIBUTE = struct.Struct("=HH")
"""``struct nlattr``: length and type; padded to four bytes."""

TIMEOUT = 1.0
"""Seconds. The kernel answers at once."""


def unix_peers() -> dict[int, int] | None:
    """The inode of the other end, by inode, of each connected unix socket of our network namespace. None where the
    kernel does not say so: without ``unix_diag``, or not to us."""
    question = REQUEST.pack(socket.AF_UNIX, 0, 0, ESTABLISHED, 0, SHOW_PEER, 0, 0)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    message = HEADER.pack(HEADER.size + len(question), SOCK_DIAG_BY_FAMILY, flags, 1, 0) + question
    found: dict[int, int] = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(TIMEOUT)
            kernel.send(message)
            while True:
                for kind, body in messages(kernel.recv(1 << 16)):
                    if kind == NLMSG_ERROR:
                        return None
                    if kind == NLMSG_DONE:
                        return found
                    found |= peer(body)
    except (OSError, struct.error):
        return None


def messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each netlink message. Raises struct.error where one is cut off."""
    while datagram:
        length, kind, *_ = HEADER.unpack_from(datagram)
        if not HEADER.size <= length <= len(datagram):
            raise struct.error("a netlink message is cut off")
        yield kind, datagram[HEADER.size : length]
        datagram = datagram[_aligned(length) :]


def peer(body: bytes) -> dict[int, int]:
    """The inode of an entry and of its peer; empty where it has none. Raises struct.error where it is cut off."""
    inode = ENTRY.unpack_from(body)[4]
    attributes = body[ENTRY.size :]
    while attributes:
        length, kind = ATTRIBUTE.unpack_from(attributes)
        if length < ATTRIBUTE.size:
            raise struct.error("a netlink attribute is cut off")
        if kind == ATTRIBUTE_PEER:
            return {inode: struct.unpack_from("=I", attributes, ATTRIBUTE.size)[0]}
        attributes = attributes[_aligned(length) :]
    return {}


def _aligned(length: int) -> int:
    return (length + 3) & ~3
