"""Reach a directory by the name that another process has for it.

In a container /run/openvswitch may be a mount of a directory that has another name here, or that has none. Then
/proc/PID/root leads there, as long as that process lives; so the same directory under a name of our own is preferred.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_head
from ovsnet.node.host_files import Host

MOST_BYTES = 16 << 20
"""Of one mountinfo; the kernel allows 100,000 mounts (fs.mount-max)."""

_ESCAPED = re.compile(r"\\([0-7]{3})")
"""Blanks, tabs, newlines and backslashes (fs/proc_namespace.c, ``mangle``)."""


class Mount(msgspec.Struct, frozen=True):
    """``root`` is the directory of the file system ``device`` that is seen at ``point``. ``read_only`` may be the mount
    or the whole file system."""

    device: str
    root: PurePosixPath
    point: PurePosixPath
    read_only: bool = False


def mounts(mountinfo: str) -> list[Mount]:
    """The lines of /proc/PID/mountinfo (proc(5)), as that process sees them."""
    return [Mount(each[2], _path(each[3]), _path(each[4]), _is_read_only(each[5])) for each in _fields(mountinfo)]


def _fields(mountinfo: str) -> Iterator[list[str]]:
    """ID, parent, device, root, mount point, and the rest of each line."""
    return (fields for line in mountinfo.split("\n") if len(fields := line.split(" ", 5)) == 6)


def _is_read_only(rest: str) -> bool:
    """Of the options of the mount, and of those of the file system at the end of the line."""
    options = (rest.partition(" ")[0], rest.rpartition(" ")[2])
    return any("ro" in each.split(",") for each in options) or _has_stopped(rest)


def _has_stopped(rest: str) -> bool:
    """Whether the file system takes no change since the kernel found an error in it. Since Linux 6.15 ext4 stays "rw"
    then, to mount(8) and statvfs(3) alike, and adds this word (fs/ext4/super.c, ``_ext4_show_options``)."""
    return "emergency_ro" in rest.rpartition(" ")[2].split(",")


def has_stopped(device: int, process: Path) -> bool:
    """The same of the file system of ``device``, a number of stat(2), among the mounts that the process of this
    directory of /proc sees. Raises nothing."""
    name = f"{os.major(device)}:{os.minor(device)}"
    return any(each[2] == name and _has_stopped(each[5]) for each in _fields(_text(process)))


def mounted_alone(paths: Collection[str], proc: Path = Path("/proc")) -> str | None:
    """The first of these sockets that is itself a mount: it stays the one that its server made before a restart, for
    the name alone was made again (the directory's entry, not this inode). Raises nothing."""
    points = {_unescaped(fields[4]) for fields in _fields(_text(proc / "self"))}
    return next((path for path in paths if path in points or os.path.realpath(path) in points), None)


def reach(directory: str, pid: int, proc: Path = Path("/proc")) -> Path | None:
    """Where we can open what the process calls ``directory``; None when it is gone or hidden. Raises nothing."""
    try:
        there = Host(proc / str(pid) / "root").locate(directory)
        target = there.stat()
    except (OSError, ValueError, UnfitEnvironment):
        return None
    ours = sorted(map(Path, _names_here(there, pid, proc)), key=lambda path: len(path.parts))
    return next((each for each in (Path(directory), *ours) if _is(each, target)), there)


def _names_here(there: Path, pid: int, proc: Path) -> Iterator[PurePosixPath]:
    """What our own mounts call the directory that the process' mounts make appear at ``there``."""
    inside = PurePosixPath("/") / there.relative_to(proc / str(pid) / "root")
    theirs = [each for each in _read(proc / str(pid)) if inside.is_relative_to(each.point)]
    if not theirs:
        return
    mount = max(theirs, key=lambda each: len(each.point.parts))
    on_device = mount.root / inside.relative_to(mount.point)
    for each in _read(proc / "self"):
        if each.device == mount.device and on_device.is_relative_to(each.root):
            yield each.point / on_device.relative_to(each.root)


def _read(process: Path) -> list[Mount]:
    return mounts(_text(process))


def _text(process: Path) -> str:
    try:
        return os.fsdecode(read_head(process / "mountinfo", MOST_BYTES))
    except OSError:
        return ""


def _path(text: str) -> PurePosixPath:
    return PurePosixPath(_unescaped(text))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def _is(path: Path, target: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), target)
    except OSError:
        return False
