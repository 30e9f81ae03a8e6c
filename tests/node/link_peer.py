"""The other end of a link, which opens what the test says, and a clock that stops until the test moves it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from ovsnet.errors import ConnectionLost, PeerError
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.io.transport import Channel
from ovsnet.node.link import Link
from tests.io.mute import Mute
from tests.patience import PATIENCE


class FakeSession(HeldSession):
    """A session that lasts until the test breaks it; it never was connected to anything."""

    def __init__(self) -> None:
        super().__init__(Channel(Address.unix("/nowhere"), Mute(), lambda events: None, lambda error: None))
        self.channel.heard_at = 12.5
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.leads_here = True

    @property
    def named(self) -> bool:
        return self.leads_here

    async def aclose(self) -> None:
        await self.may_close.wait()
        await super().aclose()

    def lose(self, error: PeerError) -> None:
        self.channel.abort(error)


class Peer:
    """What ``open_session`` does next, and a clock that stops until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.attempts = 0
        self.sessions: list[FakeSession] = []
        self.changes = 0
        self.questions = 0
        self.refusal: Exception | None = None
        self.greeting: asyncio.Event | None = None
        self.tried = asyncio.Event()

    async def open(self) -> FakeSession:
        self.attempts += 1
        self.tried.set()
        if self.greeting is not None:
            await self.greeting.wait()
        if self.refusal is not None:
            raise self.refusal
        self.sessions.append(FakeSession())
        return self.sessions[-1]

    def changed(self) -> None:
        self.changes += 1

    def asked(self) -> None:
        self.questions += 1

    def link(self, open_session: Callable[[], Coroutine[Any, Any, FakeSession]] | None = None) -> Link[FakeSession]:
        return Link(
            open_session or self.open,
            on_change=self.changed,
            on_ask=self.asked,
            clock=lambda: self.now,
            rng=random.Random(1),
        )

    async def lose(self, after: float, error: PeerError | None = None) -> None:
        """Break the newest session ``after`` seconds of its life."""
        self.now += after
        self.sessions[-1].lose(error or ConnectionLost("gone"))
        await asyncio.sleep(0)

    async def retries_after(self, link: Link[FakeSession]) -> float:
        """Seconds until an attempt is made; the clock is moved there."""
        start, before = self.now, self.attempts
        while self.attempts == before:
            self.now += 0.001
            with suppress(PeerError):
                await link.session(PATIENCE)
        return self.now - start
