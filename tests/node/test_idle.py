"""A daemon that sleeps over an unanswered question is hung; one that works or wants to is not. Case by case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.node.process import ProcessSample, Thread, Tracer
from ovsnet.node.silence import IDLE_PROOF, IDLE_SHARE, Finding, Silence, Surroundings, Verdict

HUNG_AFTER = 3.0
GDB = Tracer(42, "gdb")
STOPPED = Thread(9, "revalidator9", "t", GDB)
CALM = Surroundings()
WAKE = 0.0001
"""Seconds of CPU that urcu's wait takes for each wake-up, generously."""


class Daemon:
    """A process that a test lets run, wait for a core and wake; ``look`` judges it after so many more seconds."""

    def __init__(self, **first: Any) -> None:
        self.silence = Silence(0.0)
        self.now = 0.0
        self.cpu = self.waited = 0.0
        self.switches = 0
        self.state = "S"
        self.fields = first

    def runs(self, seconds: float) -> None:
        self.cpu += seconds
        self.switches += 1

    def look(self, after: float, around: Surroundings = CALM, **fields: Any) -> Finding:
        self.now += after
        values: dict[str, Any] = {"state": self.state, "waited_seconds": self.waited} | self.fields | fields
        sample = ProcessSample(
            pid=7,
            name="ovs-vswitchd",
            cpu_seconds=self.cpu,
            switches=self.switches,
            started=1.0,
            at=self.now,
            **values,
        )
        return self.silence.look(sample, around, now=self.now, hung_after=HUNG_AFTER)


def test_one_that_only_wakes_for_a_minute_is_hung() -> None:
    daemon = Daemon()
    daemon.look(0.0)
    while daemon.now < IDLE_PROOF - 1:
        daemon.runs(WAKE)
        assert daemon.look(1.0).verdict is Verdict.BUSY
    daemon.runs(WAKE)
    found = daemon.look(1.0)
    assert found.verdict is Verdict.HUNG
    assert "ran for 6 ms of the last 60 s" in found.sentence


@pytest.mark.parametrize("pause", [0.05, 0.5, 2.0])
def test_one_that_is_hung_stays_so_while_it_wakes_now_and_then(pause: float) -> None:
    daemon = Daemon()
    daemon.look(0.0)
    verdicts = []
    while daemon.now < 2 * IDLE_PROOF:
        if int(daemon.now) % 7 == 0:
            daemon.runs(WAKE)
        verdicts.append(daemon.look(pause).verdict)
    first = verdicts.index(Verdict.HUNG)
    assert set(verdicts[first:]) == {Verdict.HUNG}


def test_one_that_works_again_is_busy() -> None:
    daemon = Daemon()
    daemon.look(0.0)
    daemon.look(1.0)
    assert daemon.look(HUNG_AFTER).verdict is Verdict.HUNG
    daemon.runs(1.0)
    assert daemon.look(1.0).verdict is Verdict.BUSY


@pytest.mark.parametrize("share", [IDLE_SHARE * 1.5, 0.5, 1.0])
@pytest.mark.parametrize("waits", [False, True], ids=["runs", "waits for a core"])
def test_one_that_runs_or_wants_to_is_never_hung(share: float, waits: bool) -> None:
    daemon = Daemon()
    daemon.look(0.0)
    while daemon.now < 10 * IDLE_PROOF:
        daemon.runs(WAKE if waits else share)
        daemon.waited += share if waits else 0.0
        assert daemon.look(1.0).verdict is Verdict.BUSY


def test_kernel_that_does_not_count_the_wait_for_a_core_proves_nothing() -> None:
    daemon = Daemon(waited_seconds=None)
    daemon.look(0.0)
    while daemon.now < 10 * IDLE_PROOF:
        daemon.runs(WAKE)
        assert daemon.look(1.0).verdict is Verdict.BUSY


def test_throttled_time_is_not_idle() -> None:
    daemon, throttled = Daemon(), 0.0
    daemon.look(0.0, Surroundings(throttled_seconds=0.0))
    while daemon.now < 2 * IDLE_PROOF:
        throttled += 0.9
        daemon.runs(WAKE)
        assert daemon.look(1.0, Surroundings(throttled_seconds=throttled)).verdict in (Verdict.STARVED, Verdict.BUSY)
    for _ in range(int(IDLE_PROOF) - 1):
        daemon.runs(WAKE)
        assert daemon.look(1.0, Surroundings(throttled_seconds=throttled)).verdict is Verdict.BUSY


def test_waits_in_the_kernel_are_not_idle() -> None:
    daemon = Daemon()
    daemon.look(0.0)
    while daemon.now < 2 * IDLE_PROOF:
        daemon.runs(WAKE)
        assert daemon.look(1.0, state="D").verdict is Verdict.BUSY


@pytest.mark.parametrize("held", [{"state": "T"}, {"state": "t"}, {}], ids=["stopped", "traced", "frozen"])
def test_one_that_was_held_and_goes_on_is_busy(held: dict[str, str]) -> None:
    """The time for which it was held is not its own."""
    daemon = Daemon()
    around = CALM if held else Surroundings(frozen="/sys/fs/cgroup/x", thaw="echo")
    daemon.look(0.0)
    assert daemon.look(2 * IDLE_PROOF, around, **held).verdict is Verdict.HUNG
    daemon.runs(WAKE)
    assert daemon.look(0.5).verdict is Verdict.BUSY


