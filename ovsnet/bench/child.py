"""A process of ours beside a run: what must not be held up by the loop that measures, or must not hold it up.

Both sides speak one JSON object a line. The parent writes the plan, then orders; the end of its output tells the child
to finish. The child reports progress, first of all that it is ready, and ends with its findings, or with why it failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

import anyio
import msgspec
import uvloop

from ovsnet.errors import OvsnetError, UnfitEnvironment

Progress = TypeVar("Progress")
Findings = TypeVar("Findings")
Order = TypeVar("Order")
Plan = TypeVar("Plan", bound=msgspec.Struct)

LONGEST_LINE = 16 << 20
"""Bytes, for findings: some hundred thousand buckets of histograms."""

EXIT_TIMEOUT = 30.0
"""Seconds for a child that has reported its findings to exit."""


class _Line(msgspec.Struct, Generic[Progress, Findings], omit_defaults=True):
    """What a child says: one of these."""

    progress: Progress | None = None
    findings: Findings | None = None
    failure: str | None = None


class Child(Generic[Progress, Findings]):
    """The parent's end. ``module`` is a program that calls ``serve``."""

    def __init__(self, module: str, plan: msgspec.Struct, progress: type[Progress], findings: type[Findings]) -> None:
        self._module = module
        self._plan = plan
        line: Any = _Line
        self._decoder: msgspec.json.Decoder[_Line[Progress, Findings]]
        self._decoder = msgspec.json.Decoder(line[progress, findings])
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._spoke = asyncio.Event()
        self.progress: Progress | None = None
        """The latest; None until the child is ready."""
        self.findings: Findings | None = None
        self.failure = ""

    @property
    def pid(self) -> int | None:
        """Of its process, once started."""
        return self._process.pid if self._process else None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come from it."""
        return self._reading is not None and self._reading.done()

    async def start(self) -> None:
        """Raises UnfitEnvironment when the kernel starts no process."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C is for the parent; a child ends when its stdin does
            )
        except OSError as error:
            raise UnfitEnvironment(f"A process cannot be started: {error.strerror}.") from error
        self._reading = asyncio.create_task(self._read(self._process))
        self.order(self._plan)

    async def ready(self) -> bool:
        """Wait for the first progress. False when the child ended without it; ``failure`` may say why."""
        await self._spoke.wait()
        return self.progress is not None

    def order(self, message: msgspec.Struct) -> None:
        """Write an order. One to a child that is gone is lost."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")

    async def end(self, timeout: float | None = None) -> Findings | None:
        """Have it finish. None when it ends, or takes longer than ``timeout`` seconds, without findings."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=timeout)
        return self.findings

    async def dismiss(self) -> None:
        """Leave no process behind, however far it has come."""
        with anyio.CancelScope(shield=True):
            if self._process is not None:
                # asyncio complains of a child that exits while it is killed: one that has finished gets the time to.
                with anyio.move_on_after(EXIT_TIMEOUT if self.findings is not None else 0):
                    await self._process.wait()
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                said = self._decoder.decode(line)
                self.progress = said.progress or self.progress
                self.findings = said.findings or self.findings
                self.failure = said.failure or self.failure
                self._spoke.set()
        finally:
            self._spoke.set()


class Companion(Child[Progress, Findings]):
    """A child that is at work inside ``async with``. ``title`` begins its errors. Raises ``not_ready`` when it does
    not get ready, and UnfitEnvironment when it was ended from outside."""

    title = "The companion"
    not_ready: type[OvsnetError] = UnfitEnvironment

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            if not await self.ready():
                raise self.not_ready(self.failure or f"{self.title} ended before it was ready.")
        except BaseException:
            await self.dismiss()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.dismiss()

    async def end(self, timeout: float | None = None) -> Findings:
        """What it has found."""
        if (findings := await super().end(timeout)) is None:
            raise UnfitEnvironment(f"{self.title} was killed from outside.", remedy="Check dmesg for the OOM killer.")
        return findings


def serve(plan: type[Plan], work: Callable[[Plan], Awaitable[msgspec.Struct]]) -> None:
    """The program of a child: read the plan, do ``work``, say what it returns."""
    text = b""
    while not text.endswith(b"\n"):  # not through a buffer, which would take orders with it
        if not (byte := os.read(0, 1)):
            return
        text += byte
    with contextlib.suppress(BrokenPipeError):  # the parent is gone, and reads no more
        try:
            _say(_Line(findings=uvloop.run(_done(work, msgspec.json.decode(text, type=plan)))))
        except OvsnetError as error:
            _say(_Line(failure=f"{error} {error.remedy}".strip()))


async def _done(work: Callable[[Plan], Awaitable[msgspec.Struct]], plan: Plan) -> msgspec.Struct:
    return await work(plan)


def report(progress: msgspec.Struct) -> None:
    """Say how far the child is. The parent reads all the time, so this never waits for long."""
    _say(_Line(progress=progress))


def _say(line: _Line[Any, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


class Orders(Generic[Order]):
    """The child's end of the orders, which are of the type, or the union of types, ``order``. ``obey`` gets each as it
    comes. ``ended`` is set when the parent wants the findings, or is gone."""

    def __init__(self, order: object, obey: Callable[[Order], None]) -> None:
        self._decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(cast("type[Order]", order))
        self._obey = obey
        self._pending = b""
        self.ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(0, self._readable)

    def _readable(self) -> None:
        if not (read := os.read(0, 65536)):
            self.close()
            self.ended.set()
            return
        *lines, self._pending = (self._pending + read).split(b"\n")
        for line in lines:
            self._obey(self._decoder.decode(line))

    def close(self) -> None:
        """Read no more."""
        asyncio.get_running_loop().remove_reader(0)
