"""Whether the file system that holds a daemon's database takes another change.

A server that cannot write refuses each transaction that changes something ("I/O error" in its answer), and serves every
reader as before (ovsdb/log.c, ``ovsdb_log_write``). So the file system is looked at, and no write is needed. What is
looked at are the files that the process has open: by /proc/PID/fd they are reached without their names, out of any
mount namespace.

A standalone server writes again as soon as there is room: ``ovsdb_log_write`` starts over behind the last good record.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import read_text
from ovsnet.node.mounts import has_stopped

LEAST_ROOM = 16 << 10
"""Bytes: a change that makes a port has one or two kilobytes. Less is said to be full."""

MOST_FILES = 1 << 14
"""Descriptors of one process that are looked at."""

SYS_RESOURCE = 1 << 24
"""CAP_SYS_RESOURCE, which may use the blocks that a file system keeps back (capabilities(7))."""

_LOCK = re.compile(r"(?P<directory>/.*)/\.(?P<name>[^/]+)\.~lock~")
"""The lock beside each database that a server may write (lib/lockfile.c, ``lockfile_name``)."""

_CAPABILITIES = re.compile(r"^CapEff:\s*([0-9a-f]+)$", re.MULTILINE)


class Storage(msgspec.Struct, frozen=True):
    """A database file by the name that its server has for it, and the bytes that are free for that server. ``here``:
    the name leads us to the same file."""

    path: str
    free: int
    read_only: bool
    here: bool = True

    @property
    def writable(self) -> bool:
        """Whether it takes another change."""
        return not self.read_only and self.free >= LEAST_ROOM


def storages(pid: int, proc: Path = Path("/proc")) -> list[Storage]:
    """Those of each database that the process has open to write, the first that takes no change in front.

    Empty when none can be seen: it serves none from a file, or is another user's. Raises OwnLimit.
    """
    try:
        found = [_storage(entry, name, proc / str(pid)) for entry, name in databases(proc / str(pid) / "fd")]
    except OSError as error:
        raise_own_limit(error)
        return []
    return sorted((each for each in found if each is not None), key=lambda each: each.writable)


def databases(directory: Path) -> Iterator[tuple[Path, str]]:
    """Of the directory of a process's descriptors: those of databases that it may write, with the names of these."""
    names: dict[str, str] = {}
    for number in sorted(os.listdir(directory), key=int)[:MOST_FILES]:
        try:
            names.setdefault(os.readlink(f"{directory}/{number}"), number)
        except FileNotFoundError:  # it was closed meanwhile
            continue
    for locked in [lock for name in names if name.endswith(".~lock~") and (lock := _LOCK.fullmatch(name))]:
        path = f"{locked['directory']}/{locked['name']}"
        if path in names:
            yield directory / names[path], path


def _storage(entry: Path, name: str, process: Path) -> Storage | None:
    found = os.statvfs(entry)
    if not found.f_blocks:  # it does not count
        return None
    # The flags are those of the mount and of the file system, which errors=remount-ro makes read-only (fs/statfs.c);
    # not so ext4's in Linux 6.15 and later.
    read_only = bool(found.f_flag & os.ST_RDONLY) or _stopped_at_an_error(os.stat(entry).st_dev, process)
    return Storage(name, room(found, process), read_only, _is_same(entry, name))


def _stopped_at_an_error(device: int, process: Path) -> bool:
    """A host may have thousands of mounts: they are read only if ext4 has counted an error of that device
    (Documentation/ABI/testing/sysfs-fs-ext4), now or before its last repair."""
    try:
        block = os.path.basename(os.readlink(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"))
        counted = int(read_text(f"/sys/fs/ext4/{block}/errors_count"))
    except (OSError, ValueError):  # another kind of file system
        return False
    return counted > 0 and has_stopped(device, process)


def room(found: os.statvfs_result, process: Path) -> int:
    """The bytes of a file system that are free to the process of this directory of /proc."""
    return (found.f_bfree if _uses_reserve(process) else found.f_bavail) * found.f_frsize


def _is_same(entry: Path, name: str) -> bool:
    try:
        return os.path.samefile(entry, name)
    except OSError:
        return False


def _uses_reserve(process: Path) -> bool:
    held = _CAPABILITIES.search(read_text(process / "status"))
    return held is not None and bool(int(held[1], 16) & SYS_RESOURCE)
