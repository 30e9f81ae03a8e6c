"""What a person reads off the plots of a storm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ovsnet.bench.result import Run
from ovsnet.bench.storm.measures import StormMeasures

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@pytest.fixture
def axes() -> Axes:
    """Imported here: matplotlib takes a second, which each test process would spend on collecting."""
    from matplotlib.figure import Figure

    return Figure().subplots()


def drawn(axes: Axes, run: Run[StormMeasures]) -> None:
    from ovsnet.bench.report_storm import comeback

    comeback(axes, [run])


def storm(*, back: int, lost: int = 0) -> Run[StormMeasures]:
    """Of ten, ``back`` came back after 1, 2, 3... seconds, and ``lost`` did not."""
    measures = StormMeasures(chassis=10, done=10 - lost, lost=lost)
    for number in range(1, back + 1):
        measures.fault_to_synced.record(number * 10**9)
    return Run(kind="storm", name="storm", measures=measures)


@pytest.mark.parametrize(
    ("run", "first", "last"),
    [(storm(back=10), 0.0, 1.0), (storm(back=4), 0.6, 1.0), (storm(back=4, lost=6), 0.0, 0.4)],
)
def test_curve_begins_with_those_that_stayed_and_ends_with_all_that_are_synced(
    axes: Axes, run: Run[StormMeasures], first: float, last: float
) -> None:
    drawn(axes, run)
    (line,) = axes.get_lines()
    times, shares = np.transpose(line.get_path().vertices)
    assert (times[0], shares[0], shares[-1]) == (0.0, pytest.approx(first), pytest.approx(last))
    assert times[-1] == pytest.approx(run.measures.fault_to_synced.highest / 1e9, rel=0.05)


def test_storm_that_threw_nobody_out_has_no_curve(axes: Axes) -> None:
    axes.plot([], label="another")  # a legend of nothing is a warning
    drawn(axes, storm(back=0))
    assert len(axes.get_lines()) == 1
