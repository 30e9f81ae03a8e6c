"""A daemon's pidfile: the number in it, and the lock that proves the daemon alive.

A daemon of OVS or OVN locks its pidfile for writing as it starts, and the kernel drops the lock when the process ends,
however it ends (lib/daemon-unix.c, ``make_pidfile``). So a locked pidfile proves a live daemon even where its process
cannot be seen from our pid namespace. The number alone proves nothing: it may be stale, reused, or meant in another
pid namespace.
"""

from __future__ import annotations

import fcntl
import os
import struct
from enum import StrEnum
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import head, names_in, open_regular

MOST_BYTES = 128
"""As much as OVS reads of a pidfile's line (lib/daemon-unix.c, ``read_pidfile__``)."""

_FLOCK = struct.Struct("@hhqqi0q")
"""``struct flock`` of fcntl(2) with 64-bit offsets: type, whence, start, length, pid."""


class Lock(StrEnum):
    """``held``: by a process that lives. ``free``: by nobody. ``missing``: there is no such file. ``unreadable``: it
    may not be opened, or is not a regular file, so nothing is known."""

    HELD = "held"
    FREE = "free"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class LockState(msgspec.Struct, frozen=True):
    """``holder`` is the pid of the process that holds the lock, 0 when it lives in another pid namespace or none does.
    ``why`` says why the file is unreadable."""

    lock: Lock
    holder: int = 0
    why: str = ""

    @property
    def held(self) -> bool:
        """The daemon that wrote this very file lives."""
        return self.lock is Lock.HELD


def read_pidfile(path: Path) -> int | None:
    """The number in a pidfile, or None. Raises OwnLimit."""
    try:
        descriptor = open_regular(path)
    except OSError as error:
        raise_own_limit(error)
        return None
    try:
        text = head(descriptor, MOST_BYTES).strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return int(text) if text.isdigit() else None


def pidfile_locked(path: Path) -> LockState:
    """Who holds the lock on a pidfile. Takes no lock and never waits. Raises OwnLimit.

    A daemon that starts locks a file ``NAME.tmpPID``, deletes the stale pidfile that a killed one left, and gives its
    file that name. In between there is no pidfile, and its lock proves it alive all the same.
    """
    state = _lock_of(path)
    if state.lock is not Lock.MISSING:
        return state
    drafts = [path.with_name(name) for name in names_in(path.parent) if name.startswith(f"{path.name}.tmp")]
    return next((found for found in map(_lock_of, drafts) if found.held), None) or _lock_of(path)


def _lock_of(path: Path) -> LockState:
    try:
        descriptor = open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return LockState(Lock.MISSING)
    except OSError as error:
        raise_own_limit(error)
        return LockState(Lock.UNREADABLE, why=str(error))
    try:
        # A write lock conflicts with any other. F_GETLK itself needs no right to write.
        question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    except OSError as error:
        return LockState(Lock.UNREADABLE, why=str(error))
    finally:
        os.close(descriptor)
    if kind == fcntl.F_UNLCK:
        return LockState(Lock.FREE)
    # The kernel translates the pid into our namespace, to 0 where it has none (fs/locks.c, ``locks_translate_pid``).
    return LockState(Lock.HELD, max(pid, 0))
