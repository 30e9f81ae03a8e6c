"""The worker processes of a storm, as their conductor sees them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import anyio
import msgspec

from ovsnet.bench.result import Run
from ovsnet.bench.storm.messages import End, Findings, Order, Plan, Progress, Word
from ovsnet.errors import UnfitEnvironment

LINE = 16 << 20
"""Bytes of the longest line, the findings: some hundred thousand buckets of histograms."""

PATIENCE = 30.0
"""Seconds for a worker to start, and to end."""

_word: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


class Crew:
    """``async with Crew(plans) as crew``: the workers are ready inside the block, and gone after it.

    Raises UnfitEnvironment when one of them cannot be started."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._hands = [_Hand(plan) for plan in plans]
        self._orders = 0

    async def __aenter__(self) -> Self:
        try:
            for hand in self._hands:
                await hand.start()
            await self.obeyed()
        except BaseException:
            await self._dismiss()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._dismiss()

    @property
    def pids(self) -> list[int]:
        """Of the workers."""
        return [hand.process.pid for hand in self._hands if hand.process is not None]

    @property
    def synced(self) -> int:
        """Chassis that hold what they monitor; 0 until every worker has obeyed the last order."""
        words = [hand.progress for hand in self._hands]
        return 0 if any(word.orders < self._orders for word in words) else sum(word.synced for word in words)

    @property
    def gave_up(self) -> int:
        """How often a chassis gave up on a server."""
        return sum(hand.progress.gave_up for hand in self._hands)

    def order(self, order: Order) -> None:
        """Tell all of them. Raises UnfitEnvironment when one is gone."""
        self.require_whole()
        self._orders += 1
        for hand in self._hands:
            hand.tell(order)

    async def obeyed(self) -> None:
        """Return when the last order has reached all of them."""
        with anyio.move_on_after(PATIENCE):
            while any(hand.progress.orders < self._orders for hand in self._hands):
                self.require_whole()
                await anyio.sleep(0.01)
            return
        raise UnfitEnvironment(
            "The workers of the storm do not get on.", remedy="Use fewer chassis, or more --workers."
        )

    def require_whole(self) -> None:
        """Raise UnfitEnvironment when a worker ended by itself."""
        for hand in self._hands:
            if hand.reading is not None and hand.reading.done() and hand.findings is None:
                raise UnfitEnvironment(
                    "A worker of the storm has ended.", remedy="See whether the kernel killed it for memory: dmesg."
                )

    async def end(self) -> list[Run]:
        """What each of them has found. One that does not answer is left out."""
        for hand in self._hands:
            hand.tell(End())
        reading = [hand.reading for hand in self._hands if hand.reading is not None]
        if reading:
            await asyncio.wait(reading, timeout=PATIENCE)
        return [hand.findings for hand in self._hands if hand.findings is not None]

    async def _dismiss(self) -> None:
        with anyio.CancelScope(shield=True):
            for hand in self._hands:
                await hand.dismiss()


class _Hand:
    """One worker."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.process: asyncio.subprocess.Process | None = None
        self.reading: asyncio.Task[None] | None = None
        self.progress = Progress(-1, 0, 0)
        self.findings: Run | None = None

    async def start(self) -> None:
        """Raises UnfitEnvironment."""
        try:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ovsnet.bench.storm.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=LINE,
                start_new_session=True,  # Ctrl-C is for us; a worker ends when its stdin does
            )
        except OSError as error:
            raise UnfitEnvironment(
                f"A worker of the storm cannot be started: {error.strerror}.", remedy="Use fewer --workers."
            ) from error
        self._write(self._plan)
        self.reading = asyncio.create_task(self._read(self.process))

    def tell(self, order: Order) -> None:
        self._write(order)

    async def dismiss(self) -> None:
        if self.process is not None:
            # One that has said its last word is about to be gone, and asyncio complains of a child that ends while it
            # is killed.
            with anyio.move_on_after(PATIENCE if self.reading is not None and self.reading.done() else 0):
                await self.process.wait()
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        if self.reading is not None:
            self.reading.cancel()
            await asyncio.wait([self.reading])

    def _write(self, message: Plan | Order) -> None:
        if self.process is not None and self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(msgspec.json.encode(message) + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            match _word.decode(line):
                case Progress() as progress:
                    self.progress = progress
                case Findings(run=run):
                    self.findings = run
