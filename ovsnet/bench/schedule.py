"""When the clients of an open-loop run arrive. Pure.

Arrivals follow the plan, not the server: one that is served late was late from its planned moment on. A client that
lets a slow answer delay the next question measures how fast a server says that it is slow (coordinated omission).
"""

from __future__ import annotations

from collections.abc import Callable


class Schedule:
    """``count`` arrivals from ``began`` on, ``gap()`` seconds apart.

    A constant gap gives an even rate; exponential ones (``rng.expovariate(rate)``) give arrivals that know nothing of
    each other, as those of many nodes.
    """

    def __init__(self, gap: Callable[[], float], count: int, began: float) -> None:
        self._gap = gap
        self._left = count
        self._next = began

    @property
    def next_at(self) -> float | None:
        """When the next one arrives; None when all have."""
        return self._next if self._left else None

    def due(self, now: float) -> list[float]:
        """The planned moments that have come, each given once. ``now - moment`` is the generator's own lag."""
        moments: list[float] = []
        while self._left and self._next <= now:
            moments.append(self._next)
            self._left -= 1
            self._next += self._gap()
        return moments
