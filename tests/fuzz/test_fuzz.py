"""No input makes a traceback: a few seconds each, from one seed. tests/system takes minutes, and a seed of the day."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzz import TARGETS, run

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("target", TARGETS)
async def test_no_input_makes_a_traceback(target: str) -> None:
    assert await run(target, seed=1, seconds=3.0) > 10
