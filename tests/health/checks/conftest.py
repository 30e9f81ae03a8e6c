"""A way to put checks to a sandbox node."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from ovsnet.config import Settings
from ovsnet.health.checks.result import Result
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE


class Asker:
    """``await ask(NAME)`` is what the check says, behind those it needs. Connections are held between two asks."""

    def __init__(self, node: Node) -> None:
        self.node = node

    async def __call__(self, name: str) -> Result:
        return (await ask_all(with_needs([name]), self.node))[name]

    async def until(self, name: str, fact: Callable[[Result], bool]) -> Result:
        """Ask until ``fact`` holds. There is no event to wait for: it lies in another process."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if fact(result := await self(name)):
                    return result
                await asyncio.sleep(0.02)


class Asking(Protocol):
    """What the fixture gives."""

    def __call__(
        self,
        sandbox: Sandbox,
        *,
        timeout: float = ...,
        hung_after: float = ...,
        broken_after: float = ...,
        compacted_within: float = ...,
    ) -> AbstractAsyncContextManager[Asker]: ...


@pytest.fixture
def asking() -> Asking:
    """``async with asking(sandbox) as ask``.

    The timeout is longer than any stall of a loaded machine; a test that freezes a daemon gives a shorter one.
    """

    @contextlib.asynccontextmanager
    async def hold(
        sandbox: Sandbox,
        *,
        timeout: float = 20.0,
        hung_after: float = 60.0,
        broken_after: float = 60.0,
        compacted_within: float = 1800.0,
    ) -> AsyncIterator[Asker]:
        settings = Settings(
            timeout=timeout, hung_after=hung_after, broken_after=broken_after, compacted_within=compacted_within
        )
        rundir = Rundir(sandbox.rundir, sandbox.rundir)
        async with Node(settings, rundir, clock=time.monotonic, rng=random.Random(1)) as node:
            yield Asker(node)

    return hold
