"""The distribution is that of the tables."""

from __future__ import annotations

import pytest

from ovsnet.bench.student import quantile, two_sided


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (30, 2.042), (1e6, 1.960)]
)
def test_quantiles_of_95_percent_are_those_of_the_tables(freedom: float, expected: float) -> None:
    assert quantile(0.95, freedom) == pytest.approx(expected, abs=0.001)
    assert two_sided(expected, freedom) == pytest.approx(0.05, abs=1e-4)


def test_ends_are_certain() -> None:
    assert two_sided(0.0, 3) == 1.0
    assert two_sided(float("inf"), 3) == 0.0
    assert two_sided(-4.303, 2) == pytest.approx(two_sided(4.303, 2))


@pytest.mark.parametrize("freedom", [1.0, 1.7, 4.0, 33.3])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.9999])
def test_quantile_and_chance_are_inverse(freedom: float, share: float) -> None:
    assert two_sided(quantile(share, freedom), freedom) == pytest.approx(1 - share, rel=1e-6)
