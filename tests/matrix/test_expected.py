"""What is right of a fault, of two at once, and which faults come."""

from __future__ import annotations

from ovsnet.health.cause import State
from tests.faults.catalogue import FAULTS
from tests.faults.verdicts import UNMADE, VERDICTS
from tests.matrix.expected import EXCEPTIONS, PLACES, Expected, in_order, observers, pairs, sample


def expected(*names: str) -> Expected:
    return Expected.of([FAULTS[name] for name in names])


def test_catalogue_is_large_enough() -> None:
    assert len(FAULTS) >= 60
    assert len(pairs(FAULTS.values(), 60, 1)) == 60


def test_every_code_has_a_verdict() -> None:
    assert {
        code for fault in FAULTS.values() for code in fault.codes | fault.passing | fault.innocent
    } <= VERDICTS.keys()


def test_every_code_is_the_right_one_of_a_fault_or_has_a_reason_why_not() -> None:
    made = {code for fault in FAULTS.values() for code in fault.codes}
    assert {code for code, _ in PLACES} - made == UNMADE.keys()


def test_every_fault_says_what_it_does() -> None:
    assert not [name for name, fault in FAULTS.items() if not fault.about.endswith((".", "lives."))]


def test_state_exit_code_and_liveness_follow_from_the_code() -> None:
    found = expected("ovsdb-killed")
    assert (found.codes, found.state, found.exit_code, found.dead) == (
        frozenset({"ovsdb-down"}),
        State.NOT_READY,
        1,
        True,
    )
    assert (expected("southbound-killed").exit_code, expected("southbound-killed").dead) == (0, False)


def test_state_that_a_fault_overrides_has_the_exit_code_that_goes_with_it() -> None:
    found = expected("switch-control-socket-moved")
    assert (found.codes, found.state, found.exit_code) == (frozenset({"socket-missing"}), State.DEGRADED, 0)


def test_first_in_the_causal_order_is_the_root_of_two_and_the_worst_state_is_theirs() -> None:
    found = expected("southbound-killed", "controller-killed")
    assert (found.codes, found.state, found.exit_code, found.dead) == (
        frozenset({"controller-down"}),
        State.NOT_READY,
        1,
        False,
    )
    found = expected("southbound-killed", "flows-deleted")
    assert (found.codes, found.state) == (frozenset({"southbound-down"}), State.NOT_READY)


def test_fault_that_does_no_harm_changes_nothing_of_another() -> None:
    assert expected("northd-terminated", "southbound-killed").codes == {"southbound-down"}


def test_fault_that_does_no_harm_leaves_the_other_all_its_codes() -> None:
    alone, beside = expected("ovn-remote-unset"), expected("northd-terminated", "ovn-remote-unset")
    assert len(alone.codes) > 1
    assert beside.codes == alone.codes


def test_root_that_may_have_several_codes_has_those_that_precede_the_other_fault() -> None:
    assert expected("ovn-remote-unset", "flows-deleted").codes == {"southbound-down", "controller-not-connected"}
    assert expected("ovn-remote-unset", "controller-killed").codes == {"controller-down"}
    beside = expected("ovn-remote-unset", "northbound-socket-moved").codes
    assert beside == {"southbound-down", "database-socket-missing"}


def test_nothing_is_healthy() -> None:
    assert (Expected.of([]).codes, Expected.of([]).state, Expected.of([]).exit_code) == (
        frozenset({"healthy"}),
        State.READY,
        0,
    )


def test_pairs_follow_from_the_seed_and_break_no_part_twice() -> None:
    chosen = pairs(FAULTS.values(), 60, 1)
    assert chosen == pairs(FAULTS.values(), 60, 1)
    assert chosen != pairs(FAULTS.values(), 60, 2)
    assert not any(one.breaks & other.breaks for one, other in chosen)
    assert len({frozenset(fault.name for fault in pair) for pair in chosen}) == 60


def test_database_is_broken_last_because_others_need_it() -> None:
    ordered = in_order([FAULTS["ovsdb-killed"], FAULTS["vswitchd-killed"], FAULTS["ovn-remote-unset"]])
    assert [fault.name for fault in ordered] == ["ovn-remote-unset", "vswitchd-killed", "ovsdb-killed"]


def test_pair_is_for_the_observers_of_both() -> None:
    assert observers([FAULTS["ovsdb-killed"], FAULTS["run-directory-empty"]]) == ["fresh", "check"]


def test_sample_follows_from_the_seed() -> None:
    assert sample(FAULTS.values(), 0.1, 1) == sample(FAULTS.values(), 0.1, 1)
    assert len(sample(FAULTS.values(), 0.1, 1)) == round(len(FAULTS) / 10)


def test_every_exception_has_its_reason_and_its_faults() -> None:
    assert all(names <= FAULTS.keys() and code in VERDICTS and why for names, (code, why) in EXCEPTIONS.items())
