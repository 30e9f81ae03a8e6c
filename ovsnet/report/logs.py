"""The last lines of the daemons' logs, bounded: of those that run by what they have open, and of the usual places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ovsnet.errors import raise_own_limit
from ovsnet.files import read_tail
from ovsnet.node.daemon_log import log_names
from ovsnet.node.pidfile import pidfile_locked
from ovsnet.node.rundir import Rundir
from ovsnet.report.rotated import last_of, older

TAIL = 2 << 20
"""Bytes at the end of each log: some 20,000 lines."""
MOST = 16
"""Logs in a report. A node has three daemons, a central host five more."""


def tails(rundir: Rundir, directories: Sequence[Path]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Their last lines by the name of the log, from its first whole line on; and why those that cannot be read are
    missing. ``directories`` are searched beside what belongs to the run directories. Raises OwnLimit."""
    found: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    for name, (path, place) in list(_logs(rundir, directories).items())[:MOST]:
        try:
            found[name] = _filled(_whole_lines(read_tail(path, TAIL + 1)), place)
        except OSError as error:
            raise_own_limit(error)
            missing[name] = f"{path} cannot be read: {error.strerror}."
    return found, missing


def _filled(tail: bytes, place: Path) -> bytes:
    """``tail`` behind the last lines of the files that were rotated before: a log is empty after each rotation."""
    for path in older(place):
        if len(tail) >= TAIL // 2:
            break
        before = last_of(path, TAIL - len(tail))
        tail = before + (b"" if before.endswith(b"\n") or not before else b"\n") + tail
    return tail


def _logs(rundir: Rundir, directories: Sequence[Path]) -> dict[str, tuple[Path, Path]]:
    """By the name in the report, what opens it and where it lies: one that a daemon has open counts before its namesake
    in a directory."""
    named: dict[str, tuple[Path, Path]] = {}
    for pid in _pids(rundir):
        root = Path("/proc") / str(pid) / "root"
        named |= {full: (path, root / full.lstrip("/")) for full, path in log_names(pid).items()}
    for directory in [*directories, *dict.fromkeys(map(_beside, (rundir.ovs, rundir.ovn)))]:
        named |= {str(path): (path, path) for path in _in(directory) if str(path) not in named}
    found: dict[str, tuple[Path, Path]] = {}
    for full, paths in named.items():
        base = os.path.basename(full)
        parent = os.path.basename(os.path.dirname(full))
        found.setdefault(base if base not in found else f"{parent}-{base}", paths)
    return found


def _pids(rundir: Rundir) -> Iterator[int]:
    """The daemons that hold their pidfiles, those of the databases in the middle too."""
    for directory in dict.fromkeys((rundir.ovs, rundir.ovn)):
        for name in sorted(_names(directory)):
            if name.endswith(".pid") and (pid := pidfile_locked(directory / name).holder):
                yield pid


def _beside(rundir: Path) -> Path:
    """``/var/log/openvswitch`` for ``/run/openvswitch``: packages, snaps and source builds name the two alike."""
    parts = list(rundir.parts)
    if "run" not in parts:
        return rundir
    at = len(parts) - 1 - parts[::-1].index("run")
    parts[at : at + 1] = ["var", "log"] if parts[:at] == ["/"] else ["log"]
    return Path(*parts)


def _in(directory: Path) -> list[Path]:
    return [directory / name for name in sorted(_names(directory)) if name.endswith(".log")]


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _whole_lines(tail: bytes) -> bytes:
    return tail if len(tail) <= TAIL else tail.partition(b"\n")[2]
