"""Why a daemon gives no answer: slow, hung, gone, or nobody can say. Pure.

Slow is not dead. A daemon that reconfigures 50 000 flows, that its cgroup throttles or that waits for a core behind
eight others gives no answer for seconds, and a restart only makes it worse. So silence is condemned on proof alone:

    process gone, a zombie, or another one under its pid      -> GONE
    nothing of it can be seen (another pid namespace)         -> UNSEEN after ``hung_after``
    stopped (T, t), or frozen by its cgroup                   -> HUNG after ``hung_after``
    idle beside a thread of its own that stays stopped        -> HUNG after ``hung_after``
    idle for ``IDLE_PROOF`` seconds                           -> HUNG
    CPU time or voluntary switches moved since the last look,
    or runnable at the first                                  -> BUSY
    runnable without getting the CPU, throttled, or waiting
    in the kernel while the host is short of I/O or memory    -> STARVED
    none of these for ``hung_after``, and looked at twice     -> HUNG

Until ``hung_after`` has passed, a case that would be HUNG or UNSEEN is LATE.

*Idle* is a main thread that owes an answer, and of the time that passed has neither run nor waited for a core for more
than ``IDLE_SHARE``: it was not busy, not starved, it slept. A main loop that was woken and sleeps again without
answering waits for something inside its process. So does ovs-vswitchd in ``ovsrcu_synchronize`` (lib/ovs-rcu.c), which
any other thread wakes when it quiesces: for one revalidator that a debugger had stopped, it woke 17 times in 130 s,
took 2 ms of CPU, and would never have gone on. That wait is legitimate while a revalidator is merely slow: ``blocked
16000 ms waiting for revalidator to quiesce`` is seen on loaded hosts, hence a whole minute.

Rule 1: a change is only progress against a *look*, not against the start of the silence: the very switch into the
stopped state counts as one voluntary switch. Rule 2: any answer, on any socket of the daemon, ends the silence.
Rule 3: one that has moved in this silence must not move for the whole of ``hung_after`` before it is HUNG; for one that
never did, two looks are enough. Rule 4: one that was HUNG stays so until it is not idle: it may wake in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ovsnet.node.process import ProcessSample, Thread


class Verdict(StrEnum):
    """What a silence means. The order is that of the table above."""

    GONE = "gone"
    UNSEEN = "process-unseen"
    BUSY = "busy"
    STARVED = "starved"
    LATE = "late"
    HUNG = "hung"


class Surroundings(msgspec.Struct, frozen=True):
    """What else holds a process up. Pressures are shares of the last ten seconds (PSI "some avg10" / 100), None if
    unknown.

    ``throttled_seconds`` is the total for which its cgroup was denied the CPU (cpu.stat); only its growth means
    something. ``quota`` is the file that limits it. ``frozen`` is the cgroup whose freezer holds the process, and
    ``thaw`` the command that ends it. ``thread`` is one beside the main thread that is stopped.
    """

    throttled_seconds: float | None = None
    cpu_pressure: float | None = None
    io_pressure: float | None = None
    memory_pressure: float | None = None
    quota: str = ""
    frozen: str = ""
    thaw: str = ""
    thread: Thread | None = None


class Finding(msgspec.Struct, frozen=True):
    """A verdict, the sentence for it, and the numbers it rests on."""

    verdict: Verdict
    sentence: str
    values: Mapping[str, float] = msgspec.field(default_factory=dict)
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)


PRESSED = 0.10
"""A tenth of the time lost to I/O or memory is far above a healthy host, and near what stalls an fsync for seconds."""

SHORTEST_LOOK = 0.5
"""Seconds of standing still that prove something. A main loop that was woken needs microseconds to move a counter."""

IDLE_PROOF = 60.0
IDLE_SHARE = 0.05
"""Measured with urcu's wait: 0.002 % of the time. An idle switch that answers everything takes 0.05 %."""


