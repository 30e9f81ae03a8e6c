"""A running agent, and what it tells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import anyio
import msgspec
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir
from tests.patience import PATIENCE


class Watched:
    """An agent with all that it told since the start. A fact is waited for at its own news; 30 s end a lost hope."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.changes: list[Change] = []
        self._told = asyncio.Event()
        agent.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        self.changes.append(change)
        self._told.set()

    @property
    def codes(self) -> list[str]:
        """Every diagnosis that was told, in order."""
        return [change.diagnosis.code for change in self.changes if change.diagnosis is not None]

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fact():
                self._told.clear()
                await self._told.wait()

    async def rounds(self, count: int) -> None:
        """Return when every fast check was asked ``count`` times more."""
        results = self.agent.health.results
        fast = [name for name, check in CHECKS.items() if check.every <= 1.0]
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                before = {name: results[name].at for name in fast}
                while any(results[name].at == before[name] for name in fast):  # noqa: ASYNC110 - no news tells of them
                    await asyncio.sleep(0.005)

    async def diagnosis(self, *codes: str) -> Diagnosis:
        """The diagnosis as soon as its code is one of these."""
        await self.until(lambda: self.agent.health.diagnosis.code in codes)
        return self.agent.health.diagnosis


class Watching(Protocol):
    """What the fixture gives."""

    def __call__(self, rundir: Path, **settings: float | str) -> AbstractAsyncContextManager[Watched]: ...


@pytest.fixture
def watching() -> Watching:
    """``async with watching(rundir, interval=0.1) as watched``: the agent's first round is over inside the block."""

    @contextlib.asynccontextmanager
    async def watch(rundir: Path, **settings: float | str) -> AsyncIterator[Watched]:
        agent = Agent(msgspec.convert(settings, Settings), Rundir(rundir, rundir))
        watched = Watched(agent)
        async with anyio.create_task_group() as tasks:
            await tasks.start(agent.run)
            yield watched
            tasks.cancel_scope.cancel()

    return watch
