"""A tenth of the single faults, chosen by a seed: ``make matrix`` runs them all, and pairs of them."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import FAULTS
from tests.matrix.expected import sample
from tests.matrix.page import told
from tests.matrix.run import Task, run

SEED = 1

ORDINARY = [fault for fault in FAULTS.values() if not fault.pending and not fault.deadline and not fault.needs]
"""Those of which all is right, which any host can have, and which do not take minutes."""


@pytest.mark.parametrize("name", [fault.name for fault in sample(ORDINARY, 0.1, SEED)])
async def test_every_observer_names_the_fault_and_sees_its_end(name: str) -> None:
    (row,) = await run([Task([FAULTS[name]])], lambda row: None)
    assert row.right, told(row, "installed")
