"""No input makes a traceback: a few seconds each, from a seed that the day draws. tests/system takes minutes."""

from __future__ import annotations

import time

import pytest

from tests.fuzz.fuzz import TARGETS, run


@pytest.mark.parametrize("target", TARGETS)
async def test_no_input_makes_a_traceback(target: str) -> None:
    seed = int(time.time()) // 86400
    assert await run(target, seed, 3.0) > 10, f"seed {seed}"
