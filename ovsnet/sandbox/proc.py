"""Facts about the daemons from the kernel, read without touching a socket: a probe must not disturb the node."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_text
from ovsnet.node.process import sample
from ovsnet.node.unix_sockets import MOST_BYTES, unix_sockets

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTENING_TCP = "0A"  # TCP_LISTEN, include/net/tcp_states.h
# Below the kernel's default ephemeral range (32768-60999), so that no outgoing connection sits on one by chance.
_PORT_RANGE = range(20000, 32000)


class Process(msgspec.Struct, frozen=True):
    """One process, uniquely: a pid alone may be reused, a pid with its start time (seconds since boot) is not."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now, or None when there is none or it is a zombie."""
        found = sample(pid, now=0.0)
        return None if found is None or found.gone else cls(pid, found.started)

    def alive(self) -> bool:
        """False once it has ended, whether or not its parent has reaped it."""
        return Process.of(self.pid) == self

    def frozen(self) -> bool:
        """True when every thread is stopped: a stop signal reaches a busy thread later than an idle one."""
        states = _thread_states(self.pid)
        return bool(states) and states <= {"T", "t"}


def _thread_states(pid: int) -> set[str]:
    states = set()
    for stat in Path("/proc", str(pid), "task").glob("*/stat"):
        try:
            states.add(read_text(stat).rpartition(") ")[2][0])
        except OSError:
            continue  # the thread ended while we looked
    return states


def listening(paths: Sequence[Path]) -> bool:
    """Whether all of them accept connections. Cheap to ask again and again while they are not there."""
    return all(map(os.path.exists, paths)) and listening_paths().issuperset(map(str, paths))


def listening_paths() -> frozenset[str]:
    """Unix paths of this network namespace that accept connections; a socket file alone proves nothing, for a crash
    leaves it behind."""
    return frozenset(each.path for each in unix_sockets(_table("unix")) if each.listens)


def listening_ports() -> frozenset[int]:
    """TCP ports of this network namespace that accept connections. The kernel walks its whole table of connections for
    that, which takes 10 ms where it is large."""
    tcp = (line.split(maxsplit=4) for name in ("tcp", "tcp6") for line in _table(name).splitlines()[1:])
    return frozenset(int(fields[1].rpartition(":")[2], 16) for fields in tcp if fields[3] == _LISTENING_TCP)


def free_ports(count: int) -> list[int]:
    """TCP ports on which nobody listens. Drawn at random, so that two sandboxes that start at once differ."""
    taken = listening_ports()
    free = [port for port in _PORT_RANGE if port not in taken]
    if len(free) < count:
        raise UnfitEnvironment(f"Fewer than {count} TCP ports are free between 20000 and 32000.")
    return random.sample(free, count)


def _table(name: str) -> str:
    try:
        return read_text(Path("/proc/net", name), MOST_BYTES)
    except FileNotFoundError:
        return ""  # a kernel without IPv6 has no tcp6
