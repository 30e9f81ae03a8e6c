"""Wake up on time: uvloop's own timers know whole milliseconds, and a client that comes a millisecond late would count
it as the daemon's.

A timerfd (timerfd_create(2)) is a descriptor that the loop watches like a socket. Python has it from 3.13 on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import struct
import time
from types import TracebackType
from typing import Self

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_ITIMERSPEC = struct.Struct("4l")
_libc = ctypes.CDLL(None, use_errno=True)


class Timer:
    """One sleeper. Times are those of ``time.monotonic``."""

    def __init__(self) -> None:
        self._fd: int = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._loop.add_reader(self._fd, self._rang)

    async def until(self, at: float) -> None:
        """Sleep until ``at``, to some 50 us on an idle machine."""
        if at <= time.monotonic():
            await asyncio.sleep(0)
            return
        self._waiter = self._loop.create_future()
        seconds = int(at)
        moment = _ITIMERSPEC.pack(0, 0, seconds, int((at - seconds) * 1e9))
        _libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, moment, None)
        await self._waiter

    def close(self) -> None:
        """Give the descriptor back."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _rang(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
