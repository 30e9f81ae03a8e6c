"""Does a process listen on a unix socket? Answered without connecting.

A connection that closes without a HELLO fills the switch's log, and one more client makes a full backlog worse.
/proc/net/unix has a line for each socket of one network namespace, with the path that it was bound to. The same file
may bear another path in a container, so files are compared, not names.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.host_daemons import PROGRAMS
from ovsnet.node.host_files import Host
from ovsnet.node.unix_sockets import unix_sockets


class Listeners(msgspec.Struct, frozen=True):
    """Paths bound by listening sockets. ``roots`` are those of daemons in mount namespaces of their own; ``blocked``
    is True when there is one that we may not enter."""

    paths: frozenset[str]
    roots: tuple[Path, ...]
    blocked: bool

    def serve(self, host: Host, socket: Path) -> bool | None:
        """Whether one of them is bound to this very file; None when it may be, but we cannot compare."""
        file = host.stat(socket)
        alike = [path for path in self.paths if Path(path).name == socket.name]
        if file is None or not alike:
            return False
        for path in alike:
            if path.startswith("/") and any(_same(file, place) for place in self._places(host, path)):
                return True
        # A path longer than sun_path is bound by way of /proc/self/fd (lib/socket-util-unix.c, ``make_sockaddr_un``).
        return None if self.blocked or any(not p.startswith("/") or p.startswith("/proc/") for p in alike) else False

    def _places(self, host: Host, path: str) -> list[Path]:
        return [host.locate(path), *(root / path.lstrip("/") for root in self.roots)]


def listeners(host: Host) -> Listeners:
    """Read the tables of our network namespace and of the daemons'. Raises UnfitEnvironment."""
    tables = [host.need("/proc/net/unix")]
    roots, blocked = [], False
    nets, mounts = {_namespace(host, "self", "net")}, {_namespace(host, "self", "mnt")}
    for pid, name in host.processes.items():
        if name not in [program[:15] for program in PROGRAMS]:
            continue
        try:
            net, mount = _namespace(host, pid, "net"), _namespace(host, pid, "mnt")
        except UnfitEnvironment:
            blocked = True
            continue
        if net not in nets:
            nets.add(net)
            tables.append(host.read(f"/proc/{pid}/net/unix") or "")
        if mount not in mounts:
            mounts.add(mount)
            roots.append(host.locate("/proc") / str(pid) / "root")
    paths = frozenset(each.path for table in tables for each in unix_sockets(table) if each.listens)
    return Listeners(paths, tuple(roots), blocked)


def _namespace(host: Host, process: int | str, kind: str) -> str | None:
    return host.link(f"/proc/{process}/ns/{kind}")


def _same(file: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(file, path.stat())
    except OSError:
        return False
