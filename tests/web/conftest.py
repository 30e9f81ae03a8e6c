"""An agent that nobody runs: a test writes on its health and moves its clock, and asks over real sockets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir
from ovsnet.web import pages
from ovsnet.web.server import serving
from tests.health.results import result


class BoardedAgent(Agent):
    """Its time stands still at ``now``."""

    def __init__(self, settings: Settings, rundir: Rundir) -> None:
        super().__init__(settings, rundir)
        self.now = self.ticked_at
        self.clock = self.node.clock = lambda: self.now

    def tell(self, name: str, status: Status = Status.OK, reason: str = "", detail: str = "") -> list[Change]:
        """One check's result, as of now. Returns what it changed."""
        rtt = 0.001 if status is Status.OK else None
        return self.health.record([result(name, status, self.now, reason, detail, rtt_seconds=rtt)], self.now)

    @property
    def listeners(self) -> int:
        """How many are told of changes."""
        return len(self._listeners)

    def announce(self, change: Change) -> None:
        """Tell them."""
        for listener in self._listeners:
            listener(change)

    def all_well(self) -> None:
        """Every check is ok, so the start is over."""
        for name in CHECKS:
            self.tell(name)


@dataclass(frozen=True)
class Served:
    """A served agent; ``get`` asks it with aiohttp's client, ``host`` and ``port`` are for raw sockets."""

    agent: BoardedAgent
    urls: list[str]
    client: aiohttp.ClientSession

    @property
    def host(self) -> str:
        return urlsplit(self.urls[0]).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.urls[0]).port or 0

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers."""
        async with self.client.request(method, self.urls[0] + path, headers=headers) as response:
            return response.status, await response.text(), dict(response.headers)


Connector = Callable[[], Awaitable[aiohttp.BaseConnector]]


class Serve(Protocol):
    """What the fixture gives."""

    def __call__(
        self, *listeners: str, connector: Connector | None = ..., **settings: float | str | tuple[str, ...]
    ) -> AbstractAsyncContextManager[Served]: ...


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """``async with serve() as served``: an agent that has been told nothing yet, on a free port. No scrape is answered
    with what was true a few milliseconds before."""
    monkeypatch.setattr(pages, "REST", 0.0)

    @contextlib.asynccontextmanager
    async def serve(
        *listeners: str, connector: Connector | None = None, **settings: float | str | tuple[str, ...]
    ) -> AsyncIterator[Served]:
        agent = BoardedAgent(msgspec.convert(settings, Settings), Rundir(tmp_path, tmp_path))
        async with (
            serving(agent, listeners or ("127.0.0.1:0",)) as urls,
            aiohttp.ClientSession(connector=await connector() if connector else None) as client,
        ):
            yield Served(agent, urls, client)

    return serve
