"""One deadline for a call that asks several times: each gets what is left of it."""

from __future__ import annotations

import time


def seconds_text(seconds: float) -> str:
    """``0.3 s``, also for what was left of a deadline: nobody asked for 0.299994."""
    return f"{round(seconds, 3):g} s"


class Deadline:
    """``timeout`` seconds from now."""

    __slots__ = ("_at",)

    def __init__(self, timeout: float) -> None:
        self._at = time.monotonic() + timeout

    @property
    def left(self) -> float:
        """Seconds; 0 once it is over."""
        return max(0.0, self._at - time.monotonic())
