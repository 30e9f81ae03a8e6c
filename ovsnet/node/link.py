"""A held connection to one socket of the node.

One connection serves all probes: connecting for each would fill the switch's log and its backlog. An attempt that got
no greeting yet is held too, so that a frozen daemon finds one client when it thaws and not one per probe.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from ovsnet.errors import (
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    NotConnectedYet,
    OvsnetError,
    PeerError,
    SocketMissing,
)
from ovsnet.io.pending import after_next_poll

FIRST_BACKOFF = 0.1
LONGEST_BACKOFF = 1.0
"""Seconds between attempts. These are sockets of this node: an attempt costs 30 us and must find a restarted daemon
soon. A jitter of a quarter keeps many agents and many links out of step."""


CHASE = (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
"""Seconds between attempts on a socket that has just appeared: bind() makes it visible, listen() a moment later makes
it accept (lib/socket-util-unix.c, ``make_unix_socket``; lib/stream-unix.c, ``punix_open``)."""


class HeldSession(Protocol):
    """What ``Link`` needs of a client's session."""

    @property
    def peer_pid(self) -> int | None: ...

    @property
    def heard_at(self) -> float: ...

    @property
    def closed(self) -> asyncio.Future[PeerError]: ...

    async def aclose(self) -> None: ...


Session = TypeVar("Session", bound=HeldSession)


class Link(Generic[Session]):
    """``open_session`` connects; ``on_change`` is called whenever the link came up or broke, ``on_ask`` whenever
    somebody takes the session to ask something."""

    def __init__(
        self,
        open_session: Callable[[], Awaitable[Session]],
        *,
        on_change: Callable[[], None] = lambda: None,
        on_ask: Callable[[], None] = lambda: None,
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._open_session = open_session
        self._on_change = on_change
        self._on_ask = on_ask
        self._clock = clock
        self._rng = rng
        self._attempt: asyncio.Task[Session] | None = None
        self._error: OvsnetError = ConnectionLost("Not connected yet.")
        self._retry_at = 0.0
        self._backoff = FIRST_BACKOFF
        self.opened_at = 0.0
        """When the last connection that came to be stood, by ``clock``."""
        self._chase: asyncio.Task[None] | None = None
        self.opened = 0
        """How often a connection came to be."""
        self.lost_at: float | None = None
        """When a connection that had stood broke last, by ``clock``."""
        self.lost: Counter[str] = Counter()
        """How often a connection broke, or did not come to be, by reason."""

    @property
    def current(self) -> Session | None:
        """The session, if there is one now: for who reads what it holds and asks nothing."""
        attempt = self._attempt
        if attempt is None or not attempt.done() or attempt.cancelled() or attempt.exception() is not None:
            return None
        return attempt.result()

    @property
    def heard_at(self) -> float:
        """When the peer's last bytes came, in ``time.monotonic``; 0 when there is no session."""
        return 0.0 if (held := self.current) is None else held.heard_at

    def held(self) -> Session:
        """The session that stands. Raises ConnectionLost where there is none, and NotConnectedYet while one is being
        made: a peer that is late with its greeting is not gone."""
        if (held := self.current) is not None:
            return held
        if self._attempt is not None and not self._attempt.done():
            raise NotConnectedYet("The connection that this builds on is being made.")
        raise ConnectionLost("The connection has just been lost.")

    async def session(self, timeout: float) -> Session:
        """The held session, or a new one. Raises why there is none; DeadlineExceeded after ``timeout`` seconds of
        waiting."""
        self._on_ask()
        if (held := self.current) is not None:
            return held
        if self._attempt is None:
            if self._clock() < self._retry_at:
                raise self._error.with_traceback(None)
            self._attempt = asyncio.ensure_future(self._open())
            self._attempt.add_done_callback(_fetch_error)
        attempt = self._attempt
        await asyncio.wait([attempt], timeout=timeout)
        if not attempt.done():
            await after_next_poll()
        if not attempt.done():
            raise DeadlineExceeded(f"No greeting came within {timeout:g} s of connecting.")
        if attempt.cancelled():
            raise ConnectionLost("The link was closed by us.")
        return attempt.result()

    def retry_now(self) -> None:
        """Something happened (a socket appeared): the next ``session`` connects without waiting out the backoff."""
        self._retry_at = 0.0
        self._backoff = FIRST_BACKOFF

    def appeared(self) -> None:
        """The socket has just been made: connect as soon as it accepts, without anybody asking."""
        self.retry_now()
        if self.current is None and (self._chase is None or self._chase.done()):
            self._chase = asyncio.ensure_future(self._connect_soon())

    async def aclose(self) -> None:
        """Close the session, or give the attempt up."""
        if self._chase is not None:
            self._chase.cancel()
            await asyncio.wait([self._chase])
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        if not attempt.done():
            attempt.cancel()
            await asyncio.wait([attempt])
        elif not attempt.cancelled() and attempt.exception() is None:
            await attempt.result().aclose()

    async def _connect_soon(self) -> None:
        for pause in CHASE:
            await asyncio.sleep(pause)
            try:
                await self.session(pause + CHASE[-1])
            except (ConnectionRefused, SocketMissing):
                self.retry_now()
            except OvsnetError:
                return
            else:
                return

    async def _open(self) -> Session:
        try:
            session = await self._open_session()
        except OvsnetError as error:  # a ConfigError, too: a TLS file may be missing for the moment
            self._failed(error)
            raise
        self.opened_at = self._clock()
        self.opened += 1
        session.closed.add_done_callback(lambda closed: self._broke(session, closed))
        self._on_change()
        return session

    def _broke(self, session: Session, closed: asyncio.Future[PeerError]) -> None:
        if self.current is not session or closed.cancelled():
            return
        self.lost_at = self._clock()
        # As OVS's rconn: who outlived its backoff is tried again at once, who flaps waits longer each time.
        if self._clock() - self.opened_at >= self._backoff:
            self.retry_now()
            self._end(closed.result())
        else:
            self._failed(closed.result())
        self._on_change()

    def _end(self, error: OvsnetError) -> None:
        self._attempt = None
        self._error = error
        self.lost[error.reason] += 1

    def _failed(self, error: OvsnetError) -> None:
        self._end(error)
        self._retry_at = self._clock() + self._backoff * self._rng.uniform(0.75, 1.25)
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)


def _fetch_error(attempt: asyncio.Task[Session]) -> None:
    """Nobody may be waiting when an attempt fails; ``Link`` has noted the error already."""
    if not attempt.cancelled():
        attempt.exception()
