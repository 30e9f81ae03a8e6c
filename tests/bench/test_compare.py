"""What changed, and how sure one may be."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from ovsnet.bench.compare import Difference, compare, marked, quantile_again
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.machine import this_machine
from ovsnet.bench.race import RaceMeasures
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.result import ENGINE, Document, Run
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.errors import UsageError


def document(*runs: Run[Any]) -> Document:
    return Document(command="race", began="", machines=[this_machine()], runs=list(runs))


def rounds(seed: int, *, slower: float = 1.0, number: int = 3, process: int | None = None) -> Document:
    """Rounds of lognormal latencies, all ``slower`` times as long; each of a process of its own, or all of one."""
    generator = np.random.default_rng(seed)
    runs = []
    for each in range(number):
        measures = RaceMeasures(done=4000)
        ended = slower * generator.uniform(0.98, 1.02)
        at = each if process is None else process
        run = Run(kind="race", name="gated 64", round=each, process=at, ended=ended, measures=measures)
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


RACES, PROCESSES, ROUNDS = 2, 4, 2


def same(seed: int, *, faster: float = 1.0) -> Document:
    """A bench of one thing: what is counted differs by process (5 %), by round (3 %) and by value."""
    generator = np.random.default_rng(seed)
    runs = []
    for race_of in range(RACES):  # five figures each: a rate, CPU, and three quantiles
        for process in range(PROCESSES):
            of_process = generator.lognormal(0, 0.05) / faster
            for number in range(ROUNDS):
                pace = of_process * generator.lognormal(0, 0.03)
                measures = RaceMeasures(done=2000)
                for value in (generator.lognormal(13, 0.6, 120) * pace).astype(np.int64).tolist():
                    measures.from_connect.record(value)
                run = Run(
                    kind="race", name=f"race {race_of}", round=number, process=process, ended=pace, measures=measures
                )
                run.cpu_seconds = {ENGINE: pace * generator.lognormal(0, 0.03)}
                runs.append(run)
    return document(*runs)


@pytest.fixture(scope="module")
def comparisons() -> list[list[Difference]]:
    """Twenty of a thing with itself."""
    return [compare(same(seed), same(seed + 1000), random.Random(seed)) for seed in range(20)]


@pytest.mark.heavy
def test_of_twenty_comparisons_of_a_thing_with_itself_at_most_one_figure_in_twenty_has_a_mark(
    comparisons: list[list[Difference]],
) -> None:
    assert sum(change.certain for each in comparisons for change in each) <= 0.05 * sum(map(len, comparisons))
    assert sum(any(change.certain for change in each) for each in comparisons) <= 3


def test_interval_of_each_figure_leaves_out_one_in_twenty_of_equal_things(comparisons: list[list[Difference]]) -> None:
    """Within three standard errors of that share; the figures of one run, which vary together, count as one."""
    outside = [change.chance is not None and change.chance < 0.05 for each in comparisons for change in each]
    assert sum(outside) / len(outside) <= 0.05 + 3 * (0.05 * 0.95 / (20 * RACES)) ** 0.5


def test_saving_of_a_quarter_is_seen_among_all_figures() -> None:
    changes = compare(same(1), same(2, faster=1.4), random.Random(0))
    seen = [change for change in changes if change.certain]
    assert len(seen) >= len(changes) / 2
    assert all(change.ratio is not None and (change.ratio > 1) == (change.figure == "rate") for change in seen)


def test_one_process_shows_no_chance_however_many_rounds_it_has() -> None:
    changes = compare(rounds(1, process=0), rounds(2, slower=2.0, process=0), random.Random(0))
    assert all(change.chance is None and not change.certain for change in changes)


def test_mark_is_for_what_passes_with_all_figures_taken_together() -> None:
    """Of 100 figures one has a chance of 1 %: that is what chance does."""
    made = [Difference("", str(number), "", 1.0, 1.0, None, None, 0.5) for number in range(99)]
    likely, sure = (Difference("", "x", "", 1.0, 2.0, None, None, chance) for chance in (0.01, 0.0001))
    assert not any(change.certain for change in marked([*made, likely]))
    assert [change.figure for change in marked([*made, sure]) if change.certain] == ["x"]
    assert marked([likely])[0].certain


def test_quantile_that_is_drawn_again_is_that_of_drawing_all_values_again() -> None:
    """The drawn share stands for a whole sample: hold it against numpy, which draws the sample."""
    values = np.random.default_rng(3).lognormal(13, 1, 1000).astype(np.int64)
    histogram = Histogram()
    for value in values.tolist():
        histogram.record(value)
    ranks, rng = histogram.ranks(), random.Random(1)
    drawn = [quantile_again(ranks, 0.5, rng) for _ in range(2000)]
    again = np.median(np.random.default_rng(4).choice(values, (2000, 1000)), axis=1)
    assert np.std(drawn) == pytest.approx(np.std(again), rel=0.1)
    assert np.mean(drawn) == pytest.approx(np.mean(again), rel=0.01)


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