class Silence:
    """Watches one daemon from its first unanswered request on. Forget it (make a new one) when any answer comes."""

    def __init__(self, since: float) -> None:
        self.since = since
        self._first: ProcessSample | None = None
        self._last: ProcessSample | None = None
        self._still_since = since
        self._has_moved = False
        self._was_hung = False
        self._idle_from: tuple[float, ProcessSample] | None = None
        self._stuck: tuple[float, int] | None = None
        self._throttled: float | None = None

    def look(self, process: ProcessSample | None, around: Surroundings, *, now: float, hung_after: float) -> Finding:
        """Judge at ``now``, which is the clock of ``since`` and of the samples."""
        silent = now - self.since
        if process is None:
            return self._unseen(silent, hung_after)
        if self._first is None:
            self._first = process
        if process.gone or process.started != self._first.started:
            return self._unseen(silent, hung_after)
        moved = self._moved(process)
        throttled = self._throttled_since_last_look(around)
        if moved is not False:
            self._still_since = now
        self._has_moved = self._has_moved or moved is True
        self._last = process
        values = {
            "silent_seconds": silent,
            "still_seconds": now - self._still_since,
            "cpu_seconds": process.cpu_seconds - self._first.cpu_seconds,
        }
        held = process.state in "Tt" or bool(around.frozen)
        idle, ran = self._idle(process, now, held_up=held or throttled)
        stuck = self._stuck_for(around.thread, now)
        verdict, what, facts = _judge(process, around, moved=moved, throttled=throttled)
        if silent >= hung_after and verdict in (Verdict.LATE, Verdict.BUSY):
            if held:
                verdict = Verdict.HUNG
            elif around.thread is not None and min(idle, stuck) >= SHORTEST_LOOK:
                verdict, (what, facts) = Verdict.HUNG, _waits_for(around.thread)
            elif idle >= IDLE_PROOF or (self._was_hung and idle > 0):
                verdict = Verdict.HUNG
                what = f"answers nothing, and ran for {ran * 1000:.0f} ms of the last {idle:.0f} s"
            elif verdict is Verdict.LATE and self._stands_still(now, hung_after):
                verdict = Verdict.HUNG
        self._was_hung = verdict is Verdict.HUNG and not held
        return Finding(verdict, f"process {process.pid} {what}", values, {"pid": str(process.pid)} | facts)

    def _stands_still(self, now: float, hung_after: float) -> bool:
        """Rule 3."""
        return now - self._still_since >= (hung_after if self._has_moved else SHORTEST_LOOK)

    def _idle(self, process: ProcessSample, now: float, *, held_up: bool) -> tuple[float, float]:
        """For how long it has been idle, and for how long it ran or waited for a core in that time, in seconds.

        0 where the kernel does not count what it waits: then idle and starved look the same.
        """
        if held_up or process.state == "D" or self._idle_from is None:
            self._idle_from = now, process
        began, before = self._idle_from
        if process.waited_seconds is None or before.waited_seconds is None:
            return 0.0, 0.0
        ran = process.cpu_seconds - before.cpu_seconds + process.waited_seconds - before.waited_seconds
        if ran > IDLE_SHARE * IDLE_PROOF:
            self._idle_from = now, process
            return 0.0, 0.0
        return (now - began if ran <= IDLE_SHARE * (now - began) else 0.0), ran

    def _stuck_for(self, thread: Thread | None, now: float) -> float:
        """For how long this thread was seen stopped, in seconds."""
        if thread is None:
            self._stuck = None
            return 0.0
        if self._stuck is None or self._stuck[1] != thread.tid:
            self._stuck = now, thread.tid
        return now - self._stuck[0]

    def _unseen(self, silent: float, hung_after: float) -> Finding:
        values = {"silent_seconds": silent}
        if self._first is not None:
            return Finding(Verdict.GONE, f"process {self._first.pid} is gone", values)
        verdict = Verdict.UNSEEN if silent >= hung_after else Verdict.LATE
        return Finding(verdict, "its process cannot be seen from here", values)

    def _moved(self, process: ProcessSample) -> bool | None:
        """Against the last look; None at the first."""
        last = self._last
        if last is None:
            return None
        return process.cpu_seconds > last.cpu_seconds or process.switches > last.switches

    def _throttled_since_last_look(self, around: Surroundings) -> bool:
        before, self._throttled = self._throttled, around.throttled_seconds
        return before is not None and self._throttled is not None and self._throttled > before


Judgement = tuple[Verdict, str, dict[str, str]]
"""The verdict at this look, the sentence, and the facts that a remedy may name."""


def _judge(process: ProcessSample, around: Surroundings, *, moved: bool | None, throttled: bool) -> Judgement:
    pid, cpu = str(process.pid), around.cpu_pressure
    if process.state == "T":
        return Verdict.LATE, "is stopped (SIGSTOP)", {"stopped": pid}
    if process.state == "t":
        tracer = process.tracer
        by, facts = (
            (str(tracer), {"tracer": str(tracer.pid), "debugger": str(tracer)}) if tracer else ("a debugger", {})
        )
        return Verdict.LATE, f"is stopped by {by}", facts
    if around.frozen:
        facts = {"frozen": around.frozen, "thaw": around.thaw}
        return Verdict.LATE, f"is frozen by the cgroup {around.frozen}", facts
    if throttled:
        facts = {"cgroup": around.quota.rpartition("/")[0], "quota": around.quota} if around.quota else {}
        return Verdict.STARVED, "is throttled by its cgroup's CPU quota", facts
    if moved:
        return Verdict.BUSY, "is at work", {}
    if process.state == "R" and moved is None:
        return Verdict.BUSY, "runs, or waits for a core", {}
    if process.state == "R":
        facts = {} if cpu is None else {"cpu_pressure": f"{cpu:.0%}"}
        return Verdict.STARVED, f"wants to run and gets no CPU{_pressure(' (CPU pressure', cpu)}", facts
    if process.state == "D":
        for name, share in (("I/O", around.io_pressure), ("memory", around.memory_pressure)):
            if share is not None and share >= PRESSED:
                facts = {f"{name.replace('/', '').lower()}_pressure": f"{share:.0%}"}
                return Verdict.STARVED, f"waits in the kernel{_pressure(f' ({name} pressure', share)}", facts
        return Verdict.LATE, "waits in the kernel and does not move", {}
    return Verdict.LATE, "sleeps and does not move", {}


def _waits_for(thread: Thread) -> tuple[str, dict[str, str]]:
    """The sentence and the facts of a main thread that waits for a stopped one."""
    named = f"{thread.name} (thread {thread.tid})"
    by = f" by {thread.tracer}" if thread.tracer else ""
    facts = {"thread": named, "thread_state": thread.state}
    if thread.tracer is not None:
        facts |= {"tracer": str(thread.tracer.pid), "debugger": str(thread.tracer)}
    return f"answers nothing while its thread {named} is stopped{by} (state {thread.state})", facts


def _pressure(name: str, share: float | None) -> str:
    return "" if share is None else f"{name} {share:.0%})"
