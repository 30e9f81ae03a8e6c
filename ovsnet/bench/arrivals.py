"""Where clients come from: one as soon as another has left, or by a plan that does not care."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from ovsnet.bench.histogram import Histogram
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.timer import Timer

LAG_ALLOWED = 0.010
"""Seconds of our own lag, at the 99th percentile, beyond which a run says that its generator did not keep up."""


class Arrivals(Protocol):
    """Whatever serves clients asks for the next one."""

    async def next(self) -> float | None:
        """When the next client came, in ``time.monotonic``; None when no more will come."""
        ...


class ClosedLoop:
    """``count`` clients; one comes whenever a server task is free."""

    def __init__(self, count: int) -> None:
        self._left = count

    async def next(self) -> float | None:
        if not self._left:
            return None
        self._left -= 1
        return time.monotonic()


class OpenLoop:
    """Clients that come by a schedule, and wait in a queue while no task is free. ``feed`` must run beside."""

    def __init__(self, schedule: Schedule, lag: Histogram) -> None:
        self._schedule = schedule
        self._lag = lag
        self._queue: asyncio.Queue[float | None] = asyncio.Queue()

    async def next(self) -> float | None:
        moment = await self._queue.get()
        if moment is None:
            self._queue.put_nowait(None)  # for the other tasks
        return moment

    async def feed(self) -> None:
        """Let them come, and record how late each was through our own fault."""
        with Timer() as timer:
            while (at := self._schedule.next_at) is not None:
                await timer.until(at)
                now = time.monotonic()
                for moment in self._schedule.due(now):
                    self._lag.record(int((now - moment) * 1e9))
                    self._queue.put_nowait(moment)
        self._queue.put_nowait(None)
