"""Logs of sandboxes, whose truth is what was done to them."""

from __future__ import annotations

import json

import pytest

from ovsnet.explain.answer import document
from ovsnet.explain.clock import stamp
from ovsnet.explain.complaints import COMPLAINTS
from ovsnet.explain.daemons import TITLES, code_of
from ovsnet.explain.verdicts import Outage, Start, Sure
from ovsnet.health.causes import codes
from tests.explain.material import EPOCH, MGMT, node, of, told


def only(found: list[Outage]) -> Outage:
    assert len(found) == 1, [(each.code, each.words) for each in found]
    return found[0]


def last_start(name: str) -> Start:
    return of(name).starts[-1]


@pytest.mark.parametrize(
    ("name", "code", "seconds"),
    [
        ("switch-away", "vswitchd-down", 7.0),
        ("database-away", "ovsdb-down", 7.0),
        ("southbound-away", "southbound-down", 7.1),
        ("member-killed", "southbound-down", 6.0),
        ("member-frozen", "southbound-hung", 10.0),
        ("quorum-lost", "southbound-down", 8.2),
        ("southbound-frozen", "southbound-hung", 23.0),
        ("switch-frozen", "vswitchd-hung", 10.0),
        ("socket-moved-away", "mgmt-socket-missing", 31.2),
        ("leaders-in-turn", "sb-elections", 12.3),
    ],
)
def test_root_is_what_was_done(name: str, code: str, seconds: float) -> None:
    found = only(list(of(name).outages))
    assert found.code == code
    assert found.code in codes()
    assert found.seconds == pytest.approx(seconds, abs=0.2)
    assert found.proof


def test_first_start_is_no_outage() -> None:
    found = of("first-start")
    assert not found.outages
    assert len(found.starts) == 1
    assert found.starts[0].share("backoff") == pytest.approx(1.0, abs=0.05)


def test_switch_that_was_away_pays_the_rest_of_a_step() -> None:
    """ovn-controller tried at 1, 3 and 7 s after the loss, and the switch was back after 4.25 s."""
    start = last_start("switch-away")
    assert start.daemons == ["ovs-vswitchd"]
    assert start.seconds == pytest.approx(2.79, abs=0.05)
    assert start.share("backoff") == pytest.approx(2.745, abs=0.05)
    assert "a step of 4 s" in start.parts[-1].words
    assert any("restart ovn-controller" in each for each in start.faster)
    assert "told to exit" in start.why


def test_parts_of_a_start_add_up() -> None:
    for name in ("switch-away", "southbound-away", "database-away", "first-start"):
        for start in of(name).starts:
            assert start.seconds == pytest.approx(sum(part.seconds for part in start.parts), abs=0.06)


def test_switch_that_waited_for_the_southbound() -> None:
    start = last_start("southbound-away")
    assert set(start.daemons) == {"ovs-vswitchd", "ovn-controller"}
    assert start.share("southbound") == pytest.approx(5.0, abs=0.1)
    assert start.share("backoff-southbound") == pytest.approx(1.96, abs=0.05)
    assert start.share("backoff") == start.share("backoff-southbound")


def test_socket_that_was_away_for_24_seconds_costs_the_rest_of_a_step() -> None:
    """ovn-controller tried at 1, 3, 7, 15 and 23 s, the last three times at the longest step."""
    start = last_start("socket-moved-away")
    assert [part.cause for part in start.parts] == ["socket", "backoff"]
    assert start.share("socket") == pytest.approx(23.18, abs=0.05)
    assert start.share("backoff") == pytest.approx(8.0, abs=0.05)


def test_leader_that_changes_is_the_reason_why_northd_has_none() -> None:
    effects = only(list(of("leaders-in-turn").outages)).effects
    assert [effect.code for effect in effects if effect.code] == ["northd-not-connected"]


def test_database_that_was_away_is_followed_by_backoff() -> None:
    assert last_start("database-away").share("backoff-database") == pytest.approx(3.43, abs=0.05)


def test_quick_restart_beside_a_long_outage_is_no_root() -> None:
    found = only(list(of("southbound-away").outages))
    assert {effect.code for effect in found.effects} >= {"vswitchd-down", "controller-down"}


