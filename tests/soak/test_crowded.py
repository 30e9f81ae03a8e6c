"""A short piece of it: ``python -m tests.soak.crowded`` runs a long one."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.soak.crowded import FLOOD, crowded, rounds
from tests.soak.plan import plan

pytestmark = pytest.mark.heavy

ROUNDS = 6
SEED = 1


async def test_agent_says_what_is_true_among_viewers_floods_and_reloads() -> None:
    said: list[str] = []
    planned = list(itertools.islice(rounds(SEED), ROUNDS))
    # So short a run is over before all memory was taken that stays.
    outcome, seen = await crowded(planned, lambda met: met / ROUNDS, SEED, said.append, tolerance=math.inf)
    assert not outcome.mismatches, "\n".join([*said, *outcome.mismatches])
    assert outcome.rounds == ROUNDS
    assert (FLOOD,) in planned
    assert seen.reloads > 0
    assert seen.floods > 0
    assert seen.answers > 0


def test_rounds_are_those_of_the_plan_with_floods_between() -> None:
    some = list(itertools.islice(rounds(SEED), 15))
    assert [each for each in some if each != (FLOOD,)] == plan(200, SEED)[:12]
    assert some[4::5] == [(FLOOD,)] * 3
