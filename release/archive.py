"""Reproducible archives: sorted names, one timestamp, no owner, modes that depend on the kind of file only."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path


def zipped(files: Iterable[tuple[str, bytes]], epoch: int) -> bytes:
    """A zip archive, stored without compression: its members are compressed already."""
    buffer = io.BytesIO()
    moment = time.gmtime(max(epoch, 315532800))[:6]  # zip files begin in 1980
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files):
            member = zipfile.ZipInfo(name, moment)
            member.external_attr = 0o100644 << 16
            member.create_system = 3  # Unix, whatever makes it
            archive.writestr(member, content)
    return buffer.getvalue()


def by_name(files: Iterable[Path]) -> list[Path]:
    """In the order of their names, regardless of the directories they are in."""
    return sorted(files, key=lambda file: file.name)


def unzip(wheel: Path, target: Path) -> None:
    """Unpack the libraries of a wheel into ``target``, without its scripts, which nothing calls."""
    require_plain(wheel)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if ".data/scripts/" not in name])


def require_plain(wheel: Path) -> None:
    """Raise ValueError for a wheel whose files belong elsewhere than side by side: unzipping would misplace them."""
    with zipfile.ZipFile(wheel) as archive:
        odd = [name for name in archive.namelist() if ".." in name or name[0] == "/"]
        odd += [name for name in archive.namelist() if ".data/" in name and ".data/scripts/" not in name]
    if odd:
        raise ValueError(f"{wheel.name} has files for other places than site-packages: {odd}")


def settle(tree: Path, epoch: int) -> None:
    """Give everything in a tree the same timestamp, and modes that do not depend on the umask."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            program = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if program else 0o644)
            os.utime(path, (epoch, epoch))
    tree.chmod(0o755)
    os.utime(tree, (epoch, epoch))
