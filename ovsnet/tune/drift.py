"""When the agent reads the knobs, when it writes them, and when it gives up. Pure: ``now`` is passed in.

    off       never reads
    observe   reads every ``every`` seconds, and reports the drift
    enforce   the same, and writes when there is drift: never within ``every`` seconds of the last write

It reads only while the node has been ready for ``every`` seconds without a break: nobody wants knobs turned in the
middle of a start. If the values are changed back each time, another program wants them otherwise; after
``GIVE_UP_AFTER`` writes in a row that did not last, the agent stops writing and says so, until there is no drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Mode = Literal["off", "observe", "enforce"]

GIVE_UP_AFTER = 3


class DriftControl:
    """``drift`` is what the last reading found: a line for each value that is not as wanted."""

    def __init__(self, mode: Mode, every: float) -> None:
        self.mode = mode
        self.drift: tuple[str, ...] = ()
        self.writes = 0
        self.trouble = ""
        """Why the last reading or write failed; empty when it did not."""
        self._every = every
        self._ready_since: float | None = None
        self._read_at: float | None = None
        self._wrote_at: float | None = None
        self._undone = 0

    @property
    def given_up(self) -> bool:
        """Whether it stopped writing because someone else keeps changing the values back."""
        return self._undone >= GIVE_UP_AFTER

    def due(self, now: float, *, ready: bool) -> bool:
        """Call it often. True when it is time to read the knobs."""
        if not ready:
            self._ready_since = None
            return False
        if self._ready_since is None:
            self._ready_since = now
        steady = now - self._ready_since >= self._every
        rested = self._read_at is None or now - self._read_at >= self._every
        return self.mode != "off" and steady and rested

    def found(self, now: float, drift: Sequence[str]) -> bool:
        """Take what a reading found. True when it is now to be written."""
        self._read_at = now
        self.trouble = ""
        if drift and self._wrote_at is not None:
            self._undone += 1
        elif not drift:
            self._undone = 0
        self._wrote_at = None
        self.drift = tuple(drift)
        return bool(drift) and self.mode == "enforce" and not self.given_up

    def wrote(self, now: float) -> None:
        """It has been written: the next reading shows whether it lasted."""
        self._read_at = self._wrote_at = now
        self.writes += 1
        self.drift = ()

    def failed(self, now: float, why: str) -> None:
        """A reading or a write failed; the next is due an interval later."""
        self._read_at = now
        self.trouble = why
