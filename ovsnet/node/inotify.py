"""The kernel's inotify(7), as an asynchronous stream of events.

Three calls of the C library through ctypes. The package for it costs 1.4 MB of memory, most of it for finding that
library.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

# include/uapi/linux/inotify.h
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000

READ_SIZE = 64 << 10
_EVENT = struct.Struct("iIII")


class Event(msgspec.Struct, frozen=True):
    """What happened to ``name`` in ``directory``; ``mask`` has the IN_* bits. The directory of an overflow is None."""

    directory: Path | None
    mask: int
    name: str


class Inotify:
    """Use as ``with``. ``watch`` directories, then ``await event()``."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = _checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._directories: dict[int, Path] = {}
        self._events: deque[Event] = deque()

    @property
    def watched(self) -> set[Path]:
        """The directories that are watched now. One that was deleted is no longer."""
        return set(self._directories.values())

    def watch(self, directory: Path, mask: int) -> None:
        """Raises OSError when the directory is gone, or the user's watches are used up."""
        descriptor = _checked(self._libc.inotify_add_watch(self._fd, os.fsencode(directory), mask | IN_ONLYDIR))
        self._directories[descriptor] = directory

    async def event(self) -> Event:
        """The next event."""
        while not self._events:
            await _readable(self._fd)
            self._read()
        return self._events.popleft()

    def close(self) -> None:
        """End all watches."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        offset = 0
        while offset < len(data):
            descriptor, mask, _cookie, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            self._events.append(Event(self._directories.get(descriptor), mask, name))
            if mask & IN_IGNORED:
                self._directories.pop(descriptor, None)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)
