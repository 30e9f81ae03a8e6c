"""Stalls are counted as long as they were."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.tune.stalls import GROWTH, Histogram, Stalls

SECONDS = st.floats(min_value=0.0, max_value=1000.0)


def histogram(*stalls: float) -> Histogram:
    found = Histogram()
    for each in stalls:
        found.record(each)
    return found


@given(st.lists(SECONDS, min_size=1))
def test_quantile_of_all_is_the_longest(stalls: list[float]) -> None:
    assert histogram(*stalls).quantile(1.0, every=1e9) == max(stalls)


@given(SECONDS)
def test_value_read_back_is_never_too_low_nor_a_fifth_too_high(seconds: float) -> None:
    read = histogram(seconds, 2000.0).quantile(0.5, every=1e9)
    assert seconds <= read * (1 + 1e-9)
    assert read <= max(seconds * GROWTH, 0.001) * (1 + 1e-9)


def test_long_stall_weighs_as_many_questions_as_it_would_have_met() -> None:
    """One question a second: 1000 quick answers and one stall of 50 s, which 50 of 1050 would have met."""
    found = histogram(*[0.001] * 1000, 50.0)
    assert found.quantile(0.99, every=1.0) == 50.0
    assert found.quantile(0.99, every=1e9) == 0.001


@given(st.lists(SECONDS, min_size=1), SECONDS)
def test_stalls_above_are_counted_and_never_missed(stalls: list[float], bound: float) -> None:
    assert histogram(*stalls).above(bound) >= sum(each > bound * (1 + 1e-9) for each in stalls)
    assert histogram(*stalls).above(max(stalls)) == 0


@given(st.lists(SECONDS))
def test_document_reads_back_as_it_was(stalls: list[float]) -> None:
    found = histogram(*stalls)
    again = Histogram.from_document(json.loads(json.dumps(found.document())))
    assert again.document() == found.document()


@pytest.mark.parametrize("document", [{}, {"buckets": []}, {"buckets": {"x": 1}, "longest_seconds": 1}])
def test_other_document_is_refused_in_a_sentence(document: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no histogram"):
        Histogram.from_document(document)


def test_silence_counts_once_when_it_is_over() -> None:
    stalls = Stalls()
    stalls.answered("d", 0.01, 100.0)
    for seconds in (1.0, 2.0, 3.0):
        stalls.silent("d", seconds, 100.0 + seconds)
    assert stalls.histograms["d"].count == 1
    stalls.answered("d", 0.02, 104.0)
    assert (stalls.histograms["d"].count, stalls.histograms["d"].highest) == (3, 4.0)


def test_silence_of_several_questions_counts_from_the_first() -> None:
    stalls = Stalls()
    stalls.silent("d", 3.0, 103.0)
    stalls.silent("d", 1.0, 103.5)
    stalls.answered("d", 0.02, 104.0)
    assert stalls.histograms["d"].highest == 4.0


def test_silence_that_ends_with_the_daemon_is_no_stall() -> None:
    stalls = Stalls()
    stalls.silent("d", 30.0, 100.0)
    stalls.gone("d")
    stalls.answered("d", 0.02, 101.0)
    assert stalls.histograms["d"].highest == 0.02


def test_daemons_are_kept_apart() -> None:
    stalls = Stalls()
    stalls.silent("a", 30.0, 100.0)
    stalls.answered("b", 0.02, 101.0)
    assert stalls.histograms["b"].highest == 0.02
