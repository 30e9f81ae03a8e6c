"""One deadline for a call that asks several times: each gets what is left of it. And what is a deadline at all."""

from __future__ import annotations

import time

from ovsnet.errors import UsageError

EVER = 1e8
"""Seconds, three years: for a wait that no deadline of ours ends. uvloop takes no infinity."""


class Deadline:
    """``timeout`` seconds from now."""

    __slots__ = ("_at",)

    def __init__(self, timeout: float) -> None:
        self._at = time.monotonic() + require_seconds(timeout)

    @property
    def left(self) -> float:
        """Seconds; 0 once it is over."""
        return max(0.0, self._at - time.monotonic())


def require_seconds(timeout: float) -> float:
    """Every call ends: raises UsageError for None, and for what else is no number of seconds. What is over already is
    one, and so a call with it is late."""
    if isinstance(timeout, int | float) and timeout <= EVER:
        return timeout
    raise UsageError(
        f"{timeout!r} is not a timeout.", remedy=f"Give a number of seconds, {EVER:.0f} at most: every call ends."
    )
