"""The open-loop plan, under a fake clock."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ovsnet.bench.schedule import Schedule


def test_arrivals_come_at_their_planned_moments() -> None:
    plan = Schedule(lambda: 0.5, 3, began=10.0)
    assert plan.due(9.9) == []
    assert plan.next_at == 10.0
    assert plan.due(10.0) == [10.0]
    assert plan.due(10.4) == []
    assert plan.next_at == 10.5


def test_generator_that_was_held_up_catches_up_with_the_planned_moments() -> None:
    """The moments stay where they were planned, so that the waiting is counted."""
    plan = Schedule(lambda: 0.1, 5, began=0.0)
    assert plan.due(0.35) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert plan.due(9.0) == pytest.approx([0.4])


def test_each_arrival_is_given_once_and_the_plan_ends() -> None:
    plan = Schedule(lambda: 0.001, 1000, began=0.0)
    clock = np.cumsum(np.random.default_rng(1).exponential(0.003, 1000))
    given = [moment for now in clock for moment in plan.due(float(now))]
    assert given == pytest.approx([number / 1000 for number in range(1000)])
    assert plan.next_at is None


def test_exponential_gaps_keep_the_rate() -> None:
    rng = random.Random(5)
    plan = Schedule(lambda: rng.expovariate(200.0), 20_000, began=0.0)
    moments = plan.due(1e9)
    assert len(moments) / moments[-1] == pytest.approx(200.0, rel=0.03)
