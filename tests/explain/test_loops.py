"""A daemon that ends again and again is one outage, as it is one diagnosis live."""

from __future__ import annotations

import pytest

from ovsnet.config.settings import Settings
from ovsnet.explain.answer import Answer
from ovsnet.explain.loops import A_DAY, RESTARTS, WITHIN, crowded
from tests.explain.material import MGMT, Log, node, told
from tests.explain.test_losses import LISTENS

CRASHED = "1 crashes: pid 77 died, killed (Segmentation fault), core dumped, restarting"


def crashing(times: int, every: float, logs: tuple[Log, Log, Log] | None = None, *beside: Log) -> Answer:
    database, switch, controller = logs or node()
    for number in range(times):
        at = 120.0 + every * number
        controller.say(at, "rconn", f"{MGMT}: connection closed by peer")
        switch.say(at, "daemon_unix(monitor)", CRASHED, "ERR").start(at + 0.1).say(at + 0.2, "connmgr", LISTENS)
        controller.say(at + 1, "rconn", f"{MGMT}: connecting...").say(at + 1, "rconn", f"{MGMT}: connected")
    for log in (database, switch, controller):
        log.say(130.0 + every * times, "memory", "later")
    return told([database, switch, controller, *beside])


def test_numbers_are_those_of_the_settings() -> None:
    settings = Settings()
    assert (settings.restarts, settings.restarts_within, settings.restarts_a_day) == (RESTARTS, WITHIN, A_DAY)


def test_crashes_that_follow_each_other_are_one_outage() -> None:
    (found,) = crashing(6, 60.0).outages
    assert found.code == "vswitchd-restarting"
    assert found.seconds == pytest.approx(301.0)
    assert "ended 6 times within 301 s" in found.words
    assert "Segmentation fault" in found.words
    assert "core" in found.remedy


def test_crashes_that_a_day_has_many_of_are_one_outage() -> None:
    (found,) = crashing(12, 3600.0).outages
    assert found.code == "vswitchd-restarting"
    assert "ended 12 times within 11.0 h" in found.words
    assert found.seconds == pytest.approx(11 * 3600.0 + 1)
    assert len(found.effects) == 12
    assert "core" in found.remedy


def test_what_was_wrong_between_two_crashes_is_an_outage_of_its_own() -> None:
    database, switch, controller = node()
    northd = Log("ovn-northd.log").start(-1.0)
    northd.say(9000.0, "ovn_northd", "This ovn-northd instance is now paused.")
    northd.say(9060.0, "ovn_northd", "ovn-northd lock acquired. Now active.").say(50000.0, "memory", "later")
    found = crashing(12, 3600.0, (database, switch, controller), northd).outages
    assert [each.code for each in found] == ["vswitchd-restarting", "northd-paused"]


@pytest.mark.parametrize(("times", "every"), [(2, 60.0), (6, 1800.0), (9, 3600.0), (12, 10000.0)])
def test_few_crashes_are_an_outage_each(times: int, every: float) -> None:
    assert [each.code for each in crashing(times, every).outages] == ["vswitchd-down"] * times


def test_peer_that_lost_it_again_and_again_says_so_too() -> None:
    _, _, controller = node()
    for at in (120.0, 180.0, 240.0, 300.0):
        controller.say(at, "rconn", f"{MGMT}: connection closed by peer")
        controller.say(at + 1, "rconn", f"{MGMT}: connecting...").say(at + 1, "rconn", f"{MGMT}: connected")
    (found,) = told([controller.say(600.0, "memory", "later")]).outages
    assert found.code == "vswitchd-restarting"
    assert "the log of" in found.surer


def test_loop_that_ends_in_a_process_that_stays_away_is_followed_by_that() -> None:
    database, switch, controller = node()
    for at in (120.0, 180.0, 240.0):
        switch.say(at, "daemon_unix(monitor)", CRASHED, "ERR").start(at + 0.1).say(at + 0.2, "connmgr", LISTENS)
    switch.say(400.0, "daemon_unix(monitor)", "pid 78 died, killed (Segmentation fault), core dumped, exiting", "ERR")
    database.say(900.0, "memory", "later")
    found = told([database, switch, controller]).outages
    assert [(each.code, each.ended is None) for each in found] == [
        ("vswitchd-restarting", False), ("vswitchd-down", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moments", "runs"),
    [
        ([], []),
        ([1.0, 2.0], []),
        ([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]]),
        ([1.0, 50.0, 51.0, 52.0, 90.0], [[50.0, 51.0, 52.0]]),
        ([1.0, 5.0, 9.0, 13.0], [[1.0, 5.0, 9.0, 13.0]]),
        ([1.0, 2.0, 3.0, 80.0, 81.0, 82.0], [[1.0, 2.0, 3.0], [80.0, 81.0, 82.0]]),
    ],
)
def test_stretches_in_which_things_crowd(moments: list[float], runs: list[list[float]]) -> None:
    assert [list(run) for run in crowded(moments, float, 3, 10.0)] == runs
