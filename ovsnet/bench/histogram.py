"""Counts of durations in buckets whose width grows with the duration. Pure.

Each power of two is cut into 128 buckets of one width, so a bucket is at most 1/128 of the values in it wide, and a
percentile read from its middle is off by less than 0.4 %, from a nanosecond to a year. Which bucket a value falls into
depends on the value alone: histograms of several processes or machines add up exactly (the idea is HdrHistogram's).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

_BITS = 7
_WIDTH = 1 << _BITS


def bucket_of(value: int) -> int:
    """The bucket of a value >= 0. Values below 128 have one each."""
    if value < _WIDTH:
        return value
    shift = value.bit_length() - _BITS - 1
    return (shift << _BITS) + (value >> shift)


def middle_of(bucket: int) -> float:
    """The middle of the values that fall into this bucket."""
    if bucket < 2 * _WIDTH:
        return float(bucket)
    shift = (bucket >> _BITS) - 1
    lowest = (bucket - (shift << _BITS)) << shift
    return lowest + ((1 << shift) - 1) / 2


class Histogram(msgspec.Struct):
    """Durations in nanoseconds. ``counts`` holds the buckets that are not empty."""

    counts: dict[int, int] = {}
    total: int = 0
    lowest: int = 0
    highest: int = 0

    def record(self, nanoseconds: int, times: int = 1) -> None:
        """Count a duration. A negative one, which a clock that went back makes, counts as 0."""
        value = nanoseconds if nanoseconds > 0 else 0
        if value < self.lowest or not self.counts:
            self.lowest = value
        if value > self.highest:
            self.highest = value
        self.total += value * times
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + times

    @property
    def count(self) -> int:
        """How many durations were recorded."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """Nanoseconds, exact; 0 of nothing."""
        return self.total / self.count if self.counts else 0.0

    def ranks(self) -> Ranks:
        """The same in order, for many questions."""
        return Ranks(self)

    def percentile(self, share: float) -> float:
        """Nanoseconds that at least ``share`` (0 to 1) of all do not exceed (nearest rank); 0 of nothing."""
        return self.ranks().percentile(share)


class Ranks:
    """A histogram in order of its values."""

    def __init__(self, histogram: Histogram) -> None:
        self._buckets = sorted(histogram.counts)
        self._up_to = list(accumulate(histogram.counts[bucket] for bucket in self._buckets))
        self._bounds = histogram.lowest, histogram.highest
        self.count = self._up_to[-1] if self._up_to else 0

    def percentile(self, share: float) -> float:
        """As ``Histogram.percentile``."""
        if not self.count:
            return 0.0
        rank = min(max(-int(-share * self.count // 1), 1), self.count)
        if rank in (1, self.count):
            return float(self._bounds[rank == self.count])  # both ends are known exactly
        bucket = self._buckets[bisect_left(self._up_to, rank)]
        lowest, highest = self._bounds
        return min(max(middle_of(bucket), lowest), highest)

    def curve(self) -> Sequence[tuple[float, float]]:
        """``(nanoseconds, share of all that do not exceed them)`` for each bucket."""
        return [
            (middle_of(bucket), up_to / self.count) for bucket, up_to in zip(self._buckets, self._up_to, strict=True)
        ]


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as if one had recorded everything."""
    whole = Histogram()
    for each in histograms:
        if not each.counts:
            continue
        whole.lowest = min(whole.lowest, each.lowest) if whole.counts else each.lowest
        whole.highest = max(whole.highest, each.highest)
        whole.total += each.total
        for bucket, count in each.counts.items():
            whole.counts[bucket] = whole.counts.get(bucket, 0) + count
    return whole
