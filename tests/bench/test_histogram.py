"""Percentiles and merging, held against numpy on random data."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.bench.histogram import Histogram
from ovsnet.node.histogram import merged

SHARES = (0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)
VALUES = st.lists(st.integers(0, 10**15), min_size=1, max_size=200)


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def require_numpys_percentiles(sample: np.typing.NDArray[np.int64]) -> None:
    """A share such as 0.999 is not a binary number: which of two neighbours it names is a matter of rounding."""
    histogram = of(sample.tolist())
    for share in SHARES:
        around = [min(max(share + nudge, 0.0), 1.0) for nudge in (-1e-9, 1e-9)]
        below, above = np.quantile(sample, around, method="inverted_cdf")
        assert below * (1 - 1 / 256) - 1 <= histogram.percentile(share) <= above * (1 + 1 / 256) + 1


@given(VALUES)
def test_percentile_is_numpys_within_a_bucket(values: list[int]) -> None:
    require_numpys_percentiles(np.array(values))


@pytest.mark.parametrize("seed", range(3))
def test_tail_of_a_large_sample_is_numpys(seed: int) -> None:
    sample = np.random.default_rng(seed).lognormal(13, 1.5, 50_000).astype(np.int64)
    require_numpys_percentiles(sample)
    assert of(sample.tolist()).mean == pytest.approx(float(sample.mean()))


@given(st.lists(VALUES, max_size=4))
def test_merging_is_as_if_one_had_recorded_all(parts: list[list[int]]) -> None:
    assert merged(Histogram, map(of, parts)) == of([value for part in parts for value in part])


@given(st.integers(0, 1 << 62))
def test_buckets_are_narrow_and_in_order(value: int) -> None:
    buckets = Histogram()
    bucket = buckets.bucket_of(value)
    assert bucket <= buckets.bucket_of(value + 1)
    assert buckets.middle(bucket) == pytest.approx(value, rel=1 / 256, abs=1)
    assert value <= buckets.upper(bucket) <= value * (1 + 1 / 128) + 1


def test_many_at_once_are_as_many_one_by_one() -> None:
    at_once = Histogram()
    at_once.record(1234, 5)
    assert at_once == of([1234] * 5)


def test_nothing_has_no_percentile_and_breaks_nothing() -> None:
    assert (Histogram().percentile(0.5), Histogram().mean, Histogram().count) == (0.0, 0.0, 0)


def test_clock_that_went_back_counts_as_no_time() -> None:
    assert of([-5]).percentile(0.5) == 0.0


@given(VALUES)
def test_json_keeps_it_exactly(values: list[int]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(of(values)), type=Histogram) == of(values)


def test_curve_ends_with_all_of_them() -> None:
    assert of([1, 2, 3, 4]).ranks().curve() == [(1.0, 0.25), (2.0, 0.5), (3.0, 0.75), (4.0, 1.0)]
