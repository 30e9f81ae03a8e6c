"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.config.duration import SECONDS, seconds


@given(number=st.decimals(0, 86400, places=3), unit=st.sampled_from(sorted(SECONDS)))
def test_number_and_unit_make_seconds(number: object, unit: str) -> None:
    assert seconds(f"{number}{unit}") == pytest.approx(float(str(number)) * SECONDS[unit])


@pytest.mark.parametrize("text", ["", "s", "5x", "-1", "1e3", "nan", "inf", "5 5", "1,5", "\u0665"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert seconds(text) is None