def test_main_thread_beside_a_stopped_one_is_hung_with_that_thread() -> None:
    daemon, around = Daemon(), Surroundings(thread=STOPPED)
    while daemon.now < HUNG_AFTER - 0.5:
        daemon.runs(WAKE)
        assert daemon.look(0.5, around).verdict in (Verdict.LATE, Verdict.BUSY)
    found = daemon.look(0.5, around)
    assert found.verdict is Verdict.HUNG
    assert "while its thread revalidator9 (thread 9) is stopped by gdb (process 42) (state t)" in found.sentence
    assert found.facts["thread"] == "revalidator9 (thread 9)"
    assert (found.facts["tracer"], found.facts["debugger"]) == ("42", "gdb (process 42)")


def test_thread_that_is_stopped_for_a_moment_proves_nothing() -> None:
    """strace stops each thread at each of its system calls."""
    daemon = Daemon()
    daemon.look(0.0)
    for tid in range(20, 40):
        daemon.runs(WAKE)
        assert daemon.look(1.0, Surroundings(thread=Thread(tid, "handler", "t", GDB))).verdict is Verdict.BUSY
        daemon.runs(WAKE)
        assert daemon.look(1.0).verdict is Verdict.BUSY


def test_busy_main_thread_beside_a_stopped_one_is_busy() -> None:
    daemon, around = Daemon(), Surroundings(thread=STOPPED)
    daemon.look(0.0, around)
    while daemon.now < 2 * IDLE_PROOF:
        daemon.runs(0.5)
        assert daemon.look(1.0, around).verdict is Verdict.BUSY


def test_stopped_by_a_signal_tells_whom_to_continue() -> None:
    assert Daemon().look(1.0, state="T").facts == {"pid": "7", "stopped": "7"}


def test_stopped_by_a_tracer_tells_which() -> None:
    found = Daemon().look(1.0, state="t", tracer=GDB)
    assert found.sentence == "process 7 is stopped by gdb (process 42)"
    assert found.facts == {"pid": "7", "tracer": "42", "debugger": "gdb (process 42)"}


def test_tracer_that_cannot_be_seen_is_a_debugger() -> None:
    found = Daemon().look(1.0, state="t")
    assert (found.sentence, found.facts) == ("process 7 is stopped by a debugger", {"pid": "7"})


def test_frozen_by_its_cgroup_is_hung_with_the_way_to_thaw_it() -> None:
    around = Surroundings(frozen="/sys/fs/cgroup/x", thaw="echo 0 > /sys/fs/cgroup/x/cgroup.freeze")
    daemon = Daemon()
    assert daemon.look(1.0, around).verdict is Verdict.LATE
    found = daemon.look(HUNG_AFTER, around)
    assert (found.verdict, found.sentence) == (Verdict.HUNG, "process 7 is frozen by the cgroup /sys/fs/cgroup/x")
    assert found.facts == {"pid": "7", "frozen": around.frozen, "thaw": around.thaw}


def test_throttled_tells_the_cgroup_and_its_quota() -> None:
    daemon = Daemon()
    daemon.look(1.0, Surroundings(throttled_seconds=1.0, quota="/sys/fs/cgroup/ovs/cpu.max"))
    found = daemon.look(1.0, Surroundings(throttled_seconds=1.5, quota="/sys/fs/cgroup/ovs/cpu.max"))
    assert found.facts == {"pid": "7", "cgroup": "/sys/fs/cgroup/ovs", "quota": "/sys/fs/cgroup/ovs/cpu.max"}


@pytest.mark.parametrize(
    ("state", "around", "fact"),
    [
        ("R", Surroundings(cpu_pressure=0.456), {"cpu_pressure": "46%"}),
        ("R", CALM, {}),
        ("D", Surroundings(io_pressure=0.3), {"io_pressure": "30%"}),
        ("D", Surroundings(memory_pressure=0.2), {"memory_pressure": "20%"}),
    ],
)
def test_starved_tells_by_how_much(state: str, around: Surroundings, fact: dict[str, str]) -> None:
    daemon = Daemon(state=state)
    daemon.look(1.0, around)
    found = daemon.look(1.0, around)
    assert found.verdict is Verdict.STARVED
    assert found.facts == {"pid": "7"} | fact


STEP = st.tuples(
    st.floats(0.05, 20.0),  # seconds until the look
    st.floats(0.0, 1.0),  # share of it that it ran
    st.floats(0.0, 1.0),  # share of the rest that it waited for a core
    st.sampled_from("RSD"),
)


@given(st.lists(STEP, min_size=1, max_size=40))
def test_who_moved_is_hung_only_after_having_slept_through_a_whole_minute(
    steps: list[tuple[float, float, float, str]],
) -> None:
    """Whatever the looks: of the minute before, it ran and waited for less than 5 %; or it was hung before."""
    daemon, history, before = Daemon(), [(0.0, 0.0)], False
    daemon.look(0.0)
    for seconds, run, wait, state in steps:
        daemon.runs(seconds * run * 0.2)
        daemon.waited += seconds * (1 - run) * wait * 0.2
        found = daemon.look(seconds, state=state)
        history.append((daemon.now, daemon.cpu + daemon.waited))
        if found.verdict is Verdict.HUNG and not before:
            minute = [ran for at, ran in history if at <= daemon.now - IDLE_PROOF]
            assert minute
            assert history[-1][1] - minute[-1] <= IDLE_SHARE * IDLE_PROOF
        before = found.verdict is Verdict.HUNG
