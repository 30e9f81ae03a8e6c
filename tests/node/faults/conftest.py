"""An agent with its web server on a node that a test breaks, and the one question all these tests ask of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import aiohttp
import msgspec
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.web.server import serving
from tests.patience import PATIENCE

Setting = float | str | tuple[str, ...]
"""A field of ``Settings``."""


BRISK = {"interval": 0.1, "timeout": 0.4, "hung_after": 0.8, "dead_after": 0.5, "restarts": 100}
"""The default settings, sped up. The timeout stays above what a loaded machine takes from a living daemon."""


ABSENT = ("not-used", "elsewhere")
"""Reasons of checks that ask for what this node does not have."""


class Watched:
    """An agent with all that it told: the diagnoses in order, and their ``codes``."""

    def __init__(self, agent: Agent, url: str, client: aiohttp.ClientSession) -> None:
        self.agent = agent
        self.url = url
        self.told: list[Diagnosis] = []
        self._client = client
        self._news = asyncio.Event()
        agent.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        if change.diagnosis is not None:
            self.told.append(change.diagnosis)
        self._news.set()

    @property
    def codes(self) -> list[str]:
        return [diagnosis.code for diagnosis in self.told]

    @property
    def diagnosis(self) -> Diagnosis:
        return self.agent.health.diagnosis

    @property
    def blamed(self) -> list[str]:
        """What it told that is not true of a node that works, started a moment ago, on a machine with much to do."""
        well = {"healthy", "starting"}
        return [code for code in self.codes if code not in well and not code.endswith("-slow")]

    def names(self, status: Status) -> set[str]:
        """Checks of that status; those that the node has no use for are left out."""
        results = self.agent.health.results.values()
        return {each.name for each in results if each.status is status and each.reason not in ABSENT}

    @property
    def not_used(self) -> set[str]:
        """Checks that the node has no use for."""
        return {each.name for each in self.agent.health.results.values() if each.reason in ABSENT}

    async def until(self, fact: Callable[[], object], what: str = "") -> None:
        """Return as soon as ``fact`` holds. What the agent tells wakes us; time alone changes the rest."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not fact():
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.05)
        except TimeoutError:
            raise AssertionError(f"{what} never came. {self._story()}") from None

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with self._client.get(self.url + path) as response:
            return response.status, await response.text()

    async def says(
        self,
        code: str,
        *,
        also: Collection[str] = (),
        failed: Collection[str] = (),
        skipped: Collection[str] = (),
        fact: str = "",
    ) -> Diagnosis:
        """The diagnosis as soon as it is this one, these others stand beside it, exactly these checks fail, and
        ``fact`` is in its evidence. A daemon that goes is seen in steps, so all of it is awaited together."""

        def said() -> bool:
            found = self.diagnosis
            return (
                (found.code, set(found.also)) == (code, set(also))
                and self.names(Status.FAILED) == set(failed)
                and self.names(Status.SKIPPED) >= set(skipped)
                and (not fact or any(fact in each for each in found.evidence))
                and self.agent.health.ready is found.state.serves  # the hysteresis is over
            )

        await self.until(said, f"{code}, {failed} failed, {skipped} skipped, {fact!r}")
        return self.diagnosis

    async def tells(
        self,
        code: str,
        *,
        state: str,
        fact: str,
        failed: Collection[str] = (),
        skipped: Collection[str] = (),
        also: Collection[str] = (),
        dead: bool = False,
    ) -> Diagnosis:
        """The whole verdict, in the health and over HTTP: the root, the ``fact`` that shows it, nobody else blamed."""
        diagnosis = await self.says(code, also=also, failed=failed, skipped=skipped, fact=fact)
        assert diagnosis.state.label == state
        assert diagnosis.dead is dead
        await self._readyz_agrees(diagnosis)
        await (self._livez_fails_in_time() if dead else self._livez_passes())
        assert self.diagnosis.code == code
        return diagnosis

    async def recovers(self) -> None:
        """Healthy again, by every face."""
        await self.says("healthy")
        # A daemon that is back opens the stages of its start again: each is over with the next answer of its check.
        await self.until(lambda: self.agent.health.timeline.waiting_for() is None, "The last stage")
        assert await self.get("/readyz") == (200, "ok\n")
        assert await self.get("/ovs/livez") == (200, "ok\n")
        assert (await self.get("/startupz"))[0] == 200

    async def _readyz_agrees(self, diagnosis: Diagnosis) -> None:
        status, body = await self.get("/readyz")
        if diagnosis.state.serves:
            assert (status, body) == (200, "ok\n")
            _, body = await self.get("/readyz?verbose")
        else:
            assert status == 503
            assert body.endswith("readyz check failed\n")
        now = self.diagnosis  # a remedy that says how many seconds are left changes with each of them
        assert any(body.startswith(f"{each.code}: {each.summary}\n{each.remedy}\n") for each in (diagnosis, now))
        assert all(f"[-]{name} failed: " in body for name in self.names(Status.FAILED))

    async def _livez_passes(self) -> None:
        assert self.agent.health.dead_since is None
        assert await self.get("/ovs/livez") == (200, "ok\n")

    async def _livez_fails_in_time(self) -> None:
        """Not before ``dead_after`` seconds of proof, and then for certain."""
        health, dead_after = self.agent.health, self.agent.settings.dead_after
        while (await self.get("/ovs/livez"))[0] == 200:
            await asyncio.sleep(0.02)
            assert health.dead_since is not None
        assert health.dead_for(self.agent.clock()) > dead_after
        _, body = await self.get("/ovs/livez")
        assert body.startswith(self.diagnosis.code)

    def _story(self) -> str:
        told = [
            f"{each.name} {each.status} {each.reason}: {each.detail}" for each in self.agent.health.results.values()
        ]
        ready = self.agent.health.ready
        return "\n".join([f"The agent told {self.codes}, says {self.diagnosis}, and is ready: {ready}.", *told])


class Watching(Protocol):
    """What the fixture gives."""

    def __call__(self, node: Sandbox, **settings: Setting) -> AbstractAsyncContextManager[Watched]: ...


@pytest.fixture
def watching() -> Watching:
    """``async with watching(node) as agent``: its first round of checks is over inside the block."""

    @contextlib.asynccontextmanager
    async def watch(node: Sandbox, **settings: Setting) -> AsyncIterator[Watched]:
        agent = Agent(msgspec.convert(BRISK | settings, Settings), Rundir(node.rundir, node.rundir))
        async with serving(agent, ["127.0.0.1:0"]) as urls, aiohttp.ClientSession() as client:
            watched = Watched(agent, urls[0], client)
            running = asyncio.create_task(agent.run())
            try:
                await watched.until(lambda: set(agent.health.results) == set(CHECKS), "The first round")
                yield watched
            finally:
                running.cancel()
                await asyncio.wait([running])

    return watch
