"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.config.duration import SECONDS, seconds, written


@given(number=st.decimals(0, 86400, places=3), unit=st.sampled_from(sorted(SECONDS)))
def test_number_and_unit_make_seconds(number: object, unit: str) -> None:
    assert seconds(f"{number}{unit}") == pytest.approx(float(str(number)) * SECONDS[unit])


@pytest.mark.parametrize("text", ["", "s", "5x", "-1", "1e3", "nan", "inf", "5 5", "1,5", "\u0665"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert seconds(text) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0s"),
        (0.02, "20ms"),
        (0.5, "500ms"),
        (1.0, "1s"),
        (1.5, "1.5s"),
        (90.0, "90s"),
        (60.0, "1m"),
        (900.0, "15m"),
        (86400.0, "24h"),
    ],
)
def test_duration_is_written_in_the_largest_unit_without_a_fraction(number: float, text: str) -> None:
    assert written(number) == text


@given(st.integers(0, 86_400_000).map(lambda each: each / 1000))
def test_what_is_written_is_read_as_the_same(number: float) -> None:
    assert seconds(written(number)) == pytest.approx(number, rel=1e-5)
