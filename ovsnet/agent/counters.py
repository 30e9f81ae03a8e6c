"""Counts for the metrics: answers, diagnoses, how late our own loop was, and what was asked of us. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from ovsnet.health.checks.result import Result, Status
from ovsnet.node.histogram import Histogram
from ovsnet.node.silence import Verdict
from ovsnet.tune.stalls import Stalls

ROUND_TRIP_BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds. An idle switch answers in 0.2 ms; a second is the deadline by default."""

LAG_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class Buckets(Histogram):
    """Fixed upper bounds, as Prometheus counts: an observation falls into the first bucket that it fits."""

    bounds: tuple[float, ...] = ()

    def bucket_of(self, value: float) -> int:
        return bisect_left(self.bounds, value)

    def upper(self, bucket: int) -> float:
        return self.bounds[bucket] if bucket < len(self.bounds) else math.inf

    def labelled(self) -> Iterator[tuple[str, float]]:
        """Every upper bound as text, and how many were at most that."""
        total = 0
        for bucket, bound in enumerate((*map(str, self.bounds), "+Inf")):
            total += self.counts.get(bucket, 0)
            yield bound, float(total)


class Counters:
    """What was seen since the agent's start."""

    def __init__(self) -> None:
        self.round_trips: defaultdict[str, Buckets] = defaultdict(lambda: Buckets(bounds=ROUND_TRIP_BOUNDS))
        """By check."""
        self.loop_delays = Buckets(bounds=LAG_BOUNDS)
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
                self.round_trips[result.name].record(result.rtt_seconds)


def note_stall(stalls: Stalls, result: Result, now: float, peer: str) -> None:
    """What a result shows of how long its daemon takes, by what it was asked over."""
    daemon = result.daemon
    if not daemon:
        return
    if result.rtt_seconds is not None:
        stalls.answered(daemon, result.rtt_seconds, now, peer)
    elif result.reason != Verdict.GONE and "silent_seconds" in result.values:
        stalls.silent(daemon, float(result.values["silent_seconds"]), now, peer)
    elif result.status is Status.FAILED:
        stalls.gone(daemon)
