"""A thing compared with itself: what is counted, and when it is too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import aa
from ovsnet.bench.compare import Difference
from ovsnet.bench.machine import this_machine


def figure(*, certain: bool, chance: float | None = 0.5) -> Difference:
    return Difference("a run", "rate", "1/s", 100.0, 110.0, 1.0, 1.2, chance, certain)


def outcome(marked: int, of: int) -> aa.Outcome:
    changes = [figure(certain=number < marked) for number in range(of)]
    comparison = aa.Comparison("race", [*changes, figure(certain=False, chance=None)])
    return aa.Outcome("then", this_machine(), {"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 3.5.0"}, [comparison])


def test_share_is_of_the_figures_that_can_be_judged() -> None:
    assert outcome(1, 20).share == 0.05
    said = "\n".join(aa.lines(outcome(1, 20)))
    assert "race     1 comparisons, 20 figures, 1 marked" in said
    assert "a run: rate 100 -> 110 1/s" in said
    assert said.endswith("5.0% of all figures are marked; 5% may be.")


@pytest.mark.parametrize(("marked", "code"), [(1, 0), (2, 1)])
def test_more_marks_than_chance_makes_are_a_failure(
    marked: int, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aa, "RESULTS", tmp_path)
    (comparison,) = outcome(marked, 20).comparisons
    monkeypatch.setattr(aa, "compared", lambda name, number: comparison)
    assert aa.main(["race", "--times", "2"]) == code
    assert (tmp_path / "aa.json").exists()


def test_short_run_of_each_workload_is_compared_with_another_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With real commands on sandboxes."""
    monkeypatch.setitem(aa.WORKLOADS, "race", ("race", "openflow", "--clients", "2", "--count", "4", "--rounds", "1"))
    found = aa.compared("race", 0)
    assert [change.figure for change in found.changes][:1] == ["rate"]
    assert found.figures == 0  # one process shows nothing of another
