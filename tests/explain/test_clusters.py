"""Clusters without a leader, and with too many: as live."""

from __future__ import annotations

import pytest

from ovsnet.explain.answer import Answer
from ovsnet.explain.clusters import FLAPS, WINDOW
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.health.checks import databases
from tests.explain.material import SOUTHBOUND, Log, node, told

NAMES = {"sb": "ovn-sb{n}.log", "nb": "ovn-nb{n}.log"}


def members(which: str = "sb", count: int = 3) -> list[Log]:
    return [Log(NAMES[which].format(n=number)).start(0.0) for number in range(1, count + 1)]


def tried(log: Log, at: float, term: int) -> Log:
    return log.say(at, "raft", f"term {term}: 1400 ms timeout expired, starting election (vote)")


def only(found: Answer) -> Outage:
    (outage,) = found.outages
    return outage


def test_numbers_are_those_of_the_live_checks() -> None:
    assert (FLAPS, WINDOW) == (databases.FLAPS, 60.0 * databases.WINDOW)


@pytest.mark.parametrize("which", NAMES)
def test_elections_that_nobody_wins_are_an_outage(which: str) -> None:
    logs = members(which)
    for number in range(60):
        for order, log in enumerate(logs):
            tried(log, 100.0 + 5 * number + order, number + 2)
    found = only(told(logs))
    assert (found.code, found.sure, found.seconds) == (f"{which}-leaderless", Sure.CERTAIN, None)
    assert "180 elections" in found.words


def test_cluster_without_a_leader_has_one_again_when_each_member_knows_it() -> None:
    first, second = members(count=2)
    for number in range(6):
        tried(first, 100.0 + 5 * number, number + 2)
        tried(second, 101.0 + 5 * number, number + 2)
    first.say(130.0, "raft", "term 8: elected leader by 2+ of 3 servers").say(400.0, "memory", "later")
    second.say(130.5, "raft", "server 8533 is leader for term 8").say(400.0, "memory", "later")
    found = only(told([first, second]))
    assert found.code == "sb-leaderless"
    assert found.seconds == pytest.approx(30.5)
    assert "A leader was there again" in found.remedy


def test_member_that_is_cut_off_has_no_leader_while_the_others_have() -> None:
    logs = members()
    for number in range(10):
        tried(logs[0], 100.0 + 5 * number, number + 2)
    for log in logs:
        log.say(400.0, "memory", "later")
    assert only(told(logs)).words.count("ovn-sb") == 1


@pytest.mark.parametrize("wins", [True, False])
def test_one_election_is_none(wins: bool) -> None:
    log = tried(members(count=1)[0], 100.0, 2)
    if wins:
        log.say(100.1, "raft", "term 2: elected leader by 2+ of 3 servers")
    assert not told([log.say(900.0, "memory", "later")]).outages


def test_elections_that_are_won_within_seconds_are_no_outage() -> None:
    log = members(count=1)[0]
    for number in range(5):
        tried(log, 100.0 + 700 * number, 2 + number)
        tried(log, 101.5 + 700 * number, 2 + number)
        log.say(103.0 + 700 * number, "raft", f"server 8533 is leader for term {2 + number}")
    assert not told([log]).outages


def test_server_that_is_started_again_begins_anew() -> None:
    log = tried(members(count=1)[0], 100.0, 2)
    log.start(102.0)
    tried(log, 140.0, 3).say(140.1, "raft", "term 3: elected leader by 2+ of 3 servers")
    assert "sb-leaderless" not in [each.code for each in told([log.say(300.0, "memory", "later")]).outages]


def led(terms: list[tuple[float, int]]) -> list[Log]:
    first, second = members(count=2)
    for at, term in terms:
        first.say(at, "raft", f"term {term}: elected leader by 2+ of 3 servers")
        second.say(at + 0.1, "raft", f"server 8533 is leader for term {term}")
    return [log.say(9000.0, "memory", "later") for log in (first, second)]


def test_leader_that_changes_again_and_again() -> None:
    found = only(told(led([(1.0, 1), *((100.0 + 60 * number, 2 + number) for number in range(6))])))
    assert found.code == "sb-elections"
    assert found.seconds == pytest.approx(300.0, abs=0.2)
    assert "changed 6 times" in found.words


def test_leader_that_changes_once_an_hour_is_none() -> None:
    assert not told(led([(1.0 + 1200 * number, 1 + number) for number in range(7)])).outages


def test_leader_of_a_server_that_has_not_joined_is_a_code_of_its_own() -> None:
    logs = node()
    text = f"{SOUTHBOUND}: clustered database server has not yet joined cluster; trying another server"
    logs[2].say(120.0, "ovsdb_cs", text).say(200.0, "memory", "later")
    assert only(told(logs)).code == "sb-joining"
    logs = node()
    text = f"{SOUTHBOUND}: clustered database server is disconnected from cluster; trying another server"
    logs[2].say(120.0, "ovsdb_cs", text).say(200.0, "memory", "later")
    assert only(told(logs)).code == "southbound-stale"
