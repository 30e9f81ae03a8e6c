"""How far a start has come, on hand-made results."""

import pytest
from msgspec.structs import replace

from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.timeline import STAGES, Stage, Timeline, check_of

DAEMONS = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")


def proof(stage: str, at: float) -> Result:
    return Result(check_of(stage), Status.OK, at)


def finished(at: float = 1.0) -> Timeline:
    timeline = Timeline(0.0, CHECKS)
    for stage in STAGES:
        timeline.observe(proof(stage.name, at))
    return timeline


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_each_stage_names_a_check_that_exists_and_daemons_that_exist(stage: Stage) -> None:
    assert stage.check in CHECKS
    assert stage.daemons
    assert set(stage.daemons) <= set(DAEMONS)


def test_stages_are_reached_in_order_and_none_is_left() -> None:
    timeline = Timeline(10.0, CHECKS)
    timeline.restarted("ovsdb-server", 10.0)
    waited = []
    for number, stage in enumerate(STAGES):
        waited.append(timeline.waiting_for())
        timeline.observe(proof(stage.name, 11.0 + number))
    assert waited == ["database", "switch", "openflow", "controller", "flows"]
    assert timeline.waiting_for() is None
    assert [(each.stage, each.at, each.took_seconds) for each in timeline.reached()] == [
        (name, 11.0 + number, 1.0 + number) for number, name in enumerate(waited)
    ]


def test_first_proof_counts_and_later_ones_change_nothing() -> None:
    timeline = finished(at=1.0)
    timeline.observe(proof("flows", 9.0))
    assert {each.at for each in timeline.reached()} == {1.0}


@pytest.mark.parametrize("status", [Status.SLOW, Status.FAILED, Status.UNKNOWN, Status.SKIPPED])
def test_nothing_but_ok_proves_a_stage(status: Status) -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.observe(Result("ovsdb.echo", status, 1.0, reason="late"))
    assert timeline.waiting_for() == "database"


def test_check_that_is_not_used_here_proves_its_stage() -> None:
    timeline = Timeline(0.0, ["controller.connection"])
    timeline.observe(Result("controller.connection", Status.SKIPPED, 1.0, reason="not-used"))
    assert timeline.waiting_for() is None


def test_check_without_a_stage_proves_none() -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.observe(Result("ovsdb.bridge", Status.OK, 1.0))
    assert list(timeline.reached()) == []


@pytest.mark.parametrize("started_at", [None, 9.9])
def test_nobody_knows_how_long_a_start_took_that_nobody_watched(started_at: float | None) -> None:
    timeline = Timeline(10.0, CHECKS)
    if started_at is not None:
        timeline.restarted("ovsdb-server", started_at)
    timeline.observe(proof("database", 11.0))
    assert [(each.at, each.took_seconds) for each in timeline.reached()] == [(11.0, None)]


@pytest.mark.parametrize(
    ("daemon", "open_again"),
    [
        ("ovsdb-server", ["database"]),
        ("ovs-vswitchd", ["switch", "openflow", "flows"]),
        ("ovn-controller", ["controller", "flows"]),
    ],
)
def test_restart_opens_the_stages_of_that_daemon_alone(daemon: str, open_again: list[str]) -> None:
    timeline = finished()
    timeline.restarted(daemon, 20.0)
    reached = [each.stage for each in timeline.reached()]
    assert [stage.name for stage in STAGES if stage.name not in reached] == open_again
    assert timeline.waiting_for() == open_again[0]
    assert timeline.began == 20.0


def test_restart_within_a_start_does_not_begin_it_anew() -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.restarted("ovsdb-server", 3.0)
    timeline.observe(proof("database", 4.0))
    timeline.restarted("ovs-vswitchd", 20.0)
    assert timeline.began == 3.0


def test_start_begins_with_its_first_daemon_whatever_the_order_in_which_they_are_met() -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.restarted("ovs-vswitchd", 20.0)
    timeline.restarted("ovsdb-server", 3.0)
    assert timeline.began == 3.0


