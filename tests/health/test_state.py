"""What results change, on a health with hand-made results."""

from typing import Any

import pytest

from ovsnet.health import state
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.diagnosis import Diagnosis, diagnose
from ovsnet.health.state import HealthState
from ovsnet.health.timeline import STAGES
from tests.health.results import result

GONE = result("vswitchd.ofproto", Status.FAILED, 0.0, "gone", "Process 7 has ended.")
BACK = result("vswitchd.ofproto", Status.OK, 0.0)


def health() -> HealthState:
    """One whose start is over and whose node is healthy."""
    made = HealthState(0.0, CHECKS, allowance=60.0)
    made.record([result(stage.check, Status.OK, 1.0) for stage in STAGES], 1.0)
    assert made.diagnosis.code == "healthy"
    return made


def test_empty_board_is_starting() -> None:
    empty = HealthState(0.0, CHECKS, allowance=60.0)
    assert empty.diagnosis.code == "starting"
    assert empty.results == {}
    assert empty.dead_for(100.0) == 0.0


def test_first_result_of_a_check_is_a_change_and_the_same_again_is_none() -> None:
    made = HealthState(0.0, CHECKS, allowance=60.0)
    first = result("ovsdb.echo", Status.OK, 1.0, rtt_seconds=0.1)
    second = result("ovsdb.echo", Status.OK, 2.0, rtt_seconds=0.2)
    changes = made.record([first], 1.0)
    assert [change.result for change in changes if change.result] == [first]
    assert made.record([second], 2.0) == []
    assert made.results["ovsdb.echo"] is second


@pytest.mark.parametrize(
    ("started_at", "code"), [(None, "vswitchd-down"), (-61.0, "vswitchd-down"), (-9.0, "starting")]
)
def test_first_diagnosis_is_told_whatever_it_is(started_at: float | None, code: str) -> None:
    """An agent that starts beside a broken node logs the cause at once; beside a daemon that started a moment ago, what
    the start waits for."""
    made = HealthState(0.0, CHECKS, allowance=60.0)
    if started_at is not None:
        made.restarted("ovs-vswitchd", started_at, 0.0)
    told = made.record([GONE], 1.0)[-1].diagnosis
    assert told is not None
    assert told.code == code
    assert made.record([GONE], 2.0) == []


def test_new_reason_with_the_same_status_is_a_change() -> None:
    made = health()
    made.record([GONE], 2.0)
    hung = result("vswitchd.ofproto", Status.FAILED, 3.0, "hung")
    results = [change.result for change in made.record([hung], 3.0) if change.result is not None]
    assert results == [hung]


