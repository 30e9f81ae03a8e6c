"""Counts for the metrics: answers, diagnoses, how late our own loop was, and what was asked of us. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from ovsnet.health.checks.result import Result

ROUND_TRIP_BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds. An idle switch answers in 0.2 ms; a second is the deadline by default."""

LAG_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class Buckets:
    """A histogram with fixed upper bounds, as Prometheus counts: an observation falls into the first bucket it fits."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> Iterator[tuple[str, float]]:
        """Upper bound as text, and how many were at most that."""
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield bound, float(total)


class Counters:
    """What was seen since the agent's start."""

    def __init__(self) -> None:
        self.round_trips: defaultdict[str, Buckets] = defaultdict(lambda: Buckets(ROUND_TRIP_BOUNDS))
        """By check."""
        self.loop_delays = Buckets(LAG_BOUNDS)
        self.diagnoses: Counter[str] = Counter()
        """How often each code became the root cause: a scrape misses one that lasts for a moment."""
        self.requests: Counter[tuple[str, int]] = Counter()
        """HTTP requests by endpoint and status; unknown paths are one, or a stranger could make series at will."""
        self.connections = 0
        """HTTP connections that were accepted."""
        self.cut: Counter[str] = Counter()
        """HTTP connections that we ended, by reason."""

    def count(self, results: Iterable[Result]) -> None:
        """Note how long the answers took."""
        for result in results:
            if result.rtt_seconds is not None:
                self.round_trips[result.name].observe(result.rtt_seconds)
