"""Counts that become histograms."""

from __future__ import annotations

from ovsnet.agent.counters import Buckets, Counters
from ovsnet.health.checks.result import Result, Status


def test_observation_falls_into_the_first_bucket_it_fits_and_into_all_above() -> None:
    buckets = Buckets(bounds=(1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        buckets.record(value)
    assert list(buckets.labelled()) == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert buckets.total == 12.0


def test_only_answers_have_a_round_trip() -> None:
    counters = Counters()
    counters.count([Result("a", Status.OK, 0.0, rtt_seconds=0.001), Result("b", Status.FAILED, 0.0)])
    assert list(counters.round_trips) == ["a"]
    assert counters.round_trips["a"].total == 0.001
