"""The same as tests/fuzz for five minutes, or FUZZ_SECONDS, from FUZZ_SEED."""

from __future__ import annotations

import os
import time

import pytest

from tests.fuzz.fuzz import TARGETS, run

SECONDS = float(os.environ.get("FUZZ_SECONDS", "300"))


@pytest.mark.system
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("target", TARGETS)
async def test_no_input_makes_a_traceback(target: str) -> None:
    seed = int(os.environ.get("FUZZ_SEED", time.time()))
    assert await run(target, seed, SECONDS / len(TARGETS)) > 100, f"seed {seed}"
