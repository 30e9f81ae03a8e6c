"""One simulated chassis: when it connects, probes, gives up and tries again. Pure.

The decisions are those of ``ovs.reconnect``, which is ovn-controller's own state machine in Python (lib/reconnect.c):
backoff of 1, 2, 4 and 8 s; an echo after an interval without a byte, and the end after another one; and no judgement
before a read was tried after the deadline. The remotes are taken in turn, each time one was left
(lib/jsonrpc.c, ``jsonrpc_session_pick_remote``). Times are seconds, of the caller's clock.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from ovs import reconnect

from ovsnet.bench.storm.conversation import NOTHING_YET, Conversation, Subscription

if TYPE_CHECKING:
    from random import Random


class Act(Enum):
    """What a chassis wants done now."""

    CONNECT = auto()
    PROBE = auto()
    GIVE_UP = auto()
    """The server left a probe unanswered for an interval, or completed no connection in time."""


_ACTS = {reconnect.CONNECT: Act.CONNECT, reconnect.PROBE: Act.PROBE, reconnect.DISCONNECT: Act.GIVE_UP}
MILLISECONDS = 1000.0


class Chassis:
    """``number`` distinguishes it from the others; ``remotes`` is how many servers it may try; ``probe_interval`` is in
    seconds, and 0 means that it never probes."""

    __slots__ = (
        "_fallen_at", "_fsm", "_joined", "_next", "_order", "conversation", "number", "since", "subscription",
        "synced_at",
    )  # fmt: skip

    def __init__(
        self, number: int, remotes: int, probe_interval: float, subscription: Subscription, rng: Random, now: float
    ) -> None:
        self.number = number
        self.subscription = subscription
        self.conversation: Conversation | None = None
        self.since = NOTHING_YET
        self.synced_at: float | None = None
        """When it came to hold all that it monitors; None while it does not."""
        self._fallen_at = now
        self._joined = False
        self._order = rng.sample(range(remotes), remotes)  # lib/ovsdb-cs.c shuffles the remotes
        self._next = 0
        self._fsm = reconnect.Reconnect(now * MILLISECONDS)
        self._fsm.set_quiet(True)
        self._fsm.set_probe_interval(probe_interval * MILLISECONDS)
        self._fsm.set_backoff_free_tries(remotes)
        self._fsm.enable(now * MILLISECONDS)

    @property
    def remote(self) -> int:
        """The index of the server that it is, or will be, connected to."""
        return self._order[self._next % len(self._order)]

    @property
    def connected(self) -> bool:
        """Whether it has a connection."""
        return bool(self._fsm.is_connected())

    def due_at(self, now: float) -> float | None:
        """When to ask ``act`` next, unless something happens before."""
        left = self._fsm.timeout(now * MILLISECONDS)
        return None if left is None else now + left / MILLISECONDS

    def act(self, now: float, heard_at: float) -> Act | None:
        """What is due, after a read was tried at ``now``. ``heard_at`` is when the last bytes came."""
        if self.connected:
            self._fsm.receive_attempted(now * MILLISECONDS)
            self.heard(heard_at)
        wanted = self._fsm.run(now * MILLISECONDS)
        return None if wanted is None else _ACTS[wanted]

    def heard(self, at: float) -> None:
        """Bytes came. Any are a sign of life, also those of a message that is not complete."""
        if self.connected and at * MILLISECONDS > max(self._fsm.last_activity, self._fsm.last_connected):
            self._fsm.activity(at * MILLISECONDS)

    def connecting(self, now: float, *, register: bool) -> Conversation:
        """An attempt has begun; what to say once it succeeds. ``register`` writes the rows of the chassis, the first
        time."""
        self._fsm.connecting(now * MILLISECONDS)
        number = self.number if register and not self._joined else None
        self.conversation = Conversation(self.subscription, self.since, register=number)
        return self.conversation

    def connected_at(self, now: float) -> None:
        """The attempt succeeded."""
        self._fsm.connected(now * MILLISECONDS)

    def synced(self, now: float) -> float | None:
        """The conversation reached the point where all that it monitors is there. Returns the seconds since it lost
        that, or None the first time."""
        outage = now - self._fallen_at if self._joined else None
        self.synced_at, self._joined = now, True
        return outage

    def turned_away(self, now: float) -> None:
        """The server says that its copy is of no use. One that served us until now is left without backoff
        (lib/ovsdb-cs.c, ``ovsdb_cs_force_reconnect``)."""
        if self.synced_at is not None:
            self._fsm.set_backoff_free_tries(len(self._order) + 1)
        self._fsm.force_reconnect(now * MILLISECONDS)
        self.disconnected(now)

    def disconnected(self, now: float) -> None:
        """The connection, or the attempt, is over, whichever side ended it."""
        if self.conversation is not None:
            self.since = self.conversation.since
            self.conversation = None
        if self.synced_at is not None:
            self.synced_at, self._fallen_at = None, now
        self._next += 1
        self._fsm.disconnected(now * MILLISECONDS, 0)
