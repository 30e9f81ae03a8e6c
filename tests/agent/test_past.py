"""The agent's memory: bounded, by its own clock, and without holes that look like health."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ovsnet.agent.past import LONGEST, MOST_CHECKS, MOST_TURNS, SLOTS, STEP, Past
from ovsnet.health.cause import State
from ovsnet.health.checks.result import NOT_USED, Result, Status
from ovsnet.health.diagnosis import HEALTHY, Diagnosis
from ovsnet.health.state import Change
from tests.health.results import result

START = 1000 * STEP
OFFSET = 5_000_000.0


def document(past: Past, now: float) -> Any:
    return past.document(now, OFFSET)


def diagnosis(code: str, state: State) -> Diagnosis:
    return Diagnosis(code, state, f"It is {code}.", "", (), (), False, True, 0.0)


def turn(past: Past, now: float, code: str, state: State = State.NOT_READY) -> None:
    past.change(Change(None, diagnosis(code, state)), now)


def test_slots_are_in_order_and_the_last_one_is_now() -> None:
    past = Past(START)
    past.answers([result("ovsdb.echo", Status.OK, START, rtt_seconds=0.25)])
    past.tick(START + STEP, State.READY, {})
    past.answers([result("ovsdb.echo", Status.OK, START, rtt_seconds=0.5)])
    found = document(past, START + STEP + 3)
    ovsdb = found["components"]["ovsdb"]
    assert ovsdb["took_seconds"][-2:] == [0.25, 0.5]
    assert ovsdb["worst"][-2:] == [0, 0]
    assert len(ovsdb["worst"]) == len(ovsdb["took_seconds"]) == len(found["node"]["worst"]) == SLOTS
    assert found["now"] == OFFSET + START + STEP + 3
    assert found["since"] + SLOTS * found["step_seconds"] == OFFSET + START + 2 * STEP


def test_worst_and_longest_of_a_slot_count() -> None:
    past = Past(START)
    for status, took in ((Status.OK, 0.001), (Status.FAILED, None), (Status.OK, 0.125), (Status.OK, 0.002)):
        past.answers([result("ovsdb.echo", status, START, rtt_seconds=took)])
    found = document(past, START)
    ovsdb = found["components"]["ovsdb"]
    assert found["statuses"][ovsdb["worst"][-1]] == "failed"
    assert ovsdb["took_seconds"][-1] == 0.125


def test_silence_is_an_answer_that_takes_so_long() -> None:
    past = Past(START)
    past.answers([result("ovsdb.echo", Status.SLOW, START, "late", values={"silent_seconds": 2.5})])
    assert document(past, START)["components"]["ovsdb"]["took_seconds"][-1] == 2.5


def test_what_lasts_fills_each_slot_however_rarely_it_is_asked() -> None:
    past = Past(START)
    failed = {"ovsdb.echo": result("ovsdb.echo", Status.FAILED, START, "gone")}
    past.answers(failed.values())
    for number in range(1, 4):
        past.tick(START + number * STEP, State.NOT_READY, failed)
    found = document(past, START + 3 * STEP)
    assert found["components"]["ovsdb"]["worst"][-4:] == [4, 4, 4, 4]
    assert [found["states"][each] for each in found["node"]["worst"][-3:]] == ["not-ready"] * 3


def test_time_in_which_we_stood_still_is_not_known() -> None:
    past = Past(START)
    well = {"ovsdb.echo": result("ovsdb.echo", Status.OK, START, rtt_seconds=0.001)}
    past.tick(START + STEP, State.READY, well)
    past.tick(START + 5 * STEP, State.READY, well)
    found = document(past, START + 5 * STEP)
    assert found["node"]["worst"][-6:] == [None, 0, None, None, None, 0]
    assert found["components"]["ovsdb"]["worst"][-6:] == [None, 0, None, None, None, 0]


@pytest.mark.parametrize("away", [SLOTS - 1, SLOTS, SLOTS + 7, 100 * SLOTS])
def test_nothing_older_than_the_hour_is_left(away: int) -> None:
    past = Past(START)
    past.answers([result("ovsdb.echo", Status.FAILED, START, rtt_seconds=1.0)])
    past.tick(START + away * STEP, State.READY, {})
    worst = document(past, START + away * STEP)["components"]["ovsdb"]["worst"]
    assert [each for each in worst if each is not None] == ([4] if away < SLOTS else [])


def test_what_is_not_used_here_has_no_track() -> None:
    past = Past(START)
    past.answers([result("controller.running", Status.SKIPPED, START, NOT_USED)])
    assert document(past, START)["components"] == {}


def test_diagnosis_lasts_until_the_next() -> None:
    past = Past(START)
    turn(past, START, "starting", State.STARTING)
    turn(past, START + 7, "healthy", State.READY)
    past.started("ovs-vswitchd", START + 9)
    turn(past, START + 10, "vswitchd-down")
    events = document(past, START + 60)["events"]
    assert [each["kind"] for each in events] == ["diagnosis", "diagnosis", "start", "diagnosis"]
    assert [each["lasted_seconds"] for each in events if each["kind"] == "diagnosis"] == [7.0, 3.0, None]
    assert [each["at"] for each in events] == [OFFSET + START + each for each in (0, 7, 9, 10)]
    assert past.turns_document(OFFSET) == events


def test_change_of_a_check_is_an_event_with_its_sentence() -> None:
    past = Past(START)
    past.change(Change(result("ovsdb.echo", Status.FAILED, START, "gone", "It is gone."), None), START)
    (event,) = document(past, START)["events"]
    assert event == {
        "at": OFFSET + START,
        "kind": "check",
        "name": "ovsdb.echo",
        "status": "failed",
        "reason": "gone",
        "detail": "It is gone.",
    }


def test_memory_is_bounded_and_flapping_checks_leave_the_diagnoses() -> None:
    past = Past(START)
    turn(past, START, "vswitchd-down")
    for number in range(10 * MOST_CHECKS):
        told = Result("ovsdb.echo", Status.FAILED, START + number, "gone", "\U00010000" * 5000)
        past.change(Change(told, None), START + number)
    for number in range(10 * MOST_TURNS):
        turn(past, START + number, "healthy", State.READY)
    events = document(past, START)["events"]
    assert sum(each["kind"] == "check" for each in events) == MOST_CHECKS
    assert sum(each["kind"] == "diagnosis" for each in events) == MOST_TURNS
    assert max(len(each["detail"]) for each in events if each["kind"] == "check") == LONGEST
    # What the documentation promises: half a megabyte, whatever a stranger has a daemon say.
    texts = sum(sys.getsizeof(each.detail) for each in past.changes)
    assert texts < MOST_CHECKS * (4 * LONGEST + 100) < 0.5e6


def test_healthy_diagnosis_is_an_event_as_any() -> None:
    past = Past(START)
    past.change(Change(None, HEALTHY), START)
    assert document(past, START)["events"][0]["code"] == "healthy"
