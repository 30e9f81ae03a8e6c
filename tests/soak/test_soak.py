"""A short soak: ``python -m tests.soak`` runs a long one."""

from __future__ import annotations

import pytest

from tests.soak.soak import replay, soak

pytestmark = pytest.mark.heavy

FAULTS = 15
SEED = 1


async def test_agent_says_what_is_true_through_many_faults_and_leaks_nothing() -> None:
    said: list[str] = []
    outcome = await soak(FAULTS, SEED, said.append)
    assert not outcome.mismatches, "\n".join([*said, f"the same again: {replay(FAULTS, SEED)}"])
    assert outcome.faults == FAULTS
