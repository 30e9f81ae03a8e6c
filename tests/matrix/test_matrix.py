"""A tenth of the single faults, most of it chosen by a seed: ``make matrix`` runs them all, and pairs of them."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import FAULTS
from tests.matrix.expected import sample
from tests.matrix.page import told
from tests.matrix.run import Task, run

SEED = 1

ORDINARY = [fault for fault in FAULTS.values() if not fault.deadline and not fault.needs]
"""Those which any host can have, and which do not take minutes."""

ALWAYS = (
    "flow-restore-wait-in-force",
    "ovn-encap-ip-unset",
    "ovsdb-frozen-without-pidfile",
    "ovsdb-killed-then-vswitchd-restarted",
)
"""Of which 0.1.0 said something false, and of which no other test tells."""

TENTH = sample(ORDINARY, 0.1, SEED)
CHOSEN = [*ALWAYS, *(fault.name for fault in TENTH if fault.name not in ALWAYS)][: len(TENTH)]


@pytest.mark.parametrize("name", CHOSEN)
async def test_every_observer_names_the_fault_and_sees_its_end(name: str) -> None:
    (row,) = await run([Task([FAULTS[name]])], lambda row: None)
    assert row.right, told(row, "installed")
