"""A client that stays connected: what those of OVSDB and OpenFlow have in common.

Its session is made again whenever it is lost. The client is in one of these states, and ``status.reason`` says why it
is not ``up``:

    connecting  an attempt is under way; one that was accepted and not greeted is held
    up          there is a session
    waiting     the last attempt failed, or the session broke too soon: the next attempt comes after a pause
    closed      by us, or by a fault of ours

The pauses are those of ``link_state``: they double, and are jittered.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Generic, Literal, Protocol, Self, TypeVar
from weakref import WeakSet

import msgspec

from ovsnet.errors import ConnectionLost, DeadlineExceeded, OvsnetError, PeerError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.deadline import EVER, Deadline, require_seconds
from ovsnet.io.ending import Ending
from ovsnet.io.fault import fault
from ovsnet.io.link_state import LONGEST_BACKOFF, LONGEST_FAR_BACKOFF, LinkState, State
from ovsnet.io.pending import after_next_poll
from ovsnet.texts import seconds

ClientState = Literal["connecting", "up", "waiting", "closed"]

KEPT_CHANGES = 64
"""Changes of state that a slow watcher may be behind. It misses the oldest, and always gets the newest."""

NOT_STARTED = "Enter the client with `async with`, or call its start()."
"""What to do about a client that does not try to connect."""

PROBE = 5.0
"""Seconds of silence before the peer is sent an echo, and then for its answer, as in OVS (lib/reconnect.h,
RECONNECT_DEFAULT_PROBE_INTERVAL)."""


class Echoes(Protocol):
    """What is asked of a session here: a HeldSession whose peer sends echoes back."""

    @property
    def closed(self) -> Ending: ...

    @property
    def heard_at(self) -> float: ...

    @property
    def patient(self) -> bool: ...

    async def echo(self, *, timeout: float) -> float: ...

    def fail(self, error: PeerError) -> None: ...

    async def aclose(self) -> None: ...


Session = TypeVar("Session", bound=Echoes)


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


class KeptClient(ABC, Generic[Session]):
    """Every ``probe`` seconds in which the peer said nothing it is sent an echo; silence for as many again ends the
    connection, unless a large answer is due, whose silence has a bound of its own. None sends none: then only the
    kernel says that a connection is lost. A ``probe`` of 0 or less is a UsageError, and so is such a pause.

    Without ``wait`` a call that finds no connection fails at once with the reason, in place of waiting for one up to
    its deadline. Pauses between attempts grow to ``longest_pause`` seconds; without a number to 1 for sockets of this
    host, and to 8 for others. ``peers`` is what is connected to.
    """

    def __init__(
        self,
        peers: Sequence[Address],
        *,
        wait: bool = True,
        probe: float | None = PROBE,
        longest_pause: float | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if probe is not None and not probe > 0.0:
            raise UsageError(
                f"The probe interval must be greater than 0 s, not {probe!r} s.", remedy="Give None to send no echoes."
            )
        if longest_pause is not None and not longest_pause > 0.0:
            raise UsageError(
                f"The longest pause must be greater than 0 s, not {longest_pause!r} s.",
                remedy="Give None for the usual pauses.",
            )
        self._peer = ", ".join(map(str, peers))
        self._wait = wait
        self._probe = probe
        far = any(each.scheme != "unix" for each in peers)
        usual = LONGEST_FAR_BACKOFF if far else LONGEST_BACKOFF
        self._link = LinkState(rng or random.Random(), usual if longest_pause is None else longest_pause)
        self._task: asyncio.Task[None] | None = None
        self._watchers: WeakSet[Changes] = WeakSet()
        self._session: Session | None = None
        self._status = Status("connecting", None, time.monotonic())

    @abstractmethod
    async def _connect(self) -> Session:
        """One attempt. Raises why it failed."""

    @property
    def state(self) -> ClientState:
        """``connecting``, ``up``, ``waiting`` for the next attempt, or ``closed``."""
        return self._status.state

    @property
    def status(self) -> Status:
        """The state, why it is not ``up``, and since when."""
        return self._status

    @property
    def session(self) -> Session | None:
        """The connection that there is now. One that is over is none, whether its end was dealt with or not."""
        session = self._session
        return None if session is None or session.closed.done() else session

    def changes(self) -> Changes:
        """The status now, and then every change of it, until the client is closed.

        A watcher that is slower than the peer comes and goes misses the oldest changes, never the newest.
        """
        watcher = Changes(self._status)
        self._watchers.add(watcher)
        return watcher

    async def until(self, state: ClientState, *, timeout: float) -> Status:
        """Return when ``state`` was reached, if only for a moment. Raises DeadlineExceeded after ``timeout`` seconds,
        with the reason why it was not; and that the client was closed."""
        try:
            async with asyncio.timeout(require_seconds(timeout)):
                async for status in self.changes():
                    if status.state == state:
                        return status
        except TimeoutError:
            await after_next_poll()
            if self.state == state:
                return self._status
            raise self._late(state, timeout) from None
        raise self._status.reason.with_traceback(None) if self._status.reason is not None else self._closed()

    async def connected(self, *, timeout: float) -> Session:
        """The session, as soon as there is one. It ends with its connection, and the client makes another. Raises
        DeadlineExceeded after ``timeout`` seconds."""
        deadline = Deadline(timeout)
        while (session := self.session) is None:
            if self.state == "up":
                await after_next_poll()  # it is over, and the client is about to see that
            else:
                await self.until("up", timeout=deadline.left)
        return session

    async def living(self) -> Session:
        """The session, as soon as there is one, however long that takes. Raises ConnectionLost once the client is
        closed."""
        return await self.connected(timeout=EVER)

    def held(self) -> Session:
        """The session. Raises why there is none."""
        if (session := self.session) is not None:
            return session
        ended = self._session.closed.result() if self._session is not None else None
        raise (ended or self._status.reason or self._not_yet()).with_traceback(None)

    def start(self) -> None:
        """Connect, and stay connected until ``aclose``; ``async with`` does both, and may be done again."""
        if self._task is None:
            self._become("connecting", None)
            self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Close the connection, or give up making it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        session, self._session = self._session, None
        self._link.closed()
        self._become("closed", self._closed())
        if session is not None:
            await session.aclose()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _wanted(self, timeout: float) -> Session:
        """The session to ask over: waited for, or without ``wait`` the one that there is. A caller that asks again
        and again must leave the client time to connect."""
        if self._wait:
            return await self.connected(timeout=timeout)
        if self.session is None:
            await after_next_poll()
        return self.held()

    def _not_yet(self) -> ConnectionLost:
        remedy = NOT_STARTED if self._task is None else ""
        return ConnectionLost(f"The client of {self._peer} has not connected yet.", remedy=remedy)

    def _closed(self) -> ConnectionLost:
        return ConnectionLost(f"The client of {self._peer} was closed.")

    def _late(self, state: ClientState, timeout: float) -> DeadlineExceeded:
        reason = self._status.reason
        why = "" if reason is None else f" {reason}"
        remedy = NOT_STARTED if self._task is None else "" if reason is None else reason.remedy
        return DeadlineExceeded(
            f"The client of {self._peer} was not {state} within {seconds(timeout)}.{why}", remedy=remedy
        )

    async def _run(self) -> None:
        try:
            await self._stay_connected()
        except Exception as error:
            self._become("closed", fault(f"The client of {self._peer}", error))

    async def _stay_connected(self) -> None:
        while True:
            await self._pause()
            self._become("connecting", self._status.reason)
            try:
                session = await self._connect()
            except OvsnetError as error:
                self._link.failed(error, time.monotonic())
                reason = error
            else:
                reason = await self._hold(session)
                self._link.broke(reason, time.monotonic())
            self._become("waiting" if self._link.state is State.WAITING else "connecting", reason)

    async def _pause(self) -> None:
        """Until the next attempt is due. A timer may run a moment early: the loop's clock is not ours. An attempt may
        fail without a turn of the loop, and the pause may be over before we look: others have theirs all the same."""
        await asyncio.sleep(0)
        while not self._link.asked(now := time.monotonic()):  # noqa: ASYNC110 - time alone ends it
            await asyncio.sleep(max(0.0, self._link.retry_at - now))

    async def _hold(self, session: Session) -> OvsnetError:
        """Until the session is over. Returns why."""
        self._link.opened(time.monotonic())
        self._session = session
        self._become("up", None)
        watch = asyncio.create_task(self._watch(session))
        try:
            return await session.closed
        finally:
            watch.cancel()
            await asyncio.wait([watch])
            if session.closed.done():
                self._session = None

    async def _watch(self, session: Session) -> None:
        """The inactivity probe (lib/reconnect.c, ``reconnect_run``; lib/rconn.c, ``run_ACTIVE``). Bytes of a long
        answer are signs of life, and a session that is ``patient`` is not probed."""
        while self._probe is not None and not session.closed.done():
            idle = time.monotonic() - session.heard_at
            if session.patient or idle < self._probe:
                await asyncio.sleep(self._probe if session.patient else self._probe - idle)
                continue
            with contextlib.suppress(PeerError):
                try:
                    await session.echo(timeout=self._probe)
                except DeadlineExceeded as error:
                    if not session.patient and time.monotonic() - session.heard_at >= self._probe:
                        session.fail(error)

    def _become(self, state: ClientState, reason: OvsnetError | None) -> None:
        if (state, reason) == (self._status.state, self._status.reason):
            return
        self._status = Status(state, reason, time.monotonic())
        for watcher in self._watchers:
            watcher.add(self._status)
