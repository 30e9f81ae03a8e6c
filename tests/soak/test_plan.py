"""Which faults come."""

from __future__ import annotations

import pytest

from tests.soak.faults import FAULTS
from tests.soak.plan import plan


def test_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert plan(200, 1) == plan(200, 1)
    assert plan(200, 1) != plan(200, 2)


@pytest.mark.parametrize("faults", [1, 15, 200])
def test_plan_holds_as_many_faults_as_asked_for(faults: int) -> None:
    assert sum(map(len, plan(faults, 1))) == faults


def test_plan_brings_every_kind_and_breaks_no_part_twice_at_once() -> None:
    rounds = plan(200, 1)
    assert {fault.name for faults in rounds for fault in faults} == {fault.name for fault in FAULTS}
    pairs = [faults for faults in rounds if len(faults) == 2]
    assert len(pairs) > 10
    assert not any(one.breaks & other.breaks for one, other in pairs)


def test_short_freezes_do_no_harm() -> None:
    brief = [fault for fault in FAULTS if fault.name.endswith("-briefly")]
    assert len(brief) == 4
    assert all(
        fault.codes == {"healthy"} and f"{fault.name.partition('-')[0]}-slow" in fault.passing for fault in brief
    )
