"""The run directories, and the sockets of the daemons in them, whatever the container or the pid namespace.

A control socket's name carries its daemon's pid (``ovs-vswitchd.1234.ctl``). The pid in a pidfile may be stale,
reused, or of another pid namespace, so it only orders the candidates: the one that accepts a connection is right
(lib/daemon-unix.c, ``read_pidfile__`` asks for the lock's owner instead, which fails across namespaces).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ovsnet.io.address import Address
from ovsnet.io.connect import connect_error
from ovsnet.node.pidfile import read_pidfile

SUFFIXES = (".sock", ".mgmt", ".ctl", ".pid")
"""Ends of the names that the daemons give their sockets and pidfiles."""


class Source(StrEnum):
    """How run directories were found. ``named``: by a flag or a variable. ``table``: in a usual place that exists.
    ``processes``: out of running daemons, in no usual place. ``nowhere``: neither is there; the first usual place is
    expected, for it appears with the daemons' first start after a boot."""

    NAMED = "named"
    TABLE = "table"
    PROCESSES = "processes"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Rundir:
    """The directories in which OVS and OVN keep sockets and pidfiles; often one.

    ``others`` are further installations on this host, found beside these.
    """

    ovs: Path
    ovn: Path
    source: Source = field(default=Source.NAMED, compare=False)
    others: tuple[Installation, ...] = field(default=(), compare=False)

    @property
    def database(self) -> Address:
        """The Open_vSwitch database. Raises AddressError when the path is too long."""
        return Address.unix(self.ovs / "db.sock")

    def mgmt(self, bridge: str) -> Address:
        """The bridge's OpenFlow service socket. Raises AddressError."""
        return Address.unix(self.ovs / f"{bridge}.mgmt")

    def pidfile(self, daemon: str) -> Path:
        """Where the daemon writes its pid."""
        return (self.ovn if daemon.startswith("ovn") else self.ovs) / f"{daemon}.pid"

    def control_sockets(self, daemon: str) -> list[Address]:
        """Candidates, the likeliest first: the pidfile's, then the newest.

        Raises AddressError for too long a path, and what a connection would raise where the directory cannot be read.
        """
        directory = self.pidfile(daemon).parent
        name = re.compile(re.escape(daemon) + r"(\.[0-9]+)?\.ctl")
        found = [directory / each for each in _names(directory) if name.fullmatch(each)]
        found.sort(key=_modified, reverse=True)
        pid = read_pidfile(self.pidfile(daemon))
        found.sort(key=lambda path: path.name != f"{daemon}.{pid}.ctl")
        return [Address.unix(path) for path in found]

    def is_blank(self) -> bool:
        """Whether the directories show neither a socket nor a pidfile, or are not there. Raises what a connection would
        where one cannot be read."""
        return not any(name.endswith(SUFFIXES) for directory in {self.ovs, self.ovn} for name in _names(directory))

    def relative_to(self, root: Path) -> Rundir:
        """The same in the terms of a root below which all of it lies."""
        others = tuple(replace(each, rundir=each.rundir.relative_to(root)) for each in self.others)
        ovs, ovn = (Path("/") / each.relative_to(root) for each in (self.ovs, self.ovn))
        return Rundir(ovs, ovn, self.source, others)


class Installation(msgspec.Struct, frozen=True):
    """One Open vSwitch on this host, with its OVN. ``layout`` names the row of the table, and is empty without one.

    ``pids`` has an entry for each daemon that certainly runs; 0 where it holds its pidfile's lock in a pid namespace
    that we do not see.
    """

    rundir: Rundir
    layout: str
    pids: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        """For a person: ``/run/openvswitch (ovsdb-server 12, ovs-vswitchd in another pid namespace)``."""
        daemons = ", ".join(f"{daemon} {pid or 'in another pid namespace'}" for daemon, pid in self.pids)
        return f"{self.rundir.ovs} ({daemons or 'nothing runs'})"


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:  # no right to, or no descriptor left to us
        raise connect_error(Address.unix(directory), error) from error


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
