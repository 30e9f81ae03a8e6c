"""Counts of values in buckets. Pure.

Which bucket a value falls into depends on the value alone, so histograms of several processes or machines add up
exactly. A subclass says how wide the buckets are: that depends on what is counted and what for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

import msgspec


class Histogram(msgspec.Struct):
    """``counts`` holds the buckets that are not empty; ``total`` is the sum of all values."""

    counts: dict[int, int] = {}
    total: float = 0
    lowest: float = 0
    highest: float = 0

    def bucket_of(self, value: float) -> int:
        """The bucket of a value >= 0."""
        raise NotImplementedError

    def upper(self, bucket: int) -> float:
        """The largest value of a bucket."""
        raise NotImplementedError

    def middle(self, bucket: int) -> float:
        """What to read back for a value of this bucket."""
        return self.upper(bucket)

    def record(self, value: float, times: int = 1) -> None:
        """Count a value. A negative one, as from a clock that was set back, counts as 0."""
        value = value if value > 0 else 0
        if value < self.lowest or not self.counts:
            self.lowest = value
        if value > self.highest:
            self.highest = value
        self.total += value * times
        bucket = self.bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + times

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """Exact; 0 when empty."""
        return self.total / self.count if self.counts else 0.0

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """The upper bound of each bucket that is not empty, and how many values were at most that."""
        count = 0
        for bucket in sorted(self.counts):
            count += self.counts[bucket]
            yield self.upper(bucket), count

    def ranks(self) -> Ranks:
        """The same in order, for many questions."""
        return Ranks(self)

    def percentile(self, share: float) -> float:
        """The value that at least ``share`` (0 to 1) of all do not exceed (nearest rank); 0 when empty."""
        return self.ranks().percentile(share)

    def add(self, other: Histogram) -> None:
        """Count all of another one, which has the same buckets, too."""
        if not other.counts:
            return
        self.lowest = min(self.lowest, other.lowest) if self.counts else other.lowest
        self.highest = max(self.highest, other.highest)
        self.total += other.total
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count


class Ranks:
    """A histogram in order of its values."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._buckets = sorted(histogram.counts)
        self._up_to = list(accumulate(histogram.counts[bucket] for bucket in self._buckets))
        self.count = self._up_to[-1] if self._up_to else 0

    def percentile(self, share: float) -> float:
        """As ``Histogram.percentile``."""
        if not self.count:
            return 0.0
        rank = min(max(-int(-share * self.count // 1), 1), self.count)
        if rank in (1, self.count):  # both ends are known exactly
            return float(self._histogram.highest if rank == self.count else self._histogram.lowest)
        return self._values[bisect_left(self._up_to, rank)]

    @cached_property
    def _values(self) -> list[float]:
        """What to read back for each bucket."""
        lowest, highest, middle = self._histogram.lowest, self._histogram.highest, self._histogram.middle
        return [min(max(middle(bucket), lowest), highest) for bucket in self._buckets]

    def curve(self) -> Sequence[tuple[float, float]]:
        """``(value, share of all that do not exceed it)`` for each bucket."""
        middle = self._histogram.middle
        return [(middle(bucket), up_to / self.count) for bucket, up_to in zip(self._buckets, self._up_to, strict=True)]


Kind = TypeVar("Kind", bound=Histogram)


def merged(kind: type[Kind], histograms: Iterable[Kind]) -> Kind:
    """All of them as if one had recorded everything."""
    whole = kind()
    for each in histograms:
        whole.add(each)
    return whole
