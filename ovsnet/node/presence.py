"""Does a daemon run? Death is a fact about a process, never about the name of a socket.

    the process that we met, or that the pidfile names, lives               -> RUNS
    the pidfile is locked, wherever its process is                          -> RUNS
    a process of that name listens where this node's sockets are            -> RUNS
    the process that we met has ended                                       -> GONE
    no such process exists, where we would see it                           -> GONE
    its pidfile is unlocked, and that of another daemon here is locked      -> GONE
    anything else                                                           -> UNSEEN

The first row that applies counts. So an empty, wrong or stale run directory proves nothing, and neither does a socket
or a pidfile that was removed, replaced, copied or left over.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from ovsnet.node.components import COMPONENTS, Component
from ovsnet.node.pidfile import Lock, pidfile_locked, read_pidfile
from ovsnet.node.process import Process, identify, pids_named, runs
from ovsnet.node.rundir import Rundir
from ovsnet.node.unix_sockets import bound_sockets

INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of include/linux/proc_ns.h: a process in it sees every process of the host."""


class Presence(StrEnum):
    """Whether a daemon runs. The rows are those of the table above."""

    RUNS = "runs"
    GONE = "gone"
    UNSEEN = "unseen"


class Evidence(msgspec.Struct, frozen=True):
    """What was found of one daemon.

    ``met_lives``: of the process at the other end of our connections; None when we never met one. ``named``: the
    process that holds the pidfile's lock, or that the pidfile names, if it lives and bears the daemon's name.
    ``here``: processes of its name that listen where this node's sockets are. ``elsewhere``: processes of its name that
    may be it, for all that can be seen. ``sighted``: the processes of this node's daemons can be seen.
    ``others_locked``: another daemon holds its pidfile in this run directory locked, so the directory is the one that
    is in use.
    """

    met_lives: bool | None = None
    lock: Lock = Lock.MISSING
    named: int | None = None
    here: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    sighted: bool = False
    others_locked: bool = False


class Sighting(msgspec.Struct, frozen=True):
    """The verdict, the process if there is one that we can see, and the sentence for it."""

    presence: Presence
    pid: int | None
    sentence: str


def judge(evidence: Evidence, met: int | None) -> Sighting:
    """The table of this module's docstring. Pure."""
    if evidence.met_lives:
        return Sighting(Presence.RUNS, met, f"process {met} runs")
    if evidence.named is not None:
        return Sighting(Presence.RUNS, evidence.named, f"process {evidence.named} runs")
    if evidence.lock is Lock.HELD:
        return Sighting(Presence.RUNS, None, "a process that cannot be seen from here holds its pidfile locked")
    if evidence.here:
        return Sighting(Presence.RUNS, evidence.here[0], f"process {evidence.here[0]} runs")
    if evidence.met_lives is False:
        return Sighting(Presence.GONE, None, f"process {met} has ended")
    left_over = evidence.lock is Lock.FREE
    if not evidence.elsewhere and (evidence.sighted or (left_over and evidence.others_locked)):
        what = "its pidfile is left over from a process that has ended" if left_over else "there is no such process"
        return Sighting(Presence.GONE, None, what)
    if evidence.elsewhere:
        pids = ", ".join(map(str, evidence.elsewhere))
        which = f"process {pids} has its" if len(evidence.elsewhere) == 1 else f"processes {pids} have their"
        return Sighting(Presence.UNSEEN, None, f"{which} sockets elsewhere")
    return Sighting(Presence.UNSEEN, None, "no socket, pidfile or process can be seen from here")


def look_for(
    component: Component,
    rundir: Rundir,
    met: Process | None,
    *,
    neighbours: Collection[int] = (),
    proc: Path = Path("/proc"),
) -> Evidence:
    """Gather what can be seen of ``component``. ``met`` is its process as it was when a connection to it stood;
    ``neighbours`` are processes of this node's other daemons that we are or were connected to.

    Reads all of /proc when nothing nearer shows it: not for a schedule.
    """
    met_lives = None if met is None else _lives(met, identify(met.pid, proc))
    pidfile = component.pidfile(rundir)
    state = pidfile_locked(pidfile)
    lock, claims = state.lock, (state.holder or None, read_pidfile(pidfile))
    named = next((pid for pid in claims if pid is not None and _bears_name(pid, component, proc)), None)
    if met_lives or named is not None or lock is Lock.HELD:
        return Evidence(met_lives, lock, named)
    seen = {pid for pid in neighbours if identify(pid, proc) is not None} | _named_by_pidfiles(rundir, proc)
    homes = {os.path.realpath(rundir.ovs), os.path.realpath(rundir.ovn)}
    for pid in seen:
        homes |= {os.path.realpath(os.path.dirname(path)) for path in bound_sockets(pid, proc) or ()}
    here, elsewhere = [], []
    for pid in pids_named(component.process, proc):
        bound = bound_sockets(pid, proc)
        if bound is None:
            if _bears_name(pid, component, proc):  # else it has ended while we looked
                elsewhere.append(pid)
        elif any(_belongs(path, component, homes) for path in bound):
            here.append(pid)
        elif not seen:
            elsewhere.append(pid)
    sighted = _sees_others(proc) and (bool(seen) or _in_initial_namespace(proc))
    others_locked = _another_is_locked(component, rundir)
    return Evidence(met_lives, lock, named, tuple(here), tuple(elsewhere), sighted, others_locked)


def listens_in(rundir: Rundir, pid: int, proc: Path = Path("/proc")) -> bool:
    """Whether a process was given sockets in this run directory, by the names that it knows them by."""
    homes = {os.path.realpath(rundir.ovs), os.path.realpath(rundir.ovn)}
    return any(os.path.realpath(os.path.dirname(path)) in homes for path in bound_sockets(pid, proc) or ())


def _lives(met: Process, now: Process | None) -> bool:
    return now is not None and not now.gone and now.started == met.started


def _bears_name(pid: int, component: Component, proc: Path) -> bool:
    found = identify(pid, proc)
    return found is not None and not found.gone and runs(found, component.process, proc)


def _named_by_pidfiles(rundir: Rundir, proc: Path) -> set[int]:
    named = {component: read_pidfile(component.pidfile(rundir)) for component in COMPONENTS.values()}
    return {pid for component, pid in named.items() if pid is not None and _bears_name(pid, component, proc)}


def _another_is_locked(component: Component, rundir: Rundir) -> bool:
    others = (each for each in COMPONENTS.values() if each is not component)
    return any(pidfile_locked(each.pidfile(rundir)).held for each in others)


def _belongs(path: str, component: Component, homes: set[str]) -> bool:
    directory, name = os.path.split(path)
    return any(fnmatch(name, pattern) for pattern in component.sockets) and os.path.realpath(directory) in homes


def _sees_others(proc: Path) -> bool:
    """Whether /proc shows the processes of other users: with ``hidepid=2`` (proc(5)) it hides them from us."""
    return identify(1, proc) is not None


def _in_initial_namespace(proc: Path) -> bool:
    try:
        return os.readlink(proc / "self/ns/pid") == INITIAL_PID_NAMESPACE
    except OSError:
        return False
