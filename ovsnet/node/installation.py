"""Find the Open vSwitch of this host, and say which others there are.

The usual places are looked at in the table's order, then the daemons that run are asked, by way of /proc, where they
serve. Of several installations the first that has running daemons is taken; else the first whose daemons left traces.
One in no usual place comes after those: a test bed must not stand in for a node whose own daemons died.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.io.rights import refusal
from ovsnet.node.layouts import LAYOUTS, Layout
from ovsnet.node.pidfile import pidfile_locked
from ovsnet.node.rundir import Installation, Rundir, Source
from ovsnet.node.running import Running, running

DAEMONS = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")

_TRACE = re.compile(r"db\.sock|(ovsdb-server|ovs-vswitchd)(\.[0-9]+)?\.(pid|ctl)|.+\.mgmt")
_CONTROLLERS_TRACE = re.compile(r"ovn-controller(\.[0-9]+)?\.(pid|ctl)")


def find_rundir(
    rundir: str,
    ovn_rundir: str,
    environ: Mapping[str, str],
    layouts: Sequence[Layout] = LAYOUTS,
    proc: Path | None = Path("/proc"),
) -> Rundir:
    """The run directories: as named, else ``OVS_RUNDIR`` and ``OVN_RUNDIR``, else of the likeliest installation.

    A directory that was named must exist: UnfitEnvironment. Where none is named and none is found, ``source``
    says so. Without ``proc`` no processes are looked at.
    """
    ovs = _named(rundir or environ.get("OVS_RUNDIR", ""), "--rundir or OVS_RUNDIR", "/run/openvswitch")
    ovn = _named(ovn_rundir or environ.get("OVN_RUNDIR", ""), "--ovn-rundir or OVN_RUNDIR", "/run/ovn")
    if ovs is not None:
        return Rundir(ovs, ovn or _ovn_of(ovs, layouts, proc))
    first, *others = installations(layouts, proc) or [_expected(layouts)]
    return replace(first.rundir, ovn=ovn or first.rundir.ovn, others=tuple(each for each in others if _counts(each)))


def installations(layouts: Sequence[Layout] = LAYOUTS, proc: Path | None = Path("/proc")) -> list[Installation]:
    """All that are there, the likeliest first. Raises nothing."""
    daemons = [] if proc is None else running(proc)
    usual = _distinct(Path(each.ovs) for each in layouts if os.path.isdir(each.ovs))
    served = [each.directory for each in daemons if each.daemon != "ovn-controller"]
    elsewhere = [place for place in _distinct([*usual, *served]) if place not in usual]
    found = [_installation(place, Source.TABLE, layouts, daemons) for place in usual]
    found += [_installation(place, Source.PROCESSES, layouts, daemons) for place in elsewhere]
    return sorted(found, key=_rank)


def _installation(ovs: Path, source: Source, layouts: Sequence[Layout], daemons: list[Running]) -> Installation:
    ovn = _served_for(ovs, daemons) or _ovn_beside(ovs, layouts)
    rundir = Rundir(ovs, ovn, source)
    pids = {
        each.daemon: each.pid for each in reversed(daemons) if _same(each.directory, rundir.pidfile(each.daemon).parent)
    }
    for daemon in DAEMONS:
        if daemon not in pids and (state := pidfile_locked(rundir.pidfile(daemon))).held:
            pids[daemon] = state.holder
    rows = [each for each in layouts if _same(ovs, each.ovs)]
    row = next((each for each in rows if _same(ovn, each.ovn)), rows[0] if rows else None)
    return Installation(rundir, row.name if row else "", tuple((each, pids[each]) for each in DAEMONS if each in pids))


def _rank(installation: Installation) -> int:
    if installation.rundir.source is Source.PROCESSES:
        return 2
    if _switch_runs(installation):
        return 0
    return 1 if _holds(installation.rundir.ovs, _TRACE) else 3


def _counts(installation: Installation) -> bool:
    """An empty directory is not an installation that anybody misses."""
    return bool(installation.pids) or _holds(installation.rundir.ovs, _TRACE)


def _switch_runs(installation: Installation) -> bool:
    return any(daemon != "ovn-controller" for daemon, _ in installation.pids)


def _expected(layouts: Sequence[Layout]) -> Installation:
    first = layouts[0]
    return Installation(Rundir(Path(first.ovs), Path(first.ovn), Source.NOWHERE), first.name)


def _ovn_of(ovs: Path, layouts: Sequence[Layout], proc: Path | None) -> Path:
    """OVN's directory for a named one of Open vSwitch. Processes are looked at only where the files say nothing."""
    ovn = _ovn_beside(ovs, layouts)
    if proc is None or _holds(ovn, _CONTROLLERS_TRACE):
        return ovn
    return _served_for(ovs, running(proc)) or ovn


def _served_for(ovs: Path, daemons: Iterable[Running]) -> Path | None:
    """Where the ovn-controller that uses this database serves."""
    mine = (each for each in daemons if each.database is not None and _same(each.database, ovs))
    return next((each.directory for each in mine), None)


def _ovn_beside(ovs: Path, layouts: Sequence[Layout]) -> Path:
    """The likeliest directory by its files: a locked pidfile, else any trace of ovn-controller.

    Without either, ovn-controller is yet to make its directory, as at a boot: it will be the first of the table, or
    ``ovn`` beside an ``openvswitch``, and else the same directory.
    """
    rows = [Path(each.ovn) for each in layouts if _same(ovs, each.ovs)]
    candidates = [*rows, ovs.parent / "ovn", ovs]
    for place in candidates:
        if pidfile_locked(place / "ovn-controller.pid").held:
            return place
    for place in candidates:
        if _holds(place, _CONTROLLERS_TRACE):
            return place
    return candidates[0] if rows or ovs.name == "openvswitch" else ovs


def _holds(directory: Path, trace: re.Pattern[str]) -> bool:
    try:
        return any(map(trace.fullmatch, os.listdir(directory)))
    except OSError:
        return False


def _distinct(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        if not any(_same(place, each) for each in found):
            found.append(place)
    return found


def _same(one: Path | str, other: Path | str) -> bool:
    """Whether both are one directory; by name where it does not exist yet."""
    try:
        return Path(one) == Path(other) or os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _named(text: str, names: str, usual: str) -> Path | None:
    """``names`` are the option and the variable that name it, and ``usual`` is its place in most installations."""
    if not text:
        return None
    if not os.path.isdir(text):  # Path.is_dir raises PermissionError where a parent may not be searched
        raise _no_directory(text, names, usual)
    return Path(text)


def _no_directory(text: str, names: str, usual: str) -> UnfitEnvironment:
    if (found := refusal(text)) is not None:
        said = f"User {os.geteuid()} cannot see whether there is a run directory {text}"
        return UnfitEnvironment(f"{said}: {found.cause(text)}.", remedy=found.remedy)
    remedy = f"Correct {names}; `ls {usual}` shows the usual one."
    if os.path.exists(text):
        return UnfitEnvironment(f"The run directory {text} is not a directory.", remedy=remedy)
    return UnfitEnvironment(f"There is no run directory {text}.", remedy=remedy)
