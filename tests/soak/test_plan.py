"""Which faults come, and what must be said of two at once."""

from __future__ import annotations

import pytest

from ovsnet.health.causes import causes
from tests.soak.faults import FAULTS, Fault
from tests.soak.plan import expected, plan

NAMED = {fault.name: fault for fault in FAULTS}


def names(*wanted: str) -> tuple[Fault, ...]:
    return tuple(NAMED[name] for name in wanted)


def test_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert plan(200, 1) == plan(200, 1)
    assert plan(200, 1) != plan(200, 2)


@pytest.mark.parametrize("faults", [1, 15, 200])
def test_plan_holds_as_many_faults_as_asked_for(faults: int) -> None:
    assert sum(map(len, plan(faults, 1))) == faults


def test_plan_brings_every_kind_and_breaks_no_part_twice_at_once() -> None:
    rounds = plan(200, 1)
    assert {fault for faults in rounds for fault in faults} == set(FAULTS)
    pairs = [faults for faults in rounds if len(faults) == 2]
    assert len(pairs) > 10
    assert not any(one.breaks & other.breaks for one, other in pairs)


def test_every_code_that_may_be_said_exists() -> None:
    codes = {cause.code for cause in causes()} | {"healthy", "starting"}
    assert {code for fault in FAULTS for code in fault.codes} <= codes


@pytest.mark.parametrize(
    ("faults", "code", "also"),
    [
        (names("vswitchd-kill"), "vswitchd-down", set()),
        (names("pidfile-reused"), "healthy", set()),
        (names("controller-kill", "vswitchd-freeze"), "vswitchd-hung", {"controller-down"}),
        (names("southbound-kill", "ovsdb-kill"), "ovsdb-down", set()),
        (names("southbound-kill", "ovsdb-short-freeze"), "southbound-down", set()),
        (names("southbound-kill", "flows-wiped"), "southbound-down", {"flows-missing"}),
        (names("bridge-deleted"), "bridge-missing", {"controller-paused"}),
    ],
)
def test_root_is_the_first_in_causal_order_and_the_rest_stands_beside_it(
    faults: tuple[Fault, ...], code: str, also: set[str]
) -> None:
    assert expected(faults) == (code, frozenset(also))
