"""One daemon of the node: its silence, and the process behind its sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ovsnet.node.pidfile import read_pidfile
from ovsnet.node.pressure import surroundings
from ovsnet.node.process import ProcessSample, sample
from ovsnet.node.silence import Finding, Silence, Verdict

SAME_START = 0.1
"""Seconds by which two readings of one process's start may differ: the kernel counts it in ticks of 10 ms."""


class Daemon:
    """Bookkeeping of questions and answers. ``heard_at`` tells when its last bytes came, on any of its sockets.

    The pid behind the socket is preferred to the pidfile's, which may be stale or reused.
    """

    def __init__(
        self, name: str, pidfile: Path, clock: Callable[[], float], heard_at: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.name = name
        self.peer_pid: int | None = None
        self.started_at: float | None = None
        """When its process started, by ``clock``; None while we see none."""
        self.distant = False
        """It runs on another host: no look at its process is possible, and its silence is all there is."""
        self._pidfile = pidfile
        self._clock = clock
        self._heard_at = heard_at
        self._silence: Silence | None = None
        self._late_at = 0.0

    def met(self, pid: int | None) -> bool:
        """A connection to it stands, and ``pid`` is at its other end. True when it is another process than before."""
        self.peer_pid = pid
        process = None if pid is None else sample(pid, self._clock())
        if process is None:
            return False
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        before, self.started_at = self.started_at, self._clock() - since_boot + process.started
        return before is None or abs(before - self.started_at) > SAME_START

    def asked(self) -> None:
        """A question goes out. Silence begins with the first that stays unanswered."""
        if self._silence is None or self._heard_at() > self._silence.since:
            self._silence = Silence(self._clock())

    def gone(self) -> None:
        """It is known to be gone, or to be another: there is no silence to explain."""
        self._silence = None

    @property
    def late(self) -> bool:
        """A deadline has passed, and nothing was heard since."""
        return self._silence is not None and self._late_at > max(self._silence.since, self._heard_at())

    def look(self, hung_after: float, own_lag: float = 0.0) -> Finding:
        """A deadline passed: explain the silence. ``hung_after`` is in seconds, as is what held us up ourselves."""
        now = self._late_at = self._clock()
        heard_at = self._heard_at()
        if self._silence is None or heard_at > self._silence.since:
            self._silence = Silence(max(heard_at, now - hung_after / 2))
        process = self.process()
        around = surroundings(process.pid if process else None)
        finding = self._silence.look(process, around, now=now, hung_after=hung_after + own_lag)
        if self.distant and finding.verdict is Verdict.UNSEEN and now - self._silence.since >= hung_after:
            return Finding(Verdict.HUNG, "it runs on another host, and its silence is all there is", finding.values)
        return finding

    @property
    def ended(self) -> bool:
        """The process that our connections were to exits, or is no more. False where we could never see it."""
        if self.peer_pid is None or self.started_at is None:
            return False
        process = sample(self.peer_pid, self._clock())
        return process is None or process.gone

    def process(self) -> ProcessSample | None:
        """The process as it is now, or None when we see none that bears the daemon's name."""
        now = self._clock()
        pidfile = None if self.distant else read_pidfile(self._pidfile)
        for pid in (self.peer_pid, pidfile):
            if pid is None:
                continue
            found = sample(pid, now)
            if found is not None and (pid == self.peer_pid or found.name == self.name[:15]):
                return found
        return None
