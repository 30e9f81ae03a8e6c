"""A short run of each kind; ``python -m tests.ovsdb.chaos`` makes long ones."""

from __future__ import annotations

import pytest

from tests.ovsdb.chaos.chaos import chaos


@pytest.mark.parametrize("clustered", [False, True])
async def test_copy_equals_a_dump_whatever_happens(clustered: bool) -> None:
    outcome = await chaos(3, 100, clustered=clustered)
    assert outcome.pauses == 4
    assert outcome.done > 50
    assert len(outcome.faults) >= 3
    assert outcome.connections > 1


async def test_copy_of_three_members_equals_a_dump_whatever_happens() -> None:
    outcome = await chaos(3, 50, members=3)
    assert outcome.pauses == 2
    assert outcome.done > 20
    assert len(outcome.faults) >= 3
    assert outcome.connections > 1
