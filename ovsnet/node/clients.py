"""The clients of a database server of this host, by the sockets on which it listens.

OVSDB says less: ``Connection.status`` counts the clients of remotes that are rows of a table, and none in a cluster
(ovsdb/ovsdb-server.c, ``update_remote_status``); ``memory/show`` has their sum. The kernel has a line of each
connection in /proc/PID/net, with the bytes that the other end has not taken (net/ipv4/tcp_ipv4.c, ``get_tcp4_sock``).
"""

from __future__ import annotations

import ipaddress
import os
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ovsnet.files import read_text
from ovsnet.node.unix_sockets import MOST_BYTES, open_sockets, unix_sockets

ESTABLISHED, LISTENS = "01", "0A"
"""TCP_ESTABLISHED and TCP_LISTEN of include/net/tcp_states.h."""

CONTROL = ".ctl"
"""How the names of control sockets end: a connection to one is not a client of a database."""

_LINE = re.compile(
    r"^ *\d+: [0-9A-F]+:(?P<port>[0-9A-F]{4}) (?P<host>[0-9A-F]+):(?P<from>[0-9A-F]{4}) (?P<state>[0-9A-F]{2}) "
    r"(?P<unsent>[0-9A-F]+):[0-9A-F]+ \S+ \S+ +\d+ +\d+ (?P<inode>\d+) ",
    re.MULTILINE,
)

UNIX_INODE, TCP_INODE = 6, 9
"""The columns of inodes in /proc/net/unix and in /proc/net/tcp."""

_UNIX_INODE = re.compile(r"^[0-9a-fA-F]+:(?: [0-9A-F]+){5} +(\d+)", re.MULTILINE)
"""Of any line of /proc/net/unix, named or not."""


class Client(msgspec.Struct, frozen=True):
    """One connection. ``at`` is where the server listens: a TCP port, or the name of a unix socket. ``host`` and
    ``port`` are the other end's, empty for a unix socket; of that one the bytes that are ``unsent`` are not known."""

    at: str
    inode: int
    host: str = ""
    port: int = 0
    unsent: int = 0


def clients(pid: int, proc: Path = Path("/proc")) -> list[Client] | None:
    """Those of a server; None when they cannot be read: it is gone, or another user's.

    It takes a line for each connection of its network namespace: seldom, and in a thread. To print a table of TCP the
    kernel walks all its hash buckets, which takes 6 ms on a host with 262,144 of them: it is not asked for one in which
    the server has no socket.
    """
    held, net = open_sockets(pid, proc), proc / str(pid) / "net"
    if held is None:
        return None
    inodes = frozenset(held)
    try:
        unix = _about(inodes, _read(net / "unix"), UNIX_INODE)
        lines = _lines_of(inodes - {int(inode) for inode in _UNIX_INODE.findall(unix)}, net)
    except OSError:
        return None
    return [*_of_tcp(lines), *_of_unix(unix)]


def tcp_peers(pid: int, proc: Path = Path("/proc")) -> frozenset[tuple[str, int]] | None:
    """The other ends of a process's TCP connections, by address and port; None when they cannot be read. For a thread,
    as ``clients``."""
    held = open_sockets(pid, proc)
    try:
        lines = _lines_of(frozenset(held or ()), proc / str(pid) / "net")
    except OSError:
        return None
    ends = (line for line in lines if line["state"] == ESTABLISHED)
    return None if held is None else frozenset((_address(end["host"]), int(end["from"], 16)) for end in ends)


def _lines_of(inodes: frozenset[int], net: Path) -> list[re.Match[str]]:
    """Those of the tables of TCP that are about these sockets."""
    lines: list[re.Match[str]] = []
    for name in ("tcp", "tcp6"):
        if inodes:
            lines += _LINE.finditer(_about(inodes, _read(net / name), TCP_INODE))
            inodes -= {int(line["inode"]) for line in lines}
    return lines


def _about(inodes: Iterable[int], table: str, column: int) -> str:
    """The lines of a table that have one of these in a column: a pattern tried on each line of a host's takes four
    times as long."""
    wanted = set(map(str, inodes))
    lines = ((line, line.split(None, column + 1)) for line in table.split("\n"))
    return "\n".join(line for line, words in lines if len(words) > column and words[column] in wanted)


def _of_tcp(lines: Sequence[re.Match[str]]) -> Iterator[Client]:
    ports = {line["port"] for line in lines if line["state"] == LISTENS}
    for line in lines:
        if line["state"] == ESTABLISHED and line["port"] in ports:
            yield Client(
                at=str(int(line["port"], 16)),
                inode=int(line["inode"]),
                host=_address(line["host"]),
                port=int(line["from"], 16),
                unsent=int(line["unsent"], 16),
            )


def _of_unix(table: str) -> Iterator[Client]:
    """An accepted socket carries its listener's path."""
    for each in unix_sockets(table):
        if not each.listens and not each.path.endswith(CONTROL):
            yield Client(at=os.path.basename(each.path), inode=each.inode)


def _address(words: str) -> str:
    """The kernel prints each four bytes as one number, in its own order of bytes."""
    numbers = [int(words[place : place + 8], 16) for place in range(0, len(words), 8)]
    packed = struct.pack(f"={len(numbers)}I", *numbers)
    address = ipaddress.ip_address(packed)
    return str((address.ipv4_mapped if address.version == 6 else None) or address)


def _read(path: Path) -> str:
    try:
        return read_text(path, MOST_BYTES)
    except FileNotFoundError:  # a kernel without IPv6
        return ""