def test_result_without_a_fault_is_not_diagnosed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many come each second, and a diagnosis is most of what one costs: only time could make it another."""
    made, asked = health(), list[float]()

    def counting(*arguments: Any, now: float, **more: Any) -> Diagnosis:
        asked.append(now)
        return diagnose(*arguments, now=now, **more)

    monkeypatch.setattr(state, "diagnose", counting)
    well = [result(stage.check, Status.OK, 2.0) for stage in STAGES]
    assert made.record(well, 2.0) == []
    assert asked == []
    made.record([GONE], 3.0)
    made.record([GONE], 4.0)
    assert asked == [3.0, 4.0], "time may make another of what shows a fault"
    made.record([BACK], 5.0)
    made.record([BACK], 6.0)
    assert asked == [3.0, 4.0, 5.0]
    made.restarted("ovs-vswitchd", 6.5, 6.5)
    made.record([result("ovsdb.echo", Status.OK, 7.0)], 7.0)
    assert asked == [3.0, 4.0, 5.0, 7.0], "a start is under way"
    made.judge(8.0)
    assert asked[-1] == 8.0


def test_results_that_belong_together_are_diagnosed_once() -> None:
    made = health()
    changes = made.record([GONE, result("ovsdb.echo", Status.FAILED, 2.0, "gone")], 2.0)
    assert [change.diagnosis.code for change in changes if change.diagnosis] == ["ovsdb-down"]
    assert all(changes)


def test_judging_again_tells_a_new_code_alone() -> None:
    starting = HealthState(0.0, CHECKS, allowance=60.0)
    starting.restarted("ovs-vswitchd", 0.0, 0.0)
    starting.record([GONE], 1.0)
    assert starting.diagnosis.code == "starting"
    assert starting.judge(59.0) is None
    late = starting.judge(60.0)
    assert late is not None
    assert late.code == "vswitchd-down"
    assert starting.judge(61.0) is None


def test_dead_since_the_first_proof_whatever_the_proof_becomes() -> None:
    made = health()
    made.record([GONE], 10.0)
    made.record([result("vswitchd.ofproto", Status.FAILED, 12.0, "hung")], 12.0)
    assert made.dead_since == 10.0
    assert made.dead_for(15.0) == 5.0


def test_sign_of_life_ends_death() -> None:
    made = health()
    made.record([GONE], 10.0)
    made.record([result("vswitchd.ofproto", Status.SLOW, 11.0, "busy")], 11.0)
    assert made.dead_since is None
    made.record([GONE], 12.0)
    assert made.dead_since == 12.0
    made.record([BACK], 13.0)
    assert made.dead_for(20.0) == 0.0


def test_start_of_long_ago_opens_no_stage() -> None:
    """A fresh agent meets daemons that have run for days; their stages are reached all the same."""
    made = health()
    made.restarted("ovs-vswitchd", 40.0, 100.0)
    assert made.timeline.waiting_for() is None
    made.restarted("ovs-vswitchd", 40.1, 100.0)
    assert made.timeline.waiting_for() == "switch"


def test_stage_that_a_start_waits_for_is_awaited_from_its_one_check_until_the_allowance_is_over() -> None:
    made = health()
    assert not any(made.awaits(check, 10.0) for check in CHECKS)
    made.restarted("ovs-vswitchd", 10.0, 11.0)
    assert made.awaits("vswitchd.ofproto", 14.0) == 4.0
    assert made.awaits("openflow.echo", 14.0) is None
    made.record([result("vswitchd.ofproto", Status.OK, 15.0)], 15.0)
    assert made.awaits("vswitchd.ofproto", 15.0) is None
    assert made.awaits("openflow.echo", 15.0) == 5.0
    assert made.awaits("openflow.echo", 70.0) is None


def test_agent_that_starts_beside_a_silent_daemon_is_not_ready_until_that_is_explained() -> None:
    """``/readyz`` would pass for as long as the proof of a hang takes, and fail then."""
    made = HealthState(0.0, CHECKS, allowance=60.0)
    made.record([result("vswitchd.ofproto", Status.SLOW, 1.0, "late")], 1.0)
    assert (made.diagnosis.code, made.ready) == ("vswitchd-slow", False)
    made.record([result("vswitchd.ofproto", Status.OK, 2.0)], 2.0)
    assert (made.diagnosis.code, made.ready) == ("healthy", True)
    made.record([result("vswitchd.ofproto", Status.SLOW, 3.0, "late")], 3.0)
    assert made.ready, "slow is not dead"


@pytest.mark.parametrize(
    ("late", "denial"),
    [
        (("openflow.flows", Status.SLOW, "busy"), ("openflow.flows", "flows-missing")),
        (("controller.running", Status.SKIPPED, "not-yet"), ("controller.running", "gone")),
    ],
)
def test_agent_that_starts_is_not_ready_before_each_check_was_answered_once(
    late: tuple[str, Status, str], denial: tuple[str, str]
) -> None:
    """On a host with much to do the answer that denies may come last: ``/readyz`` would pass, and fail then."""
    made = HealthState(0.0, CHECKS, allowance=0.0)
    name, status, reason = late
    made.record([result("ovsdb.echo", Status.SLOW, 1.0, "busy"), result(name, status, 1.0, reason)], 1.0)
    assert made.diagnosis.state.serves
    assert not made.ready
    made.record([result("ovsdb.echo", Status.OK, 2.0)], 2.0)
    assert not made.ready
    made.record([result(denial[0], Status.FAILED, 3.0, denial[1])], 3.0)
    assert not made.ready
    made.record([result(denial[0], Status.OK, 4.0)], 4.0)
    assert made.ready


def test_daemon_that_stays_slow_holds_readiness_up_for_a_minute_at_most() -> None:
    made = HealthState(0.0, CHECKS, allowance=0.0)
    for now, ready in ((1.0, False), (59.0, False), (61.0, True)):
        made.record([result("openflow.flows", Status.SLOW, now, "busy")], now)
        assert (made.diagnosis.code, made.ready) == ("vswitchd-slow", ready)


@pytest.mark.parametrize(("status", "reason"), [(Status.UNKNOWN, "unseen"), (Status.SKIPPED, "precondition")])
def test_what_cannot_be_seen_or_is_explained_by_a_failure_holds_nothing_up(status: Status, reason: str) -> None:
    made = HealthState(0.0, CHECKS, allowance=60.0)
    made.record([result("controller.openflow", status, 1.0, reason)], 1.0)
    assert made.ready


def test_silent_southbound_holds_no_start_up() -> None:
    made = HealthState(0.0, CHECKS, allowance=60.0)
    made.record([result("southbound.echo", Status.SLOW, 1.0, "late")], 1.0)
    assert made.ready


def test_copy_under_other_settings_goes_on_and_leaves_the_first_alone() -> None:
    first = health()
    first.record([GONE], 2.0)
    second = first.continued(allowance=5.0, rise=10.0, fall=0.0)
    assert (second.diagnosis, second.dead_since, second.since) == (first.diagnosis, first.dead_since, first.since)
    assert second.record([GONE], 3.0) == []
    assert [change.result for change in second.record([BACK], 4.0) if change.result] == [BACK]
    assert second.diagnosis.code == "healthy"
    assert not second.ready, "it rises ten seconds later"
    assert first.results[GONE.name] is GONE
    assert first.diagnosis.code == "vswitchd-down"
    second.restarted("ovs-vswitchd", 4.0, 4.0)
    assert second.timeline.waiting_for() == "switch"
    assert first.timeline.waiting_for() is None
