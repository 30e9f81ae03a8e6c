"""Who else is connected to a unix socket of the node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ovsnet.files import read_text
from ovsnet.io.unix_diag import unix_peers
from ovsnet.node.unix_sockets import MOST_BYTES, open_sockets

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
        self._held: frozenset[int] | None = frozenset()

    def holds_one(self, pid: int | None, accepted: frozenset[int]) -> bool | None:
        """None where it cannot be seen."""
        if pid is None:
            return None
        stands = self._held is not None and not self._held.isdisjoint(accepted)
        if pid != self._pid or not (stands or accepted == self._seen):
            self._pid, self._seen, self._held = pid, accepted, _held_by(pid, accepted)
        return None if self._held is None else not self._held.isdisjoint(accepted)


def _held_by(pid: int, accepted: frozenset[int]) -> frozenset[int] | None:
    peers, sockets = unix_peers(), open_sockets(pid)
    if peers is None or sockets is None:
        return None
    return frozenset(inode for inode in accepted if peers.get(inode) in sockets)
