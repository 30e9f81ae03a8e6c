"""What changed, and how sure one may be."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from ovsnet.bench.compare import Difference, compare
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.machine import this_machine
from ovsnet.bench.race import RaceMeasures
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.result import ENGINE, Document, Run
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.errors import UsageError


def document(*runs: Run[Any]) -> Document:
    return Document(command="race", began="", machines=[this_machine()], runs=list(runs))


def rounds(seed: int, *, slower: float = 1.0, number: int = 3) -> Document:
    """Rounds of lognormal latencies, all ``slower`` times as long."""
    generator = np.random.default_rng(seed)
    runs = []
    for each in range(number):
        measures = RaceMeasures(done=4000)
        ended = slower * generator.uniform(0.98, 1.02)
        run = Run(kind="race", name="gated 64", round=each, ended=ended, measures=measures)
        for value in (generator.lognormal(13, 0.5, 4000) * slower).astype(np.int64).tolist():
            measures.from_connect.record(value)
        run.cpu_seconds = {ENGINE: slower}
        runs.append(run)
    return document(*runs)


def figure(changes: list[Difference], name: str) -> Difference:
    return next(change for change in changes if change.figure == name)


def test_doubling_is_seen_and_certain() -> None:
    changes = compare(rounds(1), rounds(2, slower=2.0), random.Random(0))
    for name in ("from connect p50", "from connect p99", "CPU of engine"):
        change = figure(changes, name)
        assert change.ratio == pytest.approx(2.0, rel=0.15)
        assert change.certain
    assert figure(changes, "rate").ratio == pytest.approx(0.5, rel=0.1)


def test_chance_is_rarely_called_a_change() -> None:
    """95 % confidence: of 20 pairs that differ by chance alone, one is expected to seem to change."""
    certain = [
        figure(compare(rounds(seed), rounds(seed + 100), random.Random(seed)), "from connect p50").certain
        for seed in range(20)
    ]
    assert sum(certain) <= 5


def test_interval_of_a_quantile_is_that_of_drawing_all_values_anew() -> None:
    """The drawn share stands for a whole sample: hold it against numpy, which draws the sample."""
    values = np.random.default_rng(3).lognormal(13, 1, 1000).astype(np.int64)
    histogram = Histogram()
    for value in values.tolist():
        histogram.record(value)
    run = Run(kind="race", name="x", measures=RaceMeasures(from_connect=histogram))
    change = figure(compare(document(run), document(run), random.Random(1)), "from connect p50")
    again = np.random.default_rng(4).choice(values, (2, 1000, 1000))
    ratios = np.median(again[0], axis=1) / np.median(again[1], axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    assert change.low == pytest.approx(low, rel=0.03)
    assert change.high == pytest.approx(high, rel=0.03)


def test_one_round_gives_no_interval_for_a_rate() -> None:
    change = figure(compare(rounds(1, number=1), rounds(2, number=1), random.Random(0)), "rate")
    assert (change.low, change.high, change.certain) == (None, None, False)


def race(name: str) -> Run[RaceMeasures]:
    return Run(kind="race", name=name, measures=RaceMeasures())


def test_samples_are_compared_by_their_median() -> None:
    """Of each five restarts, one is an outlier."""
    before, after = (
        document(Run(kind="restart", name="plain", measures=RestartMeasures(flows=[*[seconds] * 4, 60.0])))
        for seconds in (2.0, 1.0)
    )
    change = figure(compare(before, after, random.Random(0)), "flows")
    assert (change.before, change.after, change.unit) == (2.0, 1.0, "s")


def test_files_without_a_common_run_are_refused() -> None:
    with pytest.raises(UsageError, match="no run in common"):
        compare(document(race("a")), document(race("b")), random.Random(0))


def storms(*outages: int, false: int) -> Document:
    """A round for each outage, in seconds, of one chassis."""
    runs = []
    for number, seconds in enumerate(outages):
        measures = StormMeasures(chassis=1, done=1, false_disconnects=false)
        measures.fault_to_synced.record(seconds * 10**9)
        run = Run(kind="storm", name="1 on tcp", round=number, ended=60.0, measures=measures)
        runs.append(run)
    return document(*runs)


def test_storms_are_compared_by_what_they_are_about() -> None:
    changes = compare(storms(20, 22, 21, false=10), storms(5, 6, 7, false=5), random.Random(0))
    assert not [change for change in changes if change.figure in ("rate", "all joined")]
    for name, ratio in (("all synced again", 6 / 21), ("false disconnects", 0.5)):
        assert figure(changes, name).ratio == pytest.approx(ratio)
        assert figure(changes, name).certain


def test_storm_from_which_nobody_came_back_has_no_time_for_it() -> None:
    never = storms(20, false=0)
    never.runs[0].measures.done = 0
    changes = compare(never, storms(5, false=0), random.Random(0))
    assert {"all synced again", "all joined"}.isdisjoint({change.figure for change in changes})
