"""The arithmetic behind the table of ``python -m bench``."""

from __future__ import annotations

import pytest

from bench.comparison import HEADINGS, Row, Target, figure, percentile, table


def test_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_medians() -> None:
    row = Row("q", "1/s", ours=[10, 20, 90], peers=[10, 5, 30])
    assert row.ratio == 3  # of 1, 4, 3; the medians' ratio would be 2
    assert (row.our_median, row.peer_median) == (20, 10)


def test_row_without_a_peer_has_no_ratio() -> None:
    row = Row("q", "MiB", ours=[44.6])
    assert row.ratio is None
    assert row.peer_median is None


def test_row_without_a_target_neither_passes_nor_falls_short() -> None:
    assert Row("q", "ms", ours=[1]).passed is None


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target("ours", at_most=3), 3.0, True),
        (Target("ours", at_most=3), 3.01, False),
        (Target("ours", at_least=2), 2.0, True),
        (Target("ours", at_least=2), 1.99, False),
        (Target("ours", at_least=1, at_most=2), 2.5, False),
    ],
)
def test_target_is_met_on_its_bound(target: Target, value: float, met: bool) -> None:
    assert target.met(value) is met
    assert Row("q", "ms", ours=[value], target=target).passed is met


def test_target_of_the_ratio_looks_at_nothing_else() -> None:
    row = Row("q", "1/s", ours=[1, 1], peers=[2, 2], target=Target("ratio", at_least=0.5))
    assert row.passed
    assert str(row.target) == "≥ 0.5 x"


def test_target_of_a_third_is_written_short() -> None:
    assert str(Target("ratio", at_most=1 / 3)) == "≤ 0.333 x"


def test_rounds_without_a_partner_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _ = Row("q", "1/s", ours=[1, 2], peers=[1]).ratio


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.99, 10), (1.0, 10)])
def test_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


@pytest.mark.parametrize(
    ("value", "text"), [(0.16789, "0.168"), (2.371, "2.37"), (99.9, "99.9"), (147993.4, "147 993"), (-250.0, "-250")]
)
def test_figures_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert figure(value) == text


def test_table_is_aligned_and_says_who_fell_short() -> None:
    rows = [
        Row("first", "1/s", [30], [10], "peer", Target("ratio", at_least=2)),
        Row("a longer second", "ms", [3.5], target=Target("ours", at_most=3)),
        Row("third", "ms", [1]),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == list(HEADINGS)
    assert cells[2] == ["first", "1/s", "≥ 2 x", "30", "10 (peer)", "3.00 x", "pass"]
    assert cells[3] == ["a longer second", "ms", "≤ 3", "3.5", "", "", "SHORT"]
    assert cells[4][-1] == ""


def test_small_ratio_is_not_zero() -> None:
    assert "0.005 x" in table([Row("write", "ms", [0.1], [20.0], "peer")])


def test_what_never_came_is_said_in_words() -> None:
    (line,) = table([Row("hang", "s", [3.2], [float("inf")], "a probe that does not ask")]).splitlines()[2:]
    assert "never (a probe that does not ask)" in line
    assert "inf" not in line
    assert " x" not in line
