"""What is over needs no hands: nobody is to start, end or resume a process that works again."""

from __future__ import annotations

import re

import pytest

from ovsnet.explain.complaints import COMPLAINTS
from ovsnet.explain.daemons import TITLES, code_of
from ovsnet.explain.remedies import remedy_of
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.health.causes import codes
from tests.explain.material import EPOCH, LOGS, of

DOING = re.compile(r"restart|\bPID\b|Start it|otherwise wait|Wait |[Rr]esume")
GIVEN = {each.code for each in COMPLAINTS.values() if each.code} | {
    code_of(daemon, verdict) for daemon in TITLES for verdict in ("down", "hung", "slow", "paused")
} | {
    "mgmt-socket-missing", "socket-missing", "mgmt-backlog-full", "ovsdb-backlog-full", "database-unreachable",
    "database-foreign", "certificate-expired", "controller-not-connected", "vswitchd-not-connected",
    "northd-not-connected", "sb-leaderless", "nb-leaderless", "sb-elections", "nb-elections", "chassis-conflict",
    "ovsdb-restarting", "vswitchd-restarting", "controller-restarting", "ports-without-device", "ports-left-behind",
    "tunnels-failed", "tunnels-down", "device-taken", "bridge-mapping-wrong", "flow-limit-reached", "northd-behind",
}  # fmt: skip
"""By the rules of ``signs``, ``lasting`` and ``losses``."""


def outage(code: str, ended: float | None) -> Outage:
    return Outage(code, "", "ovs-vswitchd", EPOCH, ended, "x", [], Sure.CERTAIN)


@pytest.mark.parametrize("code", sorted(GIVEN & set(codes())))
def test_remedy_of_what_is_over_is_not_that_of_what_lasts(code: str) -> None:
    remedy = remedy_of(outage(code, EPOCH + 10))
    assert remedy
    assert not DOING.search(remedy), remedy


@pytest.mark.parametrize("name", sorted(path.name for path in LOGS.iterdir() if path.name != "healthy"))
def test_no_outage_of_the_material_that_is_over_asks_for_a_restart(name: str) -> None:
    for each in of(name).outages:
        assert each.remedy
        assert each.ended is None or not DOING.search(each.remedy), each.remedy


def test_what_stopped_a_process_is_looked_for_at_the_time_that_it_went_on() -> None:
    (found,) = of("switch-frozen").outages
    assert found.ended is not None
    assert "It went on at 2026-11-25T23:31:20Z" in found.remedy
    assert "freezer" in found.remedy


def test_what_lasts_has_the_remedy_of_the_live_diagnosis() -> None:
    assert remedy_of(outage("vswitchd-down", None)) == codes()["vswitchd-down"].remedy
