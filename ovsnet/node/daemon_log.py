"""What a daemon wrote to its log file recently: for the few facts that it shows nowhere else, and for a report.

The file is one that the process has open: by /proc/PID/fd it is reached without its name, out of any mount namespace.
A daemon that logs to a journal or to its standard error leaves nothing to be read here.
"""

from __future__ import annotations

import calendar
import os
import re
import time
from pathlib import Path

from ovsnet.errors import raise_own_limit
from ovsnet.files import read_tail
from ovsnet.node.storage import MOST_FILES

TAIL = 64 << 10
"""Bytes at the end of a log that are read."""

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z\|")
"""Of a line, as lib/vlog.c writes it unless another pattern was configured."""


def last_said(pid: int, phrase: str, proc: Path = Path("/proc")) -> tuple[float, str] | None:
    """The last line of its log that holds the phrase: when, in seconds since 1970, and the line. None when there is
    none, or when the log cannot be read. Raises OwnLimit."""
    try:
        tails = [_tail(entry) for entry in _log_files(proc / str(pid) / "fd")]
    except OSError as error:
        raise_own_limit(error)
        return None
    lines = (line for tail in tails for line in reversed(tail.splitlines()) if phrase in line)
    return next(((_seconds(stamp[1]), line) for line in lines if (stamp := _STAMP.match(line))), None)


def log_names(pid: int, proc: Path = Path("/proc")) -> dict[str, Path]:
    """The logs that a process has open: their names, and what opens them out of any mount namespace. None where that
    may not be seen. Raises OwnLimit."""
    try:
        return {_name(entry): entry for entry in _log_files(proc / str(pid) / "fd")}
    except OSError as error:
        raise_own_limit(error)
        return {}


def _log_files(directory: Path) -> list[Path]:
    numbers = sorted(os.listdir(directory), key=int)[:MOST_FILES]
    return [directory / number for number in numbers if _name(directory / number).endswith(".log")]


def _name(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except FileNotFoundError:  # it was closed meanwhile
        return ""


def _tail(entry: Path) -> str:
    try:
        return read_tail(entry, TAIL).decode(errors="replace")
    except OSError as error:
        raise_own_limit(error)
        return ""


def _seconds(stamp: str) -> float:
    return float(calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S")))
