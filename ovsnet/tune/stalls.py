"""How long the daemons' main loops stand still, as a histogram per daemon. Pure.

A round trip is a stall as long as itself. A silence counts once, when it is over, at its full length; the end of a
daemon is none. Buckets grow by a fifth, so that a value read back is never more than that too high.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ovsnet.errors import UsageError
from ovsnet.node import histogram

SHORTEST = 0.001
"""Seconds; all that is shorter is in the first bucket. No knob has a finer unit."""
GROWTH = 1.2


class Histogram(histogram.Histogram):
    """Stalls of one daemon, in seconds."""

    def bucket_of(self, value: float) -> int:
        return max(0, math.ceil(math.log(value / SHORTEST, GROWTH) - 1e-9)) if value > 0 else 0

    def upper(self, bucket: int) -> float:
        return float(SHORTEST * GROWTH**bucket)

    def quantile(self, share: float, every: float) -> float:
        """The stall, in seconds, that only the rest of 1 - ``share`` exceeds, at most a fifth too high.

        Each weighs as many questions as would have met it, asked every ``every`` seconds: one question waits through
        a stall of 10 s, and the nine that were not asked meanwhile would have met it too.
        """
        weights = {bucket: count * max(1.0, self.upper(bucket) / every) for bucket, count in self.counts.items()}
        left = sum(weights.values()) * share
        for bucket in sorted(weights):
            left -= weights[bucket]
            if left <= 1e-9:
                return min(self.upper(bucket), self.highest)
        return self.highest

    def above(self, seconds: float) -> int:
        """How many were longer; those of the bucket that holds ``seconds`` count if the longest of all was longer."""
        if self.highest <= seconds:
            return 0
        return sum(count for bucket, count in self.counts.items() if self.upper(bucket) > seconds)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        buckets = {f"{bucket}": self.counts[bucket] for bucket in sorted(self.counts)}
        return {"count": self.count, "longest_seconds": self.highest, "sum_seconds": self.total, "buckets": buckets}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Histogram:
        """The reverse. Raises UsageError for what is no such document."""
        try:
            return cls(
                counts={int(bucket): int(count) for bucket, count in document["buckets"].items()},
                highest=float(document["longest_seconds"]),
                total=float(document["sum_seconds"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("This holds no histogram of stalls.", remedy="Take it from an agent's /status.") from error


class Stalls:
    """What the agent has seen, by daemon."""

    def __init__(self) -> None:
        self.histograms: dict[str, Histogram] = {}
        self._silent_since: dict[str, float] = {}

    def answered(self, daemon: str, seconds: float, now: float) -> None:
        """An answer came ``seconds`` after its question. A silence before it is over, and counts up to ``now``: at most
        the time between two questions too long, and never too short."""
        stalls = self.histograms.setdefault(daemon, Histogram())
        if (since := self._silent_since.pop(daemon, None)) is not None:
            stalls.record(now - since)
        stalls.record(seconds)

    def silent(self, daemon: str, seconds: float, now: float) -> None:
        """No answer has come for ``seconds``, so far."""
        self._silent_since[daemon] = min(now - seconds, self._silent_since.get(daemon, now))

    def gone(self, daemon: str) -> None:
        """It has ended: its silence was no stall."""
        self._silent_since.pop(daemon, None)
