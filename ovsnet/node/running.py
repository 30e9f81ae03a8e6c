"""Which daemons of OVS and OVN run on this host, and in which directories they serve; read out of /proc.

A process may be looked into by its own user and by root alone. What may not be read is left out, so another user finds
nothing. All of /proc is read: for a start, not for a schedule.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ovsnet.errors import OwnLimit
from ovsnet.files import read_head, read_text
from ovsnet.node.mounts import reach
from ovsnet.node.process import given
from ovsnet.node.unix_sockets import Tables, bound_sockets

MOST_BYTES = 1 << 16
"""Of a command line."""

_SERVES = {
    # Not the servers of OVN's databases, whose sockets have other names.
    "ovsdb-server": re.compile(r"db\.sock"),
    "ovs-vswitchd": re.compile(r"ovs-vswitchd(\.[0-9]+)?\.ctl|.+\.mgmt"),
    "ovn-controller": re.compile(r"ovn-controller(\.[0-9]+)?\.ctl"),
}
"""The sockets in a run directory that tell a daemon, by its process' name."""


class Running(msgspec.Struct, frozen=True):
    """A daemon and the run directory that it serves, as we reach it. ``database`` is the run directory of the database
    that an ovn-controller was told to use; None for others, and where it was told none."""

    daemon: str
    pid: int
    directory: Path
    database: Path | None = None


def running(proc: Path = Path("/proc")) -> list[Running]:
    """The daemons that we may look into, by pid. Raises nothing."""
    found, tables = [], Tables()
    for pid in sorted(_pids(proc)):
        daemon = _daemon(pid, proc)
        if daemon in _SERVES and (directory := _served(daemon, pid, proc, tables)) is not None:
            database = _database(pid, proc) if daemon == "ovn-controller" else None
            found.append(Running(daemon, pid, directory, database))
    return found


def _pids(proc: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return []


def _daemon(pid: int, proc: Path) -> str:
    """The program that a process runs; empty when it ended meanwhile. A name longer than 15 bytes is cut, and no
    daemon's here is."""
    try:
        name = read_text(proc / str(pid) / "comm").rstrip("\n")
        return next((each for each in _SERVES if each in given(pid, name, proc)), name)
    except (OSError, OwnLimit):
        return ""


def _served(daemon: str, pid: int, proc: Path, tables: Tables) -> Path | None:
    sockets = sorted(map(Path, bound_sockets(pid, proc, tables) or ()))
    paths = (each for each in sockets if each.is_absolute() and _SERVES[daemon].fullmatch(each.name))
    found = (reach(str(path.parent), pid, proc) for path in paths)
    return next((directory for directory in found if directory is not None), None)


def _database(pid: int, proc: Path) -> Path | None:
    """ovn-controller takes the database as an argument (ovn-controller(8)): ``unix:/run/openvswitch/db.sock``."""
    for argument in _arguments(proc / str(pid)):
        if argument.startswith("unix:/"):
            return reach(os.path.dirname(argument.removeprefix("unix:")), pid, proc)
    return None


def _arguments(process: Path) -> Iterator[str]:
    try:
        yield from os.fsdecode(read_head(process / "cmdline", MOST_BYTES)).split("\0")[1:]
    except OSError:
        return
