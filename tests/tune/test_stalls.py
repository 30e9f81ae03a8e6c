"""Stalls are counted as long as they were."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.tune.stalls import GROWTH, MOST_PEERS, Histogram, Stalls

SECONDS = st.floats(min_value=0.0, max_value=1000.0)


def histogram(*stalls: float) -> Histogram:
    found = Histogram()
    for each in stalls:
        found.record(each)
    return found


@given(SECONDS)
def test_bucket_is_never_too_low_nor_a_fifth_too_high(seconds: float) -> None:
    found = histogram(seconds)
    ((bucket, _),) = found.counts.items()
    assert seconds <= found.upper(bucket) * (1 + 1e-9)
    assert found.upper(bucket) <= max(seconds * GROWTH, 0.001) * (1 + 1e-9)


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


def test_time_is_observed_between_answers_and_not_while_the_daemon_is_gone() -> None:
    stalls = Stalls()
    for now in (100.0, 101.0, 102.0):
        stalls.answered("d", 0.0, now)
    stalls.gone("d")
    stalls.answered("d", 0.0, 500.0)
    stalls.silent("d", 4.0, 504.0)
    stalls.answered("d", 0.0, 505.0)
    assert stalls.histograms["d"].observed == 7.0


def test_servers_of_one_database_are_told_apart_in_the_document() -> None:
    stalls = Stalls()
    stalls.answered("southbound", 0.01, 100.0, "tcp:192.0.2.1:6642")
    stalls.silent("southbound", 3.0, 104.0, "tcp:192.0.2.1:6642")
    stalls.gone("southbound")
    stalls.answered("southbound", 0.02, 105.0, "tcp:192.0.2.2:6642")
    stalls.answered("southbound", 0.01, 106.0, "tcp:192.0.2.1:6642")
    peers = stalls.document()["southbound"]["peers"]
    assert {peer: (each["count"], each["longest_seconds"]) for peer, each in peers.items()} == {
        "tcp:192.0.2.1:6642": (2, 0.01),
        "tcp:192.0.2.2:6642": (1, 0.02),
    }
    assert stalls.document()["southbound"]["count"] == 3


def test_servers_are_bounded_in_number() -> None:
    stalls = Stalls()
    for number in range(2 * MOST_PEERS):
        stalls.answered("southbound", 0.01, float(number), f"tcp:192.0.2.1:{number}")
    document = stalls.document()["southbound"]
    assert (len(document["peers"]), document["count"]) == (MOST_PEERS, 2 * MOST_PEERS)


def test_daemons_are_kept_apart() -> None:
    stalls = Stalls()
    stalls.silent("a", 30.0, 100.0)
    stalls.answered("b", 0.02, 101.0)
    assert stalls.histograms["b"].highest == 0.02
