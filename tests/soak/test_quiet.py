"""A short look: ``python -m tests.soak.quiet`` takes a long one."""

from __future__ import annotations

import pytest

from tests.soak.quiet import NODES, watch

pytestmark = pytest.mark.heavy

MINUTES = 0.2


@pytest.mark.parametrize("name", ["without OVN", "pods that restart"])
async def test_nothing_is_said_of_a_node_on_which_nothing_is_wrong(name: str) -> None:
    outcome = await watch(NODES[name], MINUTES)
    assert not outcome.wrong
    assert outcome.checks
