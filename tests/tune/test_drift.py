"""When the agent looks, when it writes, when it gives up."""

from __future__ import annotations

import pytest

from ovsnet.tune.drift import GIVE_UP_AFTER, Keeper, Mode

DRIFT = ("max-idle is 9000, wanted 20000",)


def steady(mode: Mode) -> Keeper:
    keeper = Keeper(mode, 60.0)
    keeper.wants_look(0.0, ready=True)
    return keeper


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_look_waits_until_the_node_was_ready_for_an_interval_without_a_break(mode: Mode) -> None:
    keeper = steady(mode)
    assert not keeper.wants_look(59.0, ready=True)
    assert not keeper.wants_look(59.5, ready=False)
    assert not keeper.wants_look(60.0, ready=True)
    assert not keeper.wants_look(119.0, ready=True)
    assert keeper.wants_look(120.0, ready=True)


def test_off_never_looks() -> None:
    assert not steady("off").wants_look(1e6, ready=True)


def test_observe_tells_the_drift_and_never_writes() -> None:
    keeper = steady("observe")
    assert not keeper.looked(60.0, DRIFT)
    assert keeper.drift == DRIFT
    assert not keeper.looked(120.0, ())
    assert not keeper.drift


def test_enforce_writes_at_most_once_an_interval() -> None:
    keeper = steady("enforce")
    assert keeper.looked(60.0, DRIFT)
    keeper.wrote(60.5)
    assert not keeper.wants_look(120.0, ready=True)
    assert keeper.wants_look(120.5, ready=True)


def fight(keeper: Keeper, rounds: int) -> list[bool]:
    written = []
    for number in range(1, rounds + 1):
        written.append(keeper.looked(60.0 * number, DRIFT))
        if written[-1]:
            keeper.wrote(60.0 * number)
    return written


def test_enforce_gives_up_when_its_writes_do_not_last() -> None:
    keeper = steady("enforce")
    assert fight(keeper, GIVE_UP_AFTER + 3) == [True] * GIVE_UP_AFTER + [False] * 3
    assert keeper.given_up
    assert keeper.drift == DRIFT


def test_look_without_drift_ends_the_giving_up() -> None:
    keeper = steady("enforce")
    fight(keeper, GIVE_UP_AFTER + 1)
    keeper.looked(1000.0, ())
    assert not keeper.given_up
    assert keeper.looked(2000.0, DRIFT)


def test_writes_that_last_never_add_up_to_giving_up() -> None:
    keeper = steady("enforce")
    for number in range(10):
        assert keeper.looked(number * 120.0, DRIFT)
        keeper.wrote(number * 120.0)
        keeper.looked(number * 120.0 + 60.0, ())


def test_failure_is_told_until_a_look_succeeds_and_delays_the_next() -> None:
    keeper = steady("enforce")
    keeper.failed(60.0, "No answer.")
    assert keeper.trouble == "No answer."
    assert not keeper.wants_look(119.0, ready=True)
    assert keeper.wants_look(120.0, ready=True)
    keeper.looked(120.0, ())
    assert not keeper.trouble
