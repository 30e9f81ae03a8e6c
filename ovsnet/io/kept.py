"""A session that is made again whenever it is lost: what a client that stays connected is built on.

It is in one of these states, and ``reason`` says why it is not ``up``:

    connecting  an attempt is under way; one that was accepted and not greeted is held
    up          there is a session
    waiting     the last attempt failed, or the session broke too soon: the next attempt comes after a pause
    closed      by us

The pauses are those of ``link_state``: they double, and are jittered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Literal, Self, TypeVar
from weakref import WeakSet

import msgspec

from ovsnet.errors import ConnectionLost, DeadlineExceeded, OvsnetError
from ovsnet.io.held_session import HeldSession
from ovsnet.io.link_state import LinkState, State
from ovsnet.io.pending import after_next_poll

Session = TypeVar("Session", bound=HeldSession)

ClientState = Literal["connecting", "up", "waiting", "closed"]

KEPT_CHANGES = 64
"""Changes of state that a slow watcher may be behind. It misses the oldest, and always gets the newest."""


class Status(msgspec.Struct, frozen=True):
    """Where a client is, and since when in ``time.monotonic``; ``reason`` is why it is not, or was not, connected."""

    state: ClientState
    reason: OvsnetError | None
    since: float


class Changes:
    """What one watcher has not seen yet. It is forgotten when nobody holds it any more."""

    def __init__(self, status: Status) -> None:
        self._waiting = deque([status], maxlen=KEPT_CHANGES)
        self._news = asyncio.Event()
        self._over = False

    def add(self, status: Status) -> None:
        """There is a new status."""
        self._waiting.append(status)
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Status:
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        status = self._waiting.popleft()
        self._over = status.state == "closed"
        return status


class Kept(Generic[Session]):
    """``open_session`` connects. ``watch`` runs beside a session, and may end it: an inactivity probe does."""

    def __init__(
        self,
        open_session: Callable[[], Coroutine[Any, Any, Session]],
        watch: Callable[[Session], Coroutine[Any, Any, None]],
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._open_session = open_session
        self._watch = watch
        self._link = LinkState(rng or random.Random())
        self._task: asyncio.Task[None] | None = None
        self._watchers: WeakSet[Changes] = WeakSet()
        self.session: Session | None = None
        self.status = Status("connecting", None, time.monotonic())
        self.opened = 0
        """How often a connection came to be."""

    def start(self) -> None:
        """Connect, and stay connected until ``aclose``."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Close the session, or give the attempt up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        session, self.session = self.session, None
        self._become("closed", ConnectionLost("The client was closed."))
        if session is not None:
            await session.aclose()

    def changes(self) -> Changes:
        """The status now, and then every change of it from now on. It ends when the client is closed."""
        watcher = Changes(self.status)
        self._watchers.add(watcher)
        return watcher

    async def until(self, state: ClientState, timeout: float) -> Status:
        """Return when ``state`` was reached, if only for a moment. Raises DeadlineExceeded, or that it was closed."""
        try:
            async with asyncio.timeout(timeout):
                async for status in self.changes():
                    if status.state == state:
                        return status
        except TimeoutError:
            await after_next_poll()
            if self.status.state == state:
                return self.status
            raise self._late(state, timeout) from None
        raise ConnectionLost("The client was closed.")

    async def connected(self, timeout: float) -> Session:
        """The session, as soon as there is one. Raises DeadlineExceeded after ``timeout`` seconds."""
        if self.session is None:
            await self.until("up", timeout)
        return self.held()

    def held(self) -> Session:
        """The session. Raises why there is none."""
        if self.session is None:
            reason = self.status.reason or ConnectionLost("The client has not connected yet.")
            raise reason.with_traceback(None)
        return self.session

    def _late(self, state: ClientState, timeout: float) -> DeadlineExceeded:
        reason = self.status.reason
        why = "" if reason is None else f" {reason}"
        return DeadlineExceeded(
            f"The client was not {state} within {timeout:g} s.{why}", remedy="" if reason is None else reason.remedy
        )

    async def _run(self) -> None:
        while True:
            await self._pause()
            self._become("connecting", self.status.reason)
            try:
                session = await self._open_session()
            except OvsnetError as error:
                self._link.failed(error, time.monotonic())
                reason = error
            else:
                reason = await self._hold(session)
                self._link.broke(reason, time.monotonic())
            self._become("waiting" if self._link.state is State.WAITING else "connecting", reason)

    async def _pause(self) -> None:
        """Until the next attempt is due. A timer may run a moment early: the loop's clock is not ours."""
        while not self._link.asked(now := time.monotonic()):  # noqa: ASYNC110 - time alone ends it
            await asyncio.sleep(max(0.0, self._link.retry_at - now))

    async def _hold(self, session: Session) -> OvsnetError:
        """Until the session is over. Returns why."""
        self._link.opened(time.monotonic())
        self.session = session
        self.opened += 1
        self._become("up", None)
        watch = asyncio.create_task(self._watch(session))
        try:
            return await asyncio.shield(session.closed)
        finally:
            watch.cancel()
            await asyncio.wait([watch])
            if session.closed.done():
                self.session = None

    def _become(self, state: ClientState, reason: OvsnetError | None) -> None:
        if (state, reason) == (self.status.state, self.status.reason):
            return
        self.status = Status(state, reason, time.monotonic())
        for watcher in self._watchers:
            watcher.add(self.status)
