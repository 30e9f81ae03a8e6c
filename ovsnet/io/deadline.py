"""One deadline for a call that asks several times: each gets what is left of it."""

from __future__ import annotations

import time


class Deadline:
    """``timeout`` seconds from now."""

    __slots__ = ("_at",)

    def __init__(self, timeout: float) -> None:
        self._at = time.monotonic() + timeout

    @property
    def left(self) -> float:
        """Seconds; 0 once it is over."""
        return max(0.0, self._at - time.monotonic())
