"""How much of what a peer sends is taken at once, and when it is too much. Pure: the time is passed in.

An answer belongs to a question of ours, so the questions bound the answers. So it is with what a subscription brings,
where its owner wants as much as there is. What comes beside them is the peer's own will: pushes of a database, echo
requests, errors. A daemon that is broken, or a stranger at its socket, may send millions a second. Each costs us
microseconds, and all of them together every probe of the kubelet.

1. What one pass of the event loop takes is bounded by time: after PASS seconds the rest has to wait for the next pass.
2. Messages beyond the questions are taken from a bucket of BURST that is filled with RATE a second. When it is empty
   nothing is read until there is enough for another piece: the kernel's buffer fills, and the peer waits.
3. A peer whose bucket stays empty for PATIENCE seconds floods: the connection ends with ProtocolFlood. So it does
   when thousands, or megabytes, came and more have been waiting for LAG seconds: where each costs more, or we get
   little of the CPU.
"""

from __future__ import annotations

from collections.abc import Callable

PASS = 0.001
"""Seconds. A probe is answered within five passes, and a node has some six peers."""

RATE = 4000.0
BURST = 8000.0
"""Messages a second, and at once. A database under a storm of transactions pushes some hundreds a second; a push costs
us 50 us, so this is a fifth of a core."""

LAG = 0.5
MANY = 1000
MUCH = 32 << 20
"""Seconds, messages, and bytes of them. A snapshot of megabytes is an answer, and the agent takes no message of more
than half of ``MUCH``: a single one is no flood."""

FULL = 1 << 15
"""Bytes that are read at once while more are waiting in the kernel."""

PIECE = 100.0
"""Messages for which it is worth to wake up."""

PATIENCE = 0.25
"""Seconds. What is decided sooner is seen by a client that asks once, too: ``ovsnet check`` gives a question half a
second."""

LARGEST = 1 << 16
SMALLEST = 1 << 11
"""Bytes of a piece. It begins small, for nobody knows what it costs, and doubles while it costs little: a chunk of a
large message does."""


class Inflow:
    """One connection's. ``messages`` counts all that came."""

    def __init__(self, messages: Callable[[], int]) -> None:
        self._messages = messages
        self._seen = 0
        self._owed = 0
        self._left = BURST
        self._at = 0.0
        self._empty_since: float | None = None
        self._behind_since: float | None = None
        self._behind = 0
        self._behind_bytes = 0
        self._unfinished = 0
        self.piece = SMALLEST
        """Bytes to hand over at once."""

    def asked(self) -> None:
        """We asked a question: its answer is not a push."""
        self._owed += 1

    def read(self, size: int, now: float) -> None:
        """So many bytes were waiting for us."""
        if size < FULL:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since, self._behind, self._behind_bytes = now, 0, 0

    def took(self, size: int, now: float, seconds: float) -> float:
        """A piece of ``size`` bytes was handed over, which took ``seconds``. How long to rest."""
        if size < self.piece or seconds > PASS:
            self.piece = SMALLEST
        elif seconds < PASS / 8:
            self.piece = min(self.piece * 2, LARGEST)
        total = self._messages()
        came, self._seen = total - self._seen, total
        answers = min(came, self._owed)
        self._owed -= answers
        pushed = came - answers
        self._behind += pushed
        self._unfinished += size
        if came:
            self._behind_bytes += self._unfinished if not answers else 0
            self._unfinished = 0
        self._left = min(self._left + (now - self._at) * RATE, BURST) - pushed
        self._at = now
        if self._left >= 0.0:
            if self._left > BURST / 2:
                self._empty_since = None
            return 0.0 if self.piece == LARGEST or self._behind_since is None else PASS
        if self._empty_since is None:
            self._empty_since = now
        return (PIECE - self._left) / RATE

    def is_flood(self, now: float) -> bool:
        """Whether this has to end."""
        much = self._behind > MANY or self._behind_bytes > MUCH
        if much and self._behind_since is not None and now - self._behind_since > LAG:
            return True
        return self._empty_since is not None and now - self._empty_since > PATIENCE