def test_cluster_that_lost_its_leader_tells_of_the_election() -> None:
    words = [effect.words for effect in only(list(of("member-killed").outages)).effects]
    assert "ovn-sb2 had not heard of its leader for 1.4 s, and started an election: it led 0.0 s later" in words


def test_silence_without_a_line_of_its_own_is_likely_only() -> None:
    found = only(list(of("switch-frozen").outages))
    assert found.sure is Sure.LIKELY
    assert found.surer


def test_proofs_name_file_and_line() -> None:
    proof = only(list(of("switch-away").outages)).proof[0]
    name, _, line = proof.place.rpartition(":")
    with open(name, encoding="utf-8") as file:
        assert proof.text in file.readlines()[int(line) - 1]


def test_log_that_begins_in_the_midst_of_a_life_shows_no_start_of_it() -> None:
    """A young thread's numbers are low, whatever the age of its process."""
    database, switch, controller = node()
    switch.start(120.0).say(120.1, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    controller.lines = [
        f"{stamp(EPOCH + 119)}|00004|rconn(ovn_pinctrl0)|INFO|{MGMT}: connection closed by peer",
        f"{stamp(EPOCH + 119)}|00030|rconn|INFO|{MGMT}: connection closed by peer",
        f"{stamp(EPOCH + 121)}|00032|rconn|INFO|{MGMT}: connecting...",
        f"{stamp(EPOCH + 121)}|00033|rconn|INFO|{MGMT}: connected",
    ]
    assert [start.daemons for start in told([database, switch, controller]).starts[1:]] == [["ovs-vswitchd"]]


def test_document_is_json_and_has_it_all() -> None:
    found = json.loads(json.dumps(document(of("switch-away"))))
    assert found["outages"][0]["code"] == "vswitchd-down"
    assert found["outages"][0]["proof"][0]["place"].endswith(".log:11")
    assert found["starts"][-1]["parts"][-1]["cause"] == "backoff"
    assert {each["daemon"] for each in found["sources"]} == {"ovs-vswitchd", "ovsdb-server", "ovn-controller"}
    assert found["from"].startswith("2026-11-25T")


@pytest.mark.parametrize("daemon", TITLES)
@pytest.mark.parametrize("verdict", ["down", "hung", "slow"])
def test_codes_are_those_of_the_live_diagnosis(daemon: str, verdict: str) -> None:
    assert code_of(daemon, verdict) in codes()


def test_each_complaint_has_a_code_of_the_live_diagnosis() -> None:
    assert {each.code for each in COMPLAINTS.values() if each.code} <= set(codes())


@pytest.mark.parametrize(
    ("log", "code", "seconds"),
    [
        ("switch-away/ovn-controller.log", "vswitchd-down", 7.0),
        ("database-away/ovs-vswitchd.log", "ovsdb-down", 7.0),
        ("southbound-away/ovn-controller.log", "southbound-down", 7.0),
        ("switch-away/ovs-vswitchd.log", "vswitchd-down", 4.3),
    ],
)
def test_one_log_alone_names_the_root_less_surely(log: str, code: str, seconds: float) -> None:
    found = only(list(of(log).outages))
    assert found.code == code
    assert found.seconds == pytest.approx(seconds, abs=0.2)
    assert (found.sure is Sure.POSSIBLE) == ("the log of" in found.surer)


def test_process_that_its_monitor_restarts() -> None:
    """Packages run the daemons with --monitor: it tells who died and how, and waits ten seconds between two crashes."""
    found = of("monitored")
    assert [each.code for each in found.outages] == ["ovsdb-down", "ovsdb-down"]
    assert all("Segmentation fault" in each.words for each in found.outages)
    assert [round(each.seconds or 0.0) for each in found.outages] == [0, 8]
    assert [start.why for start in found.starts][1:] == ["ovsdb-server had died: killed (Segmentation fault)"] * 2
    assert not any("missing" in note.words for note in found.notes)


def test_computing_that_no_line_shows_is_told() -> None:
    database, switch, controller = node(until=0.5)
    (start,) = told([database, switch, controller]).starts
    assert start.unseen == 2.0
    controller.say(2.0, "timeval", "Unreasonably long 1600ms poll interval (1590ms user, 2ms system)", "WARN")
    (start,) = told([database, switch, controller]).starts
    assert start.seconds == pytest.approx(2.0)
    assert start.unseen == 1.0