def test_daemon_without_a_stage_begins_no_start() -> None:
    """A local southbound that restarted once set all five stages to 0.000 s."""
    timeline = finished()
    before = list(timeline.reached())
    timeline.restarted("southbound", 20.0)
    assert list(timeline.reached()) == before
    assert not timeline.under_way(20.0, 60.0)


def test_answer_to_what_was_asked_before_a_daemon_started_proves_nothing_of_it() -> None:
    """It was the process before, which was killed between its answer and our look at it."""
    timeline = finished()
    timeline.restarted("ovn-controller", 20.0)
    timeline.observe(replace(proof("controller", 20.1), asked_at=19.9))
    assert timeline.waiting_for() == "controller"
    timeline.observe(replace(proof("controller", 20.2), asked_at=20.0))
    assert timeline.waiting_for() == "flows"


def test_start_is_under_way_until_its_last_stage_or_the_end_of_its_allowance() -> None:
    timeline = Timeline(0.0, CHECKS)
    assert not timeline.under_way(1.0, 60.0)
    timeline.restarted("ovsdb-server", 3.0)
    assert timeline.under_way(62.9, 60.0)
    assert not timeline.under_way(63.0, 60.0)
    for stage in STAGES:
        assert timeline.under_way(4.0, 60.0)
        timeline.observe(proof(stage.name, 4.0))
    assert not timeline.under_way(4.0, 60.0)
    assert timeline.ended == 4.0


def test_start_does_not_wait_for_a_daemon_that_has_run_for_long() -> None:
    """Its stages were reached before anybody looked."""
    timeline = Timeline(0.0, CHECKS)
    timeline.restarted("ovsdb-server", 3.0)
    for daemon in ("ovs-vswitchd", "ovn-controller"):
        assert timeline.under_way(4.0, 60.0)
        timeline.revoke(daemon)
    assert timeline.under_way(4.0, 60.0)
    timeline.observe(proof("database", 4.0))
    assert not timeline.under_way(4.0, 60.0)
    timeline.restarted("ovs-vswitchd", 5.0)
    assert timeline.under_way(6.0, 60.0)


@pytest.mark.parametrize("daemon", DAEMONS)
@pytest.mark.parametrize("started", DAEMONS)
def test_start_excuses_what_starts_behind_it(started: str, daemon: str) -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.restarted(started, 3.0)
    assert timeline.excuses(daemon, 62.9, 60.0) is (DAEMONS.index(started) <= DAEMONS.index(daemon))
    assert not timeline.excuses(daemon, 63.0, 60.0)


def test_start_does_not_excuse_what_was_lost_after_it() -> None:
    timeline = Timeline(0.0, CHECKS)
    timeline.restarted("ovsdb-server", 3.0)
    assert timeline.excuses("ovs-vswitchd", 4.0, 60.0, lost_at=2.9)
    assert not timeline.excuses("ovs-vswitchd", 4.0, 60.0, lost_at=3.1)
    timeline.restarted("ovs-vswitchd", 3.5)
    assert timeline.excuses("ovs-vswitchd", 4.0, 60.0, lost_at=3.1)


def test_start_of_another_process_than_the_one_that_serves_is_revoked() -> None:
    line = Timeline(0.0, CHECKS)
    line.restarted("ovs-vswitchd", 1.0)
    line.restarted("ovn-controller", 2.0)
    line.revoke("ovs-vswitchd")
    assert line.began == 2.0
    assert not line.excuses("ovs-vswitchd", 3.0, 60.0)
    assert line.excuses("ovn-controller", 3.0, 60.0)
    line.revoke("ovn-controller")
    line.revoke("ovsdb-server")
    assert line.began is None


def test_without_a_check_its_stage_is_not_waited_for_and_the_original_is_untouched() -> None:
    timeline = finished()
    timeline.restarted("ovn-controller", 20.0)
    other = timeline.without({"controller.connection"})
    assert other.waiting_for() == "flows"
    assert other.began == 20.0
    other.observe(proof("flows", 21.0))
    assert other.waiting_for() is None
    assert timeline.waiting_for() == "controller"
