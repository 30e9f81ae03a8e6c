"""When the agent looks, when it writes, when it gives up."""

from __future__ import annotations

import pytest

from ovsnet.tune.drift import GIVE_UP_AFTER, DriftControl, Mode

DRIFT = ("max-idle is 9000, wanted 20000",)


def steady(mode: Mode) -> DriftControl:
    control = DriftControl(mode, 60.0)
    control.due(0.0, ready=True)
    return control


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_look_waits_until_the_node_was_ready_for_an_interval_without_a_break(mode: Mode) -> None:
    control = steady(mode)
    assert not control.due(59.0, ready=True)
    assert not control.due(59.5, ready=False)
    assert not control.due(60.0, ready=True)
    assert not control.due(119.0, ready=True)
    assert control.due(120.0, ready=True)


def test_off_never_looks() -> None:
    assert not steady("off").due(1e6, ready=True)


def test_observe_tells_the_drift_and_never_writes() -> None:
    control = steady("observe")
    assert not control.found(60.0, DRIFT)
    assert control.drift == DRIFT
    assert not control.found(120.0, ())
    assert not control.drift


def test_enforce_writes_at_most_once_an_interval() -> None:
    control = steady("enforce")
    assert control.found(60.0, DRIFT)
    control.wrote(60.5)
    assert not control.due(120.0, ready=True)
    assert control.due(120.5, ready=True)


def fight(control: DriftControl, rounds: int) -> list[bool]:
    written = []
    for number in range(1, rounds + 1):
        written.append(control.found(60.0 * number, DRIFT))
        if written[-1]:
            control.wrote(60.0 * number)
    return written


def test_enforce_gives_up_when_its_writes_do_not_last() -> None:
    control = steady("enforce")
    assert fight(control, GIVE_UP_AFTER + 3) == [True] * GIVE_UP_AFTER + [False] * 3
    assert control.given_up
    assert control.drift == DRIFT


def test_look_without_drift_ends_the_giving_up() -> None:
    control = steady("enforce")
    fight(control, GIVE_UP_AFTER + 1)
    control.found(1000.0, ())
    assert not control.given_up
    assert control.found(2000.0, DRIFT)


def test_writes_that_last_never_add_up_to_giving_up() -> None:
    control = steady("enforce")
    for number in range(10):
        assert control.found(number * 120.0, DRIFT)
        control.wrote(number * 120.0)
        control.found(number * 120.0 + 60.0, ())


def test_failure_is_told_until_a_look_succeeds_and_delays_the_next() -> None:
    control = steady("enforce")
    control.failed(60.0, "No answer.")
    assert control.trouble == "No answer."
    assert not control.due(119.0, ready=True)
    assert control.due(120.0, ready=True)
    control.found(120.0, ())
    assert not control.trouble
