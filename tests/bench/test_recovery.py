"""The arithmetic of what came back when."""

from __future__ import annotations

import pytest

from ovsnet.bench.recovery import Recovery, RestartMeasures, Turning
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.timeline import STAGES, Reached


def test_fact_that_never_went_has_no_moment() -> None:
    fact = Turning()
    fact.observe(True, 1.0)
    fact.observe(True, 2.0)
    assert fact.back_at is None
    assert fact.lost_seconds == 0.0


def test_time_without_it_adds_up_and_the_last_return_counts() -> None:
    fact = Turning()
    for moment, holds in [(1.0, True), (2.0, False), (3.0, False), (4.0, True), (6.0, False), (7.5, True)]:
        fact.observe(holds, moment)
    assert fact.back_at == 7.5
    assert fact.lost_seconds == 3.5


def recovery(flows: int = 100) -> Recovery:
    made = Recovery(stopped_at=10.0, flows=flows)
    made.started_at = 12.0
    return made


def test_samples_count_from_the_start_and_the_whole_from_the_stop() -> None:
    made = recovery()
    made.socket.observe(False, 11.0)
    made.socket.observe(True, 12.25)
    samples = made.samples([Reached("openflow", at=12.5, took_seconds=0.4), Reached("flows", 13.0, 0.9)])
    assert samples == pytest.approx(
        {"socket": 0.25, "openflow": 0.5, "flows": 1.0, "short_of_flows": 0.0, "all_back": 3.0}
    )


def test_stage_of_an_earlier_start_is_none_of_this_one() -> None:
    assert recovery().samples([Reached("database", at=9.0, took_seconds=0.1)]).keys() == {"short_of_flows", "all_back"}


def test_stage_that_the_timeline_left_closed_is_told_by_its_check() -> None:
    made = recovery()
    made.result(Result("openflow.echo", Status.FAILED, 12.1, "no-database"))
    made.result(Result("openflow.echo", Status.OK, 14.0))
    assert made.samples([Reached("openflow", at=3.0, took_seconds=0.1)])["openflow"] == pytest.approx(2.0)


def test_a_few_flows_less_are_enough_and_many_less_are_not() -> None:
    made = recovery(flows=1000)
    made.count(995, 12.0)
    assert made.flows.holds
    made.count(500, 13.0)
    made.count(0, 14.0)
    made.count(1000, 15.0)
    samples = made.samples([])
    assert samples["short_of_flows"] == pytest.approx(2.0)
    assert samples["all_flows"] == pytest.approx(3.0)


def test_every_stage_of_the_timeline_is_a_measure() -> None:
    assert {stage.name for stage in STAGES} <= set(RestartMeasures.__struct_fields__)
