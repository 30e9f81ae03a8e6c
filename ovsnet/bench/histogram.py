"""Durations in nanoseconds, in buckets whose width grows with the duration. Pure.

Each power of two is cut into 128 buckets of one width, so a bucket is at most 1/128 of the values in it wide, and a
percentile read from its middle is off by less than 0.4 %, from a nanosecond to a year (the idea is HdrHistogram's).
"""

from __future__ import annotations

from ovsnet.node import histogram

_BITS = 7
_WIDTH = 1 << _BITS


class Histogram(histogram.Histogram):
    """Durations in nanoseconds."""

    total: int = 0
    lowest: int = 0
    highest: int = 0

    def bucket_of(self, value: float) -> int:
        """Values below 128 have one bucket each."""
        whole = int(value)
        if whole < _WIDTH:
            return whole
        shift = whole.bit_length() - _BITS - 1
        return (shift << _BITS) + (whole >> shift)

    def upper(self, bucket: int) -> float:
        return _lowest(bucket) + _spread(bucket)

    def middle(self, bucket: int) -> float:
        return _lowest(bucket) + _spread(bucket) / 2


def _lowest(bucket: int) -> int:
    shift = _shift(bucket)
    return (bucket - (shift << _BITS)) << shift


def _spread(bucket: int) -> int:
    """The largest value of a bucket less its smallest."""
    return (1 << _shift(bucket)) - 1


def _shift(bucket: int) -> int:
    return 0 if bucket < 2 * _WIDTH else (bucket >> _BITS) - 1
