"""How many descriptors a process has open, and how many it may.

A daemon that has none left fails each accept() with EMFILE: new clients wait in its backlog, while every connection
it already holds is served as before.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import read_text

MOST_COUNTED = 1 << 17
"""Descriptors of one process. A process with more is not counted."""

_SOFT_LIMIT = re.compile(r"^Max open files\s+(\d+)\s", re.MULTILINE)


class Descriptors(msgspec.Struct, frozen=True):
    """``open`` is how many are open, ``limit`` is RLIMIT_NOFILE, the soft one. ``left`` counts the numbers below the
    limit that are free: a limit that was lowered leaves descriptors above it, and those are not an obstacle."""

    open: int
    limit: int
    left: int


def descriptors(pid: int | str, proc: Path = Path("/proc")) -> Descriptors | None:
    """Those of ``pid``, or None when they cannot be read: it is gone, or another user's. Raises OwnLimit.

    It lists a directory of an entry per descriptor: not for a schedule.
    """
    try:
        limit = _SOFT_LIMIT.search(read_text(proc / str(pid) / "limits"))
        if limit is None:
            return None
        most = int(limit[1])
        count = below = 0
        with os.scandir(proc / str(pid) / "fd") as entries:
            for entry in entries:
                count += 1
                below += int(entry.name) < most
                if count > MOST_COUNTED:
                    return None
    except (OSError, ValueError) as error:
        raise_own_limit(error)
        return None
    return Descriptors(count, most, most - below)
