"""What storms that differ in their probe interval show together."""

from __future__ import annotations

import pytest

from ovsnet.bench.result import Run, together
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.storm import Storm
from ovsnet.bench.storm.sweep import figures, smallest_quiet_interval, sweeps, verdict


def storm(
    interval: float, false: int = 0, *, lost: int = 0, problems: tuple[str, ...] = (), fault: str = "freeze"
) -> Run[StormMeasures]:
    return Run(
        kind="storm",
        name=f"storm {interval:g}",
        settings=Storm(10, interval).settings() | {"fault": fault, "fault_seconds": 10.0},
        measures=StormMeasures(chassis=10, done=10 - lost, lost=lost, false_disconnects=false),
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
        ([storm(0), storm(5)], 5.0),  # a chassis that never probes never gives up
        ([], None),
    ],
)
def test_smallest_interval_is_quiet_and_so_is_every_longer_one(
    runs: list[Run[StormMeasures]], smallest: float | None
) -> None:
    assert smallest_quiet_interval(runs) == smallest


def test_run_whose_disconnects_could_not_be_told_apart_is_not_quiet() -> None:
    run = storm(5)
    run.measures.false_disconnects = None
    assert smallest_quiet_interval([run]) is None


def test_storms_are_one_sweep_by_their_settings_whatever_they_are_called() -> None:
    """The hold follows the interval, and does not part them; another number of chassis does."""
    other = storm(5)
    other.settings["chassis"] = 20
    one, two, three = storm(1), storm(30), storm(5)
    three.name = "an old one, probe 2 s"
    assert sweeps([one, other, two, three]) == [[one, two, three], [other]]


PLACE = "10 on unix standalone, freeze 10 s"


def test_smallest_interval_is_named_only_where_a_smaller_one_failed() -> None:
    (runs,) = sweeps([storm(1, 7), storm(2)])
    assert verdict(runs) == f"{PLACE}: 2 s is the smallest tested probe interval without false disconnects."
    (quiet,) = sweeps([storm(5), storm(2), storm(30)])
    assert verdict(quiet) == f"{PLACE}: no false disconnects at any of 2 to 30 s; smaller ones were not tried."
    assert verdict([storm(5)]) == f"{PLACE}: no false disconnects at 5 s; smaller ones were not tried."
    assert "no probe interval" in verdict(runs[:1])
    assert "probes were off" in verdict([storm(0)])


@pytest.mark.parametrize("fault", ["kill", "none"])
def test_without_a_freeze_no_interval_is_called_long_enough(fault: str) -> None:
    (runs,) = sweeps([storm(1, 7, fault=fault), storm(2, fault=fault)])
    assert "only a freeze shows" in verdict(runs)


def test_times_are_those_of_the_last_one_and_never_when_one_is_missing() -> None:
    run = storm(5)
    for number in range(1, 11):
        run.measures.join_to_synced.record(number * 10**9)
    run.measures.fault_to_synced.record(3 * 10**9)
    assert figures(run).all_joined == 10.0
    assert figures(run).all_back == 3.0
    assert figures(storm(5)).all_back == 0.0
    assert figures(storm(5, lost=1)).all_back is None
    run.measures.chassis = 11
    assert figures(run).all_joined is None


def test_shards_together_are_the_slowest_of_them_and_the_sum_of_their_memory() -> None:
    left, right = storm(5, 1), storm(5, 2)
    for run, seconds in ((left, 4), (right, 9)):
        run.measures.fault_to_synced.record(seconds * 10**9)
        run.peak_bytes = {"engine": 100, "ovn-sb": 50 + seconds}
    whole = together([left, right])
    assert figures(whole).all_back == 9.0
    assert whole.measures.false_disconnects == 3
    assert whole.peak_bytes == {"engine": 200, "ovn-sb": 59}
