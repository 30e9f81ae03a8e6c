"""When a link connects, and when it refuses to. Pure: the time and the randomness are passed in.

A link is in one of four states:

    IDLE        no connection, and no reason to wait before the next attempt
    CONNECTING  an attempt is under way
    UP          there is a session
    WAITING     the last attempt failed, or the session broke too soon: no attempt before the pause is over

These events move it. A dash means that it stays; an empty field is an event that cannot happen there (KeyError).

    event      | IDLE       | CONNECTING | UP      | WAITING
    -----------+------------+------------+---------+-----------
    ASKED      | CONNECTING | -          | -       | -
    DUE        |            |            |         | CONNECTING
    APPEARED   | CONNECTING | -          | -       | CONNECTING
    CHASED     | CONNECTING | -          |         |
    OPENED     |            | UP         |         |
    REFUSED    |            | IDLE       |         |
    FAILED     |            | WAITING    |         |
    BROKE      |            |            | IDLE    |
    FLAPPED    |            |            | WAITING |
    CLOSED     | IDLE       | IDLE       | IDLE    | IDLE

Rules:

1. Only one attempt at a time, and only CLOSED gives it up. A frozen daemon's kernel accepts, and the daemon says
   nothing: the attempt is held, so that the daemon finds one client when it thaws and not one for each probe.
2. A caller that asks in WAITING gets the reason of the last failure; once the pause is over, asking is DUE, not ASKED.
3. The pause doubles with each failure, from FIRST_BACKOFF to ``longest``, with a jitter of a quarter.
4. As in OVS's rconn (lib/rconn.c, ``disconnect``): a session that lived at least as long as the next pause BROKE, and
   the backoff begins again at its first step; one that did not has FLAPPED, and counts as a failure. One that flooded
   us has FLAPPED, however long it lived, and its pause is a longer one.
5. APPEARED (the socket was just made) begins a chase, or begins it again: after each of the pauses of CHASE the link is
   CHASED, and so connects although nobody asks. Within a chase a socket that refuses or is missing is REFUSED, which
   delays no caller. Any other outcome ends the chase, and so does its last attempt.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from ovsnet.errors import ConnectionLost, ConnectionRefused, ProtocolFlood, SocketMissing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

FIRST_BACKOFF = 0.1
LONGEST_BACKOFF = 1.0
"""Seconds between attempts on sockets of this node: an attempt costs 30 us and must find a restarted daemon soon. The
jitter keeps many agents and many links out of step."""

LONGEST_FAR_BACKOFF = 8.0
"""Seconds between attempts on servers elsewhere, which have many such clients, perhaps with TLS: as in OVS
(lib/reconnect.h, RECONNECT_DEFAULT_MAX_BACKOFF)."""

FLOOD_BACKOFF, LONGEST_FLOOD_BACKOFF = 5.0, 60.0
"""Seconds away from a peer that flooded: it costs a fifth of a core for two seconds to find out that it still does."""

CHASE = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
"""Seconds between attempts on a socket that has just appeared: bind() makes it visible, listen() a moment later makes
it accept (lib/socket-util-unix.c, ``make_unix_socket``; lib/stream-unix.c, ``punix_open``)."""


class State(Enum):
    """Where a link is."""

    IDLE = auto()
    CONNECTING = auto()
    UP = auto()
    WAITING = auto()


class Event(Enum):
    """What moves it."""

    ASKED = auto()
    DUE = auto()
    APPEARED = auto()
    CHASED = auto()
    OPENED = auto()
    REFUSED = auto()
    FAILED = auto()
    BROKE = auto()
    FLAPPED = auto()
    CLOSED = auto()


MOVES: Mapping[tuple[State, Event], State] = {
    (State.IDLE, Event.ASKED): State.CONNECTING,
    (State.CONNECTING, Event.ASKED): State.CONNECTING,
    (State.UP, Event.ASKED): State.UP,
    (State.WAITING, Event.ASKED): State.WAITING,
    (State.WAITING, Event.DUE): State.CONNECTING,
    (State.IDLE, Event.APPEARED): State.CONNECTING,
    (State.CONNECTING, Event.APPEARED): State.CONNECTING,
    (State.UP, Event.APPEARED): State.UP,
    (State.WAITING, Event.APPEARED): State.CONNECTING,
    (State.IDLE, Event.CHASED): State.CONNECTING,
    (State.CONNECTING, Event.CHASED): State.CONNECTING,
    (State.CONNECTING, Event.OPENED): State.UP,
    (State.CONNECTING, Event.REFUSED): State.IDLE,
    (State.CONNECTING, Event.FAILED): State.WAITING,
    (State.UP, Event.BROKE): State.IDLE,
    (State.UP, Event.FLAPPED): State.WAITING,
    (State.IDLE, Event.CLOSED): State.IDLE,
    (State.CONNECTING, Event.CLOSED): State.IDLE,
    (State.UP, Event.CLOSED): State.IDLE,
    (State.WAITING, Event.CLOSED): State.IDLE,
}


class LinkState:
    """The state of one link. ``now`` is in seconds, of any one clock; ``longest`` is the longest pause."""

    def __init__(self, rng: Random, longest: float = LONGEST_BACKOFF) -> None:
        self.state = State.IDLE
        self.error: Exception = ConnectionLost("Not connected yet.")
        """Why there is no session, in WAITING."""
        self.opened_at = 0.0
        """When the last session began."""
        self.retry_at = 0.0
        """The end of the pause, in WAITING."""
        self._rng = rng
        self._longest = longest
        self._backoff = FIRST_BACKOFF
        self._chase: tuple[float, ...] | None = None
        """The pauses that are left; None outside a chase."""

    @property
    def chased_after(self) -> float | None:
        """Seconds from REFUSED to CHASED; None outside a chase."""
        return self._chase[0] if self._chase else None

    def pause(self, now: float) -> float:
        """Seconds until the next request may start an attempt; 0 outside WAITING."""
        return max(0.0, self.retry_at - now) if self.state is State.WAITING else 0.0

    def asked(self, now: float) -> bool:
        """Somebody wants the session. True: begin an attempt."""
        is_due = self.state is State.WAITING and now >= self.retry_at
        return self._move(Event.DUE if is_due else Event.ASKED)

    def appeared(self) -> bool:
        """The socket was just made. True: begin an attempt."""
        self._backoff = FIRST_BACKOFF
        if self.state is not State.UP:
            self._chase = CHASE
        return self._move(Event.APPEARED)

    def chased(self) -> bool:
        """A pause of the chase is over. True: begin an attempt."""
        self._chase = (self._chase or ())[1:]
        return self._move(Event.CHASED)

    def opened(self, now: float) -> None:
        """The attempt made a session."""
        self.opened_at = now
        self._chase = None
        self._move(Event.OPENED)

    def failed(self, error: Exception, now: float) -> None:
        """The attempt made none."""
        self.error = error
        if self._chase is not None and isinstance(error, ConnectionRefused | SocketMissing):
            self._chase = self._chase or None  # that may have been its last attempt
            self._move(Event.REFUSED)
        else:
            self._chase = None
            self._back_off(now, error)
            self._move(Event.FAILED)

    def broke(self, error: Exception, now: float) -> None:
        """The session ended, and not by us."""
        self.error = error
        if not isinstance(error, ProtocolFlood) and now - self.opened_at >= self._backoff:
            self._backoff = FIRST_BACKOFF
            self._move(Event.BROKE)
        else:
            self._back_off(now, error)
            self._move(Event.FLAPPED)

    def closed(self) -> None:
        """We want no connection any more, until a caller asks again."""
        self._chase = None
        self._move(Event.CLOSED)

    def _back_off(self, now: float, error: Exception) -> None:
        flood = isinstance(error, ProtocolFlood)
        shortest, longest = (FLOOD_BACKOFF, LONGEST_FLOOD_BACKOFF) if flood else (FIRST_BACKOFF, self._longest)
        pause = min(max(self._backoff, shortest), longest)
        self.retry_at = now + pause * self._rng.uniform(0.75, 1.25)
        self._backoff = min(pause * 2, longest)

    def _move(self, event: Event) -> bool:
        before, self.state = self.state, MOVES[self.state, event]
        return self.state is State.CONNECTING and before is not State.CONNECTING
