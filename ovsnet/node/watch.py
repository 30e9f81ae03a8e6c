"""Tell at once when a socket appears in a run directory, or goes.

/run is empty after a boot, so a run directory may itself appear later: then its nearest ancestor that exists is
watched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from pathlib import Path

from ovsnet.node.inotify import IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO, IN_Q_OVERFLOW, Inotify

COMES_OR_GOES = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM

EVERYTHING = ""
"""The name that stands for all: a directory came or went, or the kernel dropped events."""


async def changes(directories: Collection[Path]) -> AsyncIterator[str]:
    """Names of the files that appear in the directories or vanish from them; ``EVERYTHING`` first, and after a gap."""
    with Inotify() as inotify:
        _arm(inotify, directories)
        yield EVERYTHING
        while True:
            event = await inotify.event()
            again = _arm(inotify, directories)
            if again or event.directory not in directories or event.mask & IN_Q_OVERFLOW:
                yield EVERYTHING
            elif event.name:
                yield event.name


def _arm(inotify: Inotify, directories: Collection[Path]) -> bool:
    """Watch each directory, or its nearest ancestor. True when a watch is new."""
    missing = {_nearest(directory) for directory in directories} - inotify.watched
    for place in missing:
        with suppress(FileNotFoundError, NotADirectoryError):  # gone again: its ancestor tells when it comes back
            inotify.watch(place, COMES_OR_GOES)
    return bool(missing)


def _nearest(directory: Path) -> Path:
    return next(place for place in (directory, *directory.parents) if place.is_dir())
