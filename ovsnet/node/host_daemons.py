"""The daemons of a host by its files: which process belongs to a pidfile of the run directory, even in a container.

A pidfile holds the pid in the daemon's own namespace. /proc/PID/status names all pids of a process, from our namespace
inwards (``NSpid``, proc(5)), so a container's daemon is found from its host. The other way round nothing can be seen.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.pidfile import pidfile_locked
from ovsnet.texts import whole_number

PROGRAMS = ("ovsdb-server", "ovs-vswitchd", "ovn-controller", "ovn-northd", "ovn-controller-vtep", "ovn-ic")

ON_A_NODE = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")
"""The daemons whose limits and quotas decide how a node does."""


class Pidfile(msgspec.Struct, frozen=True):
    """``pid`` is what it says, ``process`` the pid under which we see that daemon, ``stranger`` the name of another
    program that has its pid now. ``locked`` is True while the daemon that wrote it lives, seen or not."""

    path: Path
    program: str
    pid: int | None
    process: int | None
    stranger: str | None
    locked: bool

    @property
    def left_over(self) -> bool:
        """Its daemon is not seen, and holds no lock on it."""
        return self.process is None and not self.locked


def pidfiles(host: Host) -> list[Pidfile]:
    """Those of OVS and OVN in the run directories. Raises UnfitEnvironment."""
    found = []
    for directory in dict.fromkeys((host.rundir.ovs, host.rundir.ovn)):
        for name in host.names(directory):
            program = _program(name)
            text = host.read(directory / name) if program else None
            if program and text is not None:
                found.append(_pidfile(host, directory / name, program, text))
    return found


def daemon_pid(host: Host, live: Live, program: str) -> int | None:
    """The pid of the node's daemon as we see it: behind its socket, else of its pidfile. Raises UnfitEnvironment."""
    if (pid := live.pids.get(program)) is not None and host.processes.get(pid) == program[:15]:
        return pid
    return next((each.process for each in pidfiles(host) if each.path.name == f"{program}.pid"), None)


def sees_the_daemons(host: Host, files: list[Pidfile]) -> bool:
    """Whether a daemon that we do not see is really gone: we see all processes, or one of its fellows."""
    return host.sees_all_processes or any(each.process for each in files)


def uid(host: Host, pid: int) -> int | None:
    """The effective user of a process. Raises UnfitEnvironment."""
    return _status_number(host, pid, r"Uid:\s+\d+\s+(\d+)")


def _pidfile(host: Host, path: Path, program: str, text: str) -> Pidfile:
    locked = pidfile_locked(host.locate(path)).held
    if (pid := whole_number(text)) is None:
        return Pidfile(path, program, None, None, None, locked)
    name = host.processes.get(pid)
    process = pid if name == program[:15] else _in_a_container(host, program, pid)
    return Pidfile(path, program, pid, process, None if process or locked else name, locked)


def _in_a_container(host: Host, program: str, pid: int) -> int | None:
    for outer, name in host.processes.items():
        if name == program[:15] and _status_number(host, outer, r"NSpid:\s+\d+.*\s(\d+)\n") == pid:
            return outer
    return None


def _program(file: str) -> str | None:
    """The program that writes this pidfile; OVN's databases have names of their own (``ovnsb_db.pid``)."""
    stem, dot, suffix = file.rpartition(".")
    if not dot or suffix != "pid":
        return None
    if stem.startswith("ovn") and "_db" in stem:
        return "ovsdb-server"
    return stem if stem in PROGRAMS else None


def _status_number(host: Host, pid: int, pattern: str) -> int | None:
    found = re.search(pattern, host.read(f"/proc/{pid}/status") or "")
    return int(found.group(1)) if found else None
