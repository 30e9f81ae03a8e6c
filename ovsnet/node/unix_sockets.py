"""Which unix sockets exist, and which of them a process listens on; read from /proc, without connecting to any.

/proc/net/unix has a line for each socket of one network namespace (net/unix/af_unix.c, ``unix_seq_show``), and
/proc/PID/fd a link ``socket:[INODE]`` for each that a process has open.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

import msgspec

from ovsnet.files import read_bytes

ACCEPTS = 1 << 16
"""``__SO_ACCEPTCON`` in the flags' column (include/linux/net.h): the socket listens."""

MOST_BYTES = 32 << 20
"""Of one table: 300,000 sockets. What is larger is not read."""

MOST_DESCRIPTORS = 1 << 17
"""Of one process: twice what ovs-ctl allows ovs-vswitchd. A process with more is not read."""

_LINE = re.compile(
    r"^[0-9a-fA-F]+: [0-9A-F]+ [0-9A-F]+ (?P<flags>[0-9A-F]+) [0-9A-F]+ [0-9A-F]+ +(?P<inode>[0-9]+) (?P<path>.+)$",
    re.MULTILINE,
)
"""A path may hold anything but NUL, so whatever does not look like a whole line is left out."""

_SOCKET = re.compile(r"socket:\[(\d+)\]")


class UnixSocket(msgspec.Struct, frozen=True):
    """``path`` is spelt as its owner bound it, in the owner's mount namespace; one in the abstract namespace begins
    with ``@``."""

    inode: int
    path: str
    listens: bool


def unix_sockets(table: str) -> list[UnixSocket]:
    """The sockets of /proc/net/unix that have a name."""
    return [
        UnixSocket(int(line["inode"]), line["path"], bool(int(line["flags"], 16) & ACCEPTS))
        for line in _LINE.finditer(table)
    ]


Tables: TypeAlias = dict[int, list[UnixSocket]]
"""What was read, by the network namespace."""


def bound_sockets(pid: int, proc: Path = Path("/proc"), tables: Tables | None = None) -> frozenset[str] | None:
    """The paths on which a process listens, spelt as it bound them. Raises nothing.

    None when that cannot be read: the process is gone, it is another user's, or there is too much to read. It takes a
    line of /proc/net/unix per socket of the host: not for a schedule. To look at many processes, pass ``tables``,
    and each is read once.
    """
    inodes = open_sockets(pid, proc)
    try:
        sockets = _sockets(proc / str(pid), {} if tables is None else tables)
    except OSError:
        return None
    if inodes is None:
        return None
    return frozenset(each.path for each in sockets if each.listens and each.inode in inodes)


def _sockets(process: Path, tables: Tables) -> list[UnixSocket]:
    try:
        namespace = os.stat(process / "ns/net").st_ino
    except OSError:
        return unix_sockets(_read(process / "net/unix"))
    if namespace not in tables:
        tables[namespace] = unix_sockets(_read(process / "net/unix"))
    return tables[namespace]


def open_sockets(pid: int, proc: Path = Path("/proc")) -> dict[int, int] | None:
    """The descriptors of the sockets that a process has open, of whatever family, by inode; None when that cannot be
    read."""
    try:
        return _open_sockets(proc / str(pid) / "fd")
    except OSError:
        return None


def has_socket(pid: int, descriptor: int, inode: int, proc: Path = Path("/proc")) -> bool:
    """Whether this descriptor of a process is that socket, as far as can be seen."""
    try:
        return os.readlink(proc / str(pid) / "fd" / str(descriptor)) == f"socket:[{inode}]"
    except OSError:
        return False


def _open_sockets(directory: Path) -> dict[int, int]:
    found = {}
    with os.scandir(directory) as entries:
        for count, entry in enumerate(entries):
            if count == MOST_DESCRIPTORS:
                raise OSError(f"{directory} has too many entries")
            try:
                socket = _SOCKET.fullmatch(os.readlink(entry.path))
            except FileNotFoundError:
                continue  # closed while we looked
            if socket:
                found[int(socket[1])] = int(entry.name)
    return found


def _read(table: Path) -> str:
    return os.fsdecode(read_bytes(table, MOST_BYTES))
