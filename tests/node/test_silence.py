"""Slow is not dead: the table of silence.py, case by case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.node.process import ProcessSample
from ovsnet.node.silence import PRESSED, SHORTEST_LOOK, Finding, Silence, Surroundings, Verdict

HUNG_AFTER = 3.0
SINCE = 100.0
CALM = Surroundings()


def process(state: str = "S", **values: Any) -> ProcessSample:
    fields: dict[str, Any] = {
        "pid": 7,
        "name": "ovs-vswitchd",
        "cpu_seconds": 5.0,
        "switches": 50,
        "started": 10.0,
        "at": 0.0,
    }
    return ProcessSample(state=state, **(fields | values))


class Watcher:
    """One silence since ``SINCE``; ``look`` takes seconds since then."""

    def __init__(self) -> None:
        self.silence = Silence(SINCE)

    def look(self, at: float, found: ProcessSample | None, around: Surroundings = CALM) -> Finding:
        return self.silence.look(found, around, now=SINCE + at, hung_after=HUNG_AFTER)


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.mark.parametrize("state", ["S", "D", "T", "t", "I"])
def test_first_moments_of_silence_prove_nothing(watcher: Watcher, state: str) -> None:
    assert watcher.look(1.0, process(state)).verdict is Verdict.LATE


@pytest.mark.parametrize(
    ("at", "verdict"),
    [(1.0, Verdict.LATE), (HUNG_AFTER, Verdict.UNSEEN), (10.0, Verdict.UNSEEN), (1000.0, Verdict.UNSEEN)],
)
def test_unseen_process_is_late_at_first_and_then_unseen_for_ever(
    watcher: Watcher, at: float, verdict: Verdict
) -> None:
    """A greeting that takes its time, as TLS on a busy host does, is late like any other answer."""
    found = watcher.look(at, None)
    assert found.verdict is verdict
    assert found.values == {"silent_seconds": at}


def test_process_that_vanishes_is_gone(watcher: Watcher) -> None:
    watcher.look(0.5, process())
    found = watcher.look(1.0, None)
    assert (found.verdict, found.sentence) == (Verdict.GONE, "process 7 is gone")


@pytest.mark.parametrize("state", ["Z", "X"])
def test_zombie_is_gone_at_first_sight(watcher: Watcher, state: str) -> None:
    assert watcher.look(0.1, process(state)).verdict is Verdict.GONE


def test_another_process_under_the_pid_means_gone(watcher: Watcher) -> None:
    watcher.look(0.5, process())
    assert watcher.look(1.0, process(started=11.0)).verdict is Verdict.GONE


def test_sentence_names_the_process_that_is_gone_and_not_its_successor(watcher: Watcher) -> None:
    watcher.look(0.5, process())
    assert watcher.look(1.0, process(pid=8, started=11.0)).sentence == "process 7 is gone"


@pytest.mark.parametrize("state", ["T", "t"])
def test_stopped_process_is_hung_at_the_first_look_past_the_limit(watcher: Watcher, state: str) -> None:
    found = watcher.look(HUNG_AFTER, process(state))
    assert found.verdict is Verdict.HUNG
    assert "is stopped" in found.sentence


def test_stopped_process_is_hung_though_its_stop_counted_as_a_switch(watcher: Watcher) -> None:
    """Rule 1."""
    watcher.look(1.0, process("S"))
    assert watcher.look(HUNG_AFTER, process("T", switches=51)).verdict is Verdict.HUNG


@pytest.mark.parametrize("progress", [{"cpu_seconds": 5.00003}, {"switches": 51}])
def test_process_that_moved_since_the_last_look_is_busy(watcher: Watcher, progress: dict[str, Any]) -> None:
    watcher.look(1.0, process())
    for at in (HUNG_AFTER, 1000.0):
        found = watcher.look(at, process(**progress))
        assert found.verdict is (Verdict.BUSY if at == HUNG_AFTER else Verdict.HUNG)


def test_busy_process_is_never_hung_however_long_it_takes(watcher: Watcher) -> None:
    watcher.look(0.0, process())
    for second in range(1, 600):
        assert watcher.look(float(second), process("R", cpu_seconds=5.0 + second)).verdict is Verdict.BUSY


def test_move_before_the_first_look_is_no_progress(watcher: Watcher) -> None:
    """Nobody knows what it did before."""
    assert watcher.look(HUNG_AFTER, process(cpu_seconds=1000.0)).verdict is Verdict.LATE


@pytest.mark.parametrize("state", ["S", "D", "I"])
def test_process_that_stands_still_is_hung_at_the_second_look(watcher: Watcher, state: str) -> None:
    assert watcher.look(HUNG_AFTER, process(state)).verdict is Verdict.LATE
    found = watcher.look(HUNG_AFTER + SHORTEST_LOOK, process(state))
    assert found.verdict is Verdict.HUNG
    assert "does not move" in found.sentence


def test_two_looks_in_a_hurry_prove_nothing(watcher: Watcher) -> None:
    watcher.look(HUNG_AFTER, process())
    assert watcher.look(HUNG_AFTER + SHORTEST_LOOK * 0.9, process()).verdict is Verdict.LATE


def test_standing_still_before_the_limit_is_late(watcher: Watcher) -> None:
    watcher.look(1.0, process())
    assert watcher.look(HUNG_AFTER - 0.01, process()).verdict is Verdict.LATE


def test_one_that_moved_must_stand_still_for_the_whole_limit(watcher: Watcher) -> None:
    """Rule 3."""
    watcher.look(1.0, process())
    watcher.look(10.0, process(switches=51))
    found = watcher.look(9.9 + HUNG_AFTER, process(switches=51))
    assert found.verdict is Verdict.LATE
    assert found.values["still_seconds"] == pytest.approx(HUNG_AFTER - 0.1)
    assert watcher.look(10.0 + HUNG_AFTER, process(switches=51)).verdict is Verdict.HUNG


def test_first_look_at_the_very_beginning_counts(watcher: Watcher) -> None:
    watcher.look(0.0, process())
    assert watcher.look(1.0, process()).values["still_seconds"] == 1.0


def test_runnable_process_without_the_cpu_is_starved(watcher: Watcher) -> None:
    """At the second look: one alone shows no lack of CPU."""
    assert watcher.look(1.0, process("R")).verdict is Verdict.BUSY
    for at in (2.0, 10.0, 1000.0):
        assert watcher.look(at, process("R")).verdict is Verdict.STARVED


def test_starved_process_names_the_pressure_where_it_is_known(watcher: Watcher) -> None:
    watcher.look(1.0, process("R"))
    assert "CPU pressure 45%" in watcher.look(2.0, process("R"), Surroundings(cpu_pressure=0.45)).sentence
    assert "pressure" not in watcher.look(3.0, process("R")).sentence


def test_growing_throttling_starves_whatever_the_state(watcher: Watcher) -> None:
    assert watcher.look(1.0, process(), Surroundings(throttled_seconds=5.0)).verdict is Verdict.LATE
    found = watcher.look(10.0, process(), Surroundings(throttled_seconds=5.1))
    assert found.verdict is Verdict.STARVED
    assert "quota" in found.sentence


def test_old_throttling_is_no_excuse(watcher: Watcher) -> None:
    """The counter is a total: only its growth means something."""
    watcher.look(HUNG_AFTER, process(), Surroundings(throttled_seconds=5.0))
    assert watcher.look(10.0, process(), Surroundings(throttled_seconds=5.0)).verdict is Verdict.HUNG


def test_throttling_that_is_seen_once_only_is_unknown(watcher: Watcher) -> None:
    watcher.look(HUNG_AFTER, process(), Surroundings(throttled_seconds=5.0))
    watcher.look(10.0, process())
    assert watcher.look(11.0, process(), Surroundings(throttled_seconds=9.0)).verdict is Verdict.HUNG


@pytest.mark.parametrize("short_of", ["io_pressure", "memory_pressure"])
def test_kernel_wait_under_pressure_is_starved(watcher: Watcher, short_of: str) -> None:
    around = Surroundings(io_pressure=PRESSED) if short_of == "io_pressure" else Surroundings(memory_pressure=PRESSED)
    for at in (1.0, 10.0, 1000.0):
        found = watcher.look(at, process("D"), around)
        assert found.verdict is Verdict.STARVED
        assert "pressure 10%" in found.sentence


def test_kernel_wait_without_pressure_hangs(watcher: Watcher) -> None:
    around = Surroundings(io_pressure=PRESSED * 0.9, memory_pressure=0.0, cpu_pressure=1.0)
    watcher.look(HUNG_AFTER, process("D"), around)
    assert watcher.look(10.0, process("D"), around).verdict is Verdict.HUNG


def test_sleep_is_not_excused_by_pressure(watcher: Watcher) -> None:
    around = Surroundings(io_pressure=1.0, memory_pressure=1.0, cpu_pressure=1.0)
    watcher.look(HUNG_AFTER, process("S"), around)
    assert watcher.look(10.0, process("S"), around).verdict is Verdict.HUNG


def test_numbers_of_a_finding_are_seconds(watcher: Watcher) -> None:
    watcher.look(1.0, process(cpu_seconds=5.0))
    watcher.look(2.0, process(cpu_seconds=5.5))
    assert watcher.look(4.0, process(cpu_seconds=5.5)).values == {
        "silent_seconds": 4.0,
        "still_seconds": 2.0,
        "cpu_seconds": 0.5,
    }


LOOK = st.tuples(st.floats(0.01, 5.0), st.sampled_from("RSDTtI"), st.integers(0, 1), st.sampled_from([None, 0.0, 0.5]))


@given(st.lists(LOOK, min_size=1, max_size=20))
def test_who_moved_at_the_last_look_is_never_hung_unless_stopped(looks: list[tuple[float, str, int, Any]]) -> None:
    """And nobody is hung before the limit."""
    watcher, now, switches = Watcher(), 0.0, 0
    for number, (pause, state, step, pressure) in enumerate(looks):
        now, switches = now + pause, switches + step
        around = Surroundings(None, pressure, pressure, pressure)
        found = watcher.look(now, process(state, switches=switches), around)
        if found.verdict is Verdict.HUNG:
            assert now >= HUNG_AFTER
            assert state in "Tt" or (number > 0 and step == 0 and state != "R")
