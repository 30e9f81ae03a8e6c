"""What storms that differ in their probe interval say together."""

from __future__ import annotations

import pytest

from ovsnet.bench.result import Run, together
from ovsnet.bench.storm.sweep import figures, smallest_quiet_interval, sweeps, verdict


def storm(interval: float, false: int = 0, *, lost: int = 0, problems: tuple[str, ...] = ()) -> Run:
    return Run(
        kind="storm",
        name=f"10 on unix standalone, probe {interval:g} s",
        settings={"probe interval": interval},
        counts={"chassis": 10, "done": 10 - lost, "lost": lost, "false disconnects": false},
        problems=list(problems),
    )


@pytest.mark.parametrize(
    ("runs", "smallest"),
    [
        ([storm(1, 7), storm(2), storm(5)], 2.0),
        ([storm(1), storm(2, 1), storm(5)], 5.0),  # a lucky run below an unlucky one proves nothing
        ([storm(1, 3), storm(2, 1)], None),
        ([storm(2), storm(2, 1), storm(5)], 5.0),  # each round counts
        ([storm(2, lost=1), storm(5)], 5.0),
        ([storm(2, problems=("lag",)), storm(5)], 5.0),
        ([storm(0), storm(5)], 5.0),  # who never probes never gives up
        ([], None),
    ],
)
def test_smallest_interval_is_quiet_and_so_is_every_longer_one(runs: list[Run], smallest: float | None) -> None:
    assert smallest_quiet_interval(runs) == smallest


def test_run_whose_disconnects_could_not_be_told_apart_is_not_quiet() -> None:
    run = storm(5)
    del run.counts["false disconnects"]
    assert smallest_quiet_interval([run]) is None


def test_verdict_is_a_sentence() -> None:
    ((place, runs),) = sweeps([storm(1, 7), storm(2)]).items()
    assert verdict(place, runs) == (
        "10 on unix standalone: 2 s is the smallest probe interval without false disconnects."
    )
    assert "no probe interval" in verdict(place, runs[:1])
    assert "nobody probed" in verdict(place, [storm(0)])


def test_times_are_those_of_the_last_one_and_never_for_who_is_missing() -> None:
    run = storm(5)
    for number in range(1, 11):
        run.latency("join to synced").record(number * 10**9)
    run.latency("fault to synced").record(3 * 10**9)
    assert figures(run).all_joined == 10.0
    assert figures(run).all_back == 3.0
    assert figures(storm(5)).all_back == 0.0
    assert figures(storm(5, lost=1)).all_back is None
    run.counts["chassis"] = 11
    assert figures(run).all_joined is None


def test_shards_together_are_the_slowest_of_them_and_the_sum_of_their_memory() -> None:
    left, right = storm(5, 1), storm(5, 2)
    for run, seconds in ((left, 4), (right, 9)):
        run.latency("fault to synced").record(seconds * 10**9)
        run.peak_bytes = {"engine": 100, "ovn-sb": 50 + seconds}
    whole = together([left, right])
    assert figures(whole).all_back == 9.0
    assert whole.counts["false disconnects"] == 3
    assert whole.peak_bytes == {"engine": 200, "ovn-sb": 59}
