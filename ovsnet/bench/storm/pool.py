"""The worker processes of a storm, as its coordinator sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import anyio

from ovsnet.bench.child import Child
from ovsnet.bench.storm.messages import Order, WorkerFindings, WorkerPlan, WorkerProgress
from ovsnet.errors import UnfitEnvironment

WORKER = "ovsnet.bench.storm.worker"

WORKER_TIMEOUT = 30.0
"""Seconds for a worker to start, to obey, and to end."""


class Pool:
    """``async with Pool(plans) as pool``: the workers are ready inside the block, and gone after it.

    Raises UnfitEnvironment when one of them cannot be started."""

    def __init__(self, plans: Sequence[WorkerPlan]) -> None:
        self._workers = [Child(WORKER, plan, WorkerProgress, WorkerFindings) for plan in plans]
        self._orders = 0

    async def __aenter__(self) -> Self:
        try:
            for worker in self._workers:
                await worker.start()
            await self._obeyed()
        except BaseException:
            await self._dismiss()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._dismiss()

    @property
    def synced(self) -> int:
        """Chassis that hold what they monitor; 0 until every worker has obeyed the last order."""
        return sum(progress.synced for progress in self._progress()) if self._all_obeyed() else 0

    @property
    def gave_up(self) -> int:
        """How often a chassis gave up on a server."""
        return sum(progress.gave_up for progress in self._progress())

    def order(self, order: Order) -> None:
        """Send it to all of them. Raises UnfitEnvironment when one is gone."""
        self.require_whole()
        self._orders += 1
        for worker in self._workers:
            worker.order(order)

    def require_whole(self) -> None:
        """Raise UnfitEnvironment when a worker ended by itself."""
        for worker in self._workers:
            if worker.ended and worker.findings is None:
                raise UnfitEnvironment(
                    f"A storm worker exited unexpectedly. {worker.failure}".strip(),
                    remedy="Check dmesg for the OOM killer.",
                )

    async def end(self) -> list[WorkerFindings]:
        """What each of them has found. One that does not answer is left out."""
        found = await asyncio.gather(*(worker.end(WORKER_TIMEOUT) for worker in self._workers))
        return [findings for findings in found if findings is not None]

    def _progress(self) -> list[WorkerProgress]:
        return [worker.progress for worker in self._workers if worker.progress is not None]

    def _all_obeyed(self) -> bool:
        progress = self._progress()
        return len(progress) == len(self._workers) and all(each.orders >= self._orders for each in progress)

    async def _obeyed(self) -> None:
        """Return when the last order has reached all of them."""
        with anyio.move_on_after(WORKER_TIMEOUT):
            while not self._all_obeyed():
                self.require_whole()
                await anyio.sleep(0.01)
            return
        raise UnfitEnvironment(
            "The storm workers are making no progress.", remedy="Use fewer chassis, or more --workers."
        )

    async def _dismiss(self) -> None:
        for worker in self._workers:
            await worker.dismiss()
