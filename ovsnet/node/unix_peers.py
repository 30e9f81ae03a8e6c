"""Who else is connected to a unix socket of the node."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TypeAlias

from ovsnet.files import read_text
from ovsnet.io.unix_diag import unix_peers
from ovsnet.node.unix_sockets import MOST_BYTES, has_socket, open_sockets

CONNECTED = "03"
"""SS_CONNECTED of include/uapi/linux/net.h, as /proc/net/unix prints it."""


def accepted(path: str, table: Path = Path("/proc/net/unix")) -> frozenset[int] | None:
    """The inodes of the connections that a listener has accepted on ``path``; None where the table cannot be read.

    An accepted socket carries its listener's path, as the listener spelt it: Debian's daemons say /var/run where we say
    /run. The table is that of our own network namespace.
    """
    try:
        text = read_text(table, MOST_BYTES)
    except OSError:
        return None
    rows = (line.split(maxsplit=7) for line in _lines_that_end(text, f"/{os.path.basename(path)}"))
    # Num RefCount Protocol Flags Type St Inode Path
    connected = [(fields[7], int(fields[6])) for fields in rows if len(fields) == 8 and fields[5] == CONNECTED]
    directory = _stat(os.path.dirname(os.path.realpath(path)))
    spellings = {each for each in {spelt for spelt, _ in connected} if each == path or _is_in(directory, each)}
    return frozenset(inode for spelt, inode in connected if spelt in spellings)


def _lines_that_end(text: str, end: str) -> Iterator[str]:
    """A host has a line for each of thousands of sockets, and this is asked each second: no line is made of others."""
    at = text.find(f"{end}\n")
    while at >= 0:
        yield text[text.rfind("\n", 0, at) + 1 : at + len(end)]
        at = text.find(f"{end}\n", at + 1)


def _is_in(directory: os.stat_result | None, path: str) -> bool:
    there = _stat(os.path.dirname(path))
    return directory is not None and there is not None and os.path.samestat(directory, there)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


class HeldEnds:
    """Whether a process holds the other end of some connections. It takes the kernel's list of all unix sockets, and a
    look at each descriptor of the process, so it is looked into only when the one it held is gone."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._seen: frozenset[int] = frozenset()
        self._held: dict[int, Descriptor] | None = {}
        self._place: Hashable = None

    def holds_one(self, pid: int | None, accepted: frozenset[int], place: Hashable = None) -> bool | None:
        """None where it cannot be seen. ``place`` is what ``keeps_one`` may ask for."""
        if pid is None:
            return None
        stands = self._held is not None and not accepted.isdisjoint(self._held)
        if pid != self._pid or not (stands or accepted == self._seen):
            self._pid, self._seen, self._held = pid, accepted, _held_by(pid, accepted)
        self._place = place
        return None if self._held is None else not accepted.isdisjoint(self._held)

    def keeps_one(self, pid: int | None, place: Hashable) -> bool:
        """Whether it still has one that ``holds_one`` saw in that place: a link to read, and no list. A process lets
        go of a connection that its peer has closed as soon as its loop turns."""
        if pid is None or (pid, place) != (self._pid, self._place):
            return False
        return any(has_socket(pid, number, inode) for number, inode in (self._held or {}).values())


Descriptor: TypeAlias = tuple[int, int]
"""Its number, and the inode of its socket."""


def _held_by(pid: int, accepted: frozenset[int]) -> dict[int, Descriptor] | None:
    """Those of the accepted ends of which the process has the other."""
    peers, sockets = unix_peers(), open_sockets(pid)
    if peers is None or sockets is None:
        return None
    ends = {inode: peers[inode] for inode in accepted if inode in peers}
    return {inode: (sockets[end], end) for inode, end in ends.items() if end in sockets}
