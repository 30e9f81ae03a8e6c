"""A held connection to one socket of the node.

One connection serves all probes: connecting for each would fill the switch's log and its backlog. When to connect is
decided in ``io.link_state``; here are the task, the session and the timer that belong to its states:

    IDLE        _timer, within a chase
    CONNECTING  _attempt, and perhaps still _timer
    UP          _session
    WAITING     -
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from ovsnet.errors import ConnectionLost, DeadlineExceeded, NotConnectedYet, OvsnetError, PeerError
from ovsnet.io.held_session import HeldSession
from ovsnet.io.link_state import LinkState, State
from ovsnet.io.pending import after_next_poll
from ovsnet.texts import seconds

Session = TypeVar("Session", bound=HeldSession)


class Link(Generic[Session]):
    """``open_session`` connects; ``on_change`` is called whenever the link came up or broke, ``on_ask`` whenever
    the peer is about to be asked something, be it for its greeting."""

    def __init__(
        self,
        open_session: Callable[[], Coroutine[Any, Any, Session]],
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
        self._link = LinkState(rng)
        self._attempt: asyncio.Task[Session] | None = None
        self._session: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.opened = 0
        """How often a connection came to be."""
        self.lost_at: float | None = None
        """When a session broke last, by ``clock``."""
        self.spoke_at = 0.0
        """When the peer's last bytes came over any session that was lost, in ``time.monotonic``."""
        self.lost: Counter[str] = Counter()
        """How often a session broke, or an attempt failed, by reason."""

    @property
    def state(self) -> State:
        """Where the link is."""
        return self._link.state

    @property
    def opened_at(self) -> float:
        """When the last session began, by ``clock``."""
        return self._link.opened_at

    @property
    def pause(self) -> float:
        """Seconds for which asking gives the reason why the last session or attempt ended, and nothing newer."""
        return self._link.pause(self._clock())

    @property
    def current(self) -> Session | None:
        """The session, if there is one now: to read what it holds, without asking the peer anything."""
        return self._session

    @property
    def heard_at(self) -> float:
        """When the peer's last bytes came, in ``time.monotonic``; 0 when there is no session."""
        return 0.0 if self._session is None else self._session.heard_at

    def held(self) -> Session:
        """The session. Raises NotConnectedYet where there is none: the check that asks for the session judges
        its peer, and a check that builds on it knows nothing of that peer, nor of any other."""
        if self._session is None:
            made = "is being made" if self._attempt is not None else "has just been lost"
            raise NotConnectedYet(f"The connection that this builds on {made}.")
        return self._session

    async def session(self, timeout: float) -> Session:
        """The held session, or a new one. Raises why there is none; DeadlineExceeded after ``timeout`` seconds of
        waiting."""
        self._on_ask()
        if self._session is not None and not self._session.named:
            self._leave(self._session)
        if self._link.asked(self._clock()):
            self._connect()
        if self._session is not None:
            return self._session
        if self._attempt is None:
            raise self._link.error.with_traceback(None)
        return await _outcome(self._attempt, timeout)

    def appeared(self) -> None:
        """The socket has just been made: connect as soon as it accepts, without being asked."""
        self._stop_timer()
        if self._link.appeared():
            self._on_ask()
            self._connect()

    def redirect(self) -> None:
        """The address has changed: give the session or the attempt up. The next to ask connects to the new one."""
        if self._session is not None:
            self._leave(self._session)
        if (attempt := self._attempt) is not None:
            self._attempt = None
            attempt.cancel()
            attempt.add_done_callback(_abort)  # it may have been done already
        self._stop_timer()
        self._link.closed()

    async def aclose(self) -> None:
        """Close the session, or give the attempt up."""
        attempt, session = self._attempt, self._session
        self._attempt = self._session = None
        self._stop_timer()
        self._link.closed()
        if attempt is not None:
            attempt.cancel()
            await asyncio.wait([attempt])
            if not attempt.cancelled() and attempt.exception() is None:  # it was done already
                session = attempt.result()
        if session is not None:
            await session.aclose()

    def _connect(self) -> None:
        self._attempt = asyncio.create_task(self._open_session())
        self._attempt.add_done_callback(self._attempted)

    def _attempted(self, attempt: asyncio.Task[Session]) -> None:
        if attempt is not self._attempt:
            return  # closed in the meantime
        self._attempt = None
        if attempt.cancelled():  # not by us: the event loop is being closed
            self._link.closed()
        elif (error := attempt.exception()) is None:
            self._opened(attempt.result())
        elif isinstance(error, Exception):  # a ConfigError, too: a TLS file may be missing for the moment
            self._link.failed(error, self._clock())
            self._count(error)
            self._set_timer()

    def _opened(self, session: Session) -> None:
        self._session = session
        self._stop_timer()
        self._link.opened(self._clock())
        self.opened += 1
        session.closed.add_done_callback(lambda closed: self._broke(session, closed))
        self._on_change()

    def _broke(self, session: Session, closed: asyncio.Future[PeerError]) -> None:
        if session is not self._session or closed.cancelled():
            return
        error = closed.result()
        self._link.broke(error, self._clock())
        self._lost(error)

    def _leave(self, session: Session) -> None:
        """What the name leads to is what all other clients meet: it alone may be judged. We leave, so the peer has not
        flapped: the next caller connects at once."""
        self._link.closed()
        self._lost(ConnectionLost(f"{session.address} does not lead to the process that was connected there."))
        session.channel.abort()

    def _lost(self, error: PeerError) -> None:
        self.spoke_at = max(self.spoke_at, self.heard_at)
        self._session = None
        self.lost_at = self._clock()
        self._count(error)
        self._on_change()

    def _count(self, error: Exception) -> None:
        self.lost[error.reason if isinstance(error, OvsnetError) else OvsnetError.reason] += 1

    def _set_timer(self) -> None:
        """It goes on when an attempt that a caller asked for was refused: only its own attempts use the chase up."""
        if (pause := self._link.chased_after) is None:
            self._stop_timer()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(pause, self._chased)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _chased(self) -> None:
        self._timer = None
        if self._link.chased():
            self._on_ask()
            self._connect()


def _abort(attempt: asyncio.Task[Session]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().channel.abort()


async def _outcome(attempt: asyncio.Task[Session], timeout: float) -> Session:
    """What others' cancellation and deadlines leave untouched: the attempt belongs to the link."""
    await asyncio.wait([attempt], timeout=timeout)
    if not attempt.done():
        await after_next_poll()
    if not attempt.done():
        raise DeadlineExceeded(f"No greeting came within {seconds(timeout)} of connecting.")
    if attempt.cancelled():
        raise ConnectionLost("The link was closed by us.")
    return attempt.result()
