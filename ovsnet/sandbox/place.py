"""The directory that a sandbox lives in: made, filled and cleared."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ovsnet.errors import AddressError, UnfitEnvironment, UsageError
from ovsnet.io.address import Address
from ovsnet.sandbox import record
from ovsnet.sandbox.daemons import Layout

if TYPE_CHECKING:
    from ovsnet.sandbox.record import Settings

_LONGEST_SOCKET = "ovn-controller.4194304.ctl"  # with the largest pid, PID_MAX_LIMIT of the kernel
_PREFIX = "ovsnet-"


def require_short(directory: Path) -> None:
    """Raises AddressError when a socket in there would have a longer path than the kernel takes."""
    try:
        Address.unix(Layout(directory).rundir / _LONGEST_SOCKET)
    except AddressError as error:
        raise AddressError(str(error), remedy="Give the sandbox a directory with a shorter path.") from error


def make(requested: Path | None) -> tuple[Path, bool]:
    """The directory, empty, and whether it is ours to remove. A temporary one when none is requested."""
    try:
        return _make_temporary() if requested is None else _make_requested(requested)
    except OSError as error:
        where = requested or tempfile.gettempdir()
        raise UsageError(
            f"{where} cannot hold a sandbox: {error.strerror or error}.", remedy="Name another directory."
        ) from error


def require_ours(directory: Path) -> None:
    """Raises UsageError where another user could change what is in there: its record names the programs that we start
    and the processes that we end. Nobody's sandbox is taken over, not even by root. The owner of a directory above it
    could put another in its place."""
    try:
        found = directory.stat()
        above = [(each, each.stat()) for each in directory.resolve().parents]
    except OSError:
        return  # there is no sandbox: reading the record says so
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        whose = "belongs to another user" if found.st_uid != os.geteuid() else "may be written by others"
        raise UsageError(
            f"{directory} {whose}, who could make ovsnet run any program.",
            remedy="Name a directory that does not exist yet: it is made for you alone.",
        )
    trusted = {0, os.geteuid(), above[-1][1].st_uid}  # in a user namespace without a root, / is somebody else's
    for each, seen in above:
        # In a directory like /tmp, with the sticky bit, others can move only what is theirs.
        if seen.st_uid not in trusted or seen.st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
            raise UsageError(
                f"{directory} lies in {each}, whose owner or users could put another directory in its place.",
                remedy="Name a directory below your own, or below /tmp.",
            )


def furnish(layout: Layout, settings: Settings) -> None:
    """Make the parts, and note what the sandbox is."""
    try:
        for part in (layout.rundir, layout.dbdir, layout.logdir, layout.tlsdir):
            part.mkdir()
        record.write_settings(layout.directory, settings)
    except OSError as error:
        raise UnfitEnvironment(f"Cannot write {layout.directory}: {error.strerror or error}.") from error


def clear(directory: Path, *, remove: bool) -> None:
    """Remove what a sandbox made, and the directory itself if asked; but not what others put there."""
    layout = Layout(directory)
    for part in (layout.rundir, layout.dbdir, layout.logdir, layout.tlsdir):
        shutil.rmtree(part, ignore_errors=True)
    for name in (record.SETTINGS, record.PROCESSES):
        (directory / name).unlink(missing_ok=True)
    if remove and directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _make_temporary() -> tuple[Path, bool]:
    require_short(Path(tempfile.gettempdir(), f"{_PREFIX}12345678"))
    return Path(tempfile.mkdtemp(prefix=_PREFIX)), True


def _make_requested(directory: Path) -> tuple[Path, bool]:
    made = not directory.exists()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_ours(directory)
    if any(directory.iterdir()):
        remedy = f"Name an empty directory, or end the sandbox that is there: ovsnet sandbox down {directory}"
        raise UsageError(f"{directory} is not empty.", remedy=remedy)
    return directory, made
