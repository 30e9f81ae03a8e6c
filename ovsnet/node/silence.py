"""Why a daemon gives no answer: slow, hung, gone, or nobody can say. Pure.

Slow is not dead. A daemon that reconfigures 50 000 flows, that its cgroup throttles or that waits for a core behind
eight others gives no answer for seconds, and a restart only makes it worse. So silence is condemned on proof alone:

    process gone, a zombie, or another one under its pid      -> GONE
    nothing of it can be seen (another pid namespace)         -> UNSEEN
    stopped (T, t)                                            -> HUNG after ``hung_after``
    CPU time or voluntary switches moved since the last look,
    or runnable at the first                                  -> BUSY
    runnable without getting the CPU, throttled, or waiting
    in the kernel while the host is short of I/O or memory    -> STARVED
    none of these for ``hung_after``, and looked at twice     -> HUNG

Until ``hung_after`` has passed, a case that would be HUNG is LATE.

Rule 1: a change is only progress against a *look*, not against the start of the silence: the very switch into the
stopped state counts as one voluntary switch. Rule 2: any answer, on any socket of the daemon, ends the silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ovsnet.node.process import ProcessSample


class Verdict(StrEnum):
    """What a silence means. The order is that of the table above."""

    GONE = "gone"
    UNSEEN = "process-unseen"
    BUSY = "busy"
    STARVED = "starved"
    LATE = "late"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else holds a process up. Pressures are shares of the last ten seconds (PSI "some avg10" / 100), None if
    unknown.

    ``throttled_seconds`` is the total for which its cgroup was denied the CPU (cpu.stat); only its growth means
    something.
    """

    throttled_seconds: float | None = None
    cpu_pressure: float | None = None
    io_pressure: float | None = None
    memory_pressure: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, the sentence for it, and the numbers it rests on."""

    verdict: Verdict
    sentence: str
    values: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


PRESSED = 0.10
"""A tenth of the time lost to I/O or memory is far above a healthy host, and near what stalls an fsync for seconds."""

SHORTEST_LOOK = 0.5
"""Seconds of standing still that prove something. A main loop that was woken needs microseconds to move a counter."""


class Silence:
    """Watches one daemon from its first unanswered request on. Forget it (make a new one) when any answer comes."""

    def __init__(self, since: float) -> None:
        self.since = since
        self._first: ProcessSample | None = None
        self._last: ProcessSample | None = None
        self._still_since = since
        self._throttled: float | None = None

    def look(self, process: ProcessSample | None, around: Surroundings, *, now: float, hung_after: float) -> Finding:
        """Judge at ``now``, which is the clock of ``since`` and of the samples."""
        silent = now - self.since
        if process is None:
            return self._unseen(silent)
        if self._first is None:
            self._first = process
        if process.gone or process.started != self._first.started:
            return self._unseen(silent)
        moved = self._moved(process)
        throttled = self._throttled_since_last_look(around)
        if moved is not False:
            self._still_since = now
        self._last = process
        values = {
            "silent_seconds": silent,
            "still_seconds": now - self._still_since,
            "cpu_seconds": process.cpu_seconds - self._first.cpu_seconds,
        }
        verdict, what = self._judge(process, around, moved=moved, throttled=throttled)
        if (
            verdict is Verdict.LATE
            and silent >= hung_after
            and (process.state in "Tt" or now - self._still_since >= SHORTEST_LOOK)
        ):
            verdict = Verdict.HUNG
        pid = str(process.pid)
        facts = {"pid": pid} | ({"stopped": pid} if process.state == "T" else {})
        return Finding(verdict, f"process {process.pid} {what}", values, facts)

    def _unseen(self, silent: float) -> Finding:
        values = {"silent_seconds": silent}
        if self._first is not None:
            return Finding(Verdict.GONE, f"process {self._first.pid} is gone", values)
        return Finding(Verdict.UNSEEN, "its process cannot be seen from here", values)

    def _moved(self, process: ProcessSample) -> bool | None:
        """Against the last look; None at the first."""
        last = self._last
        if last is None:
            return None
        return process.cpu_seconds > last.cpu_seconds or process.switches > last.switches

    def _throttled_since_last_look(self, around: Surroundings) -> bool:
        before, self._throttled = self._throttled, around.throttled_seconds
        return before is not None and self._throttled is not None and self._throttled > before

    @staticmethod
    def _judge(
        process: ProcessSample, around: Surroundings, *, moved: bool | None, throttled: bool
    ) -> tuple[Verdict, str]:
        if process.state in "Tt":
            return Verdict.LATE, "is stopped (SIGSTOP or a debugger)"
        if throttled:
            return Verdict.STARVED, "is throttled by its cgroup's CPU quota"
        if moved:
            return Verdict.BUSY, "is at work"
        if process.state == "R" and moved is None:
            return Verdict.BUSY, "runs, or waits for a core"
        if process.state == "R":
            return Verdict.STARVED, f"wants to run and gets no CPU{_pressure(' (CPU pressure', around.cpu_pressure)}"
        if process.state == "D":
            for name, share in (("I/O", around.io_pressure), ("memory", around.memory_pressure)):
                if share is not None and share >= PRESSED:
                    return Verdict.STARVED, f"waits in the kernel{_pressure(f' ({name} pressure', share)}"
            return Verdict.LATE, "waits in the kernel and does not move"
        return Verdict.LATE, "sleeps and does not move"


def _pressure(name: str, share: float | None) -> str:
    return "" if share is None else f"{name} {share:.0%})"
