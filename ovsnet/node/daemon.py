"""One daemon of the node: its silence, and the process behind its sockets."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection
from fnmatch import fnmatch
from typing import TypeVar

from ovsnet.io.address import Address
from ovsnet.node.components import OVSDB, Component
from ovsnet.node.database_file import damaged
from ovsnet.node.descriptors import Descriptors, descriptors
from ovsnet.node.member_file import MemberFile
from ovsnet.node.memory import MemoryWatch
from ovsnet.node.pidfile import Lock, read_pidfile
from ovsnet.node.presence import Evidence, Presence, Sighting, judge, look_for
from ovsnet.node.pressure import surroundings
from ovsnet.node.process import Process, identify, runs, sample
from ovsnet.node.raft import Elections
from ovsnet.node.restarts import Starts
from ovsnet.node.rundir import Rundir
from ovsnet.node.silence import Finding, Silence, Verdict

SIGHTED_FOR = 1.0
"""Seconds. Two checks that fail together need one answer, and it may take all of /proc."""

LAST_FEW = 4
"""Descriptors. A daemon that has none left, and a client that leaves it, is between two turns of its loop for a
moment before the next waiting client is accepted in its place: on a busy host, a long moment."""


Found = TypeVar("Found", bound=Process)


class Daemon:
    """Bookkeeping of questions and answers. ``heard_at`` says when its last bytes came, on any of its sockets.

    The pid behind the socket is preferred to the pidfile's, which may be stale or reused.
    """

    def __init__(
        self,
        component: Component,
        rundir: Rundir,
        clock: Callable[[], float],
        heard_at: Callable[[], float] = lambda: 0.0,
        neighbours: Callable[[], Collection[int]] = lambda: (),
    ) -> None:
        self.component = component
        self.peer_pid: int | None = None
        self.started_at: float | None = None
        """When its process started, by ``clock``; None while we see none."""
        self._tick: float | None = None
        """The same as two readings of one process have it alike: seconds since the boot, or since the epoch where only
        its socket can be seen."""
        self.distant = False
        """It runs on another host: its process cannot be inspected, and its silence is all there is."""
        self.others_to_ask: Callable[[], bool] = lambda: False
        """Whether another server of the same database is still to be asked, before its silence means anything."""
        self.ended_at: float | None = None
        """When its process was first seen to have ended. Of one that ended before we came, when it wrote the pidfile
        that it left: it ended after that. None while it runs, or when nothing is known."""
        self.times_met = 0
        """How many connections to it have stood."""
        self.nameless: int | None = None
        """The process that was waited for when the names of its sockets went, and nobody was met since."""
        self.databases: tuple[str, ...] = ()
        """The files of the databases that it was last seen to serve."""
        self.memory = MemoryWatch()
        self.member_file = MemberFile()
        self.elections = Elections()
        self.starts = Starts()
        self._rundir = rundir
        self._clock = clock
        self._heard_at = heard_at
        self._neighbours = neighbours
        self._met: Process | None = None
        self._sighting: tuple[float, Sighting] | None = None
        self._silence: Silence | None = None
        self._late_at = 0.0
        self._refused_at: float | None = None

    def continues(self, before: Daemon) -> None:
        """Take over what was learned of its process, which is not to look as if it had started just now. Not of its
        silence: it counts from our own first question."""
        self.started_at, self._tick, self.ended_at = before.started_at, before._tick, before.ended_at
        self.memory, self.elections, self.starts = before.memory, before.elections, before.starts
        self.member_file = before.member_file

    def moved(self, *, distant: bool) -> None:
        """Another server is asked from now on. What was seen and heard of the one before proves nothing of it."""
        self.distant = distant
        self.peer_pid = self._met = self._sighting = None
        if self._silence is not None:  # the question under way is to the new server, from now on
            self._silence = Silence(self._clock())

    def met(self, pid: int | None, address: Address | None = None) -> bool:
        """A connection to it stands, at ``address``, and ``pid`` is at its other end: None in another pid namespace.
        True when it is another process than before."""
        self.peer_pid = pid
        self._sighting = None
        self.times_met += 1
        self.nameless = None
        return self._has_new_socket(address) if pid is None else self._is_new(pid)

    def _is_new(self, pid: int) -> bool:
        process = identify(pid)
        if process is None:
            return False
        self._met = process
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return self._started(process.started, self._clock() - since_boot + process.started)

    def _has_new_socket(self, address: Address | None) -> bool:
        """A daemon makes its first socket when it starts. That shows how old a process is that cannot be seen."""
        if address is None or not fnmatch(os.path.basename(address.path), self.component.sockets[0]):
            return False
        try:
            made_at = os.stat(address.path).st_mtime
        except OSError:
            return False
        return self._started(made_at, self._clock() - max(time.time() - made_at, 0.0))

    def _started(self, tick: float, at: float) -> bool:
        self.ended_at = None
        before, self._tick, self.started_at = self._tick, tick, at
        self.starts.saw(tick, at)
        return before != tick

    @property
    def sighting(self) -> Sighting | None:
        """Whether its process runs, if that was looked into within ``SIGHTED_FOR`` seconds."""
        if self.distant:
            return Sighting(Presence.UNSEEN, None, "it runs on another host")
        if self._sighting is None or self._clock() - self._sighting[0] >= SIGHTED_FOR:
            return None
        return self._sighting[1]

    def forget_sighting(self) -> None:
        """Its process is to be looked into again."""
        self._sighting = None

    def search(self) -> Evidence:
        """Look for its process. It may take all of /proc, so a thread may call it; ``conclude`` takes what it found."""
        met = self._met if self.peer_pid is not None else None
        return look_for(self.component, self._rundir, met, neighbours=self._neighbours())

    def conclude(self, evidence: Evidence) -> tuple[Sighting, bool]:
        """Whether its process runs, as proven; and whether it is another process than before."""
        found = judge(evidence, self._met.pid if self._met is not None and self.peer_pid is not None else None)
        self._sighting = self._clock(), found
        if found.presence is Presence.GONE:
            self.ended_at = self.ended_at or self._end(evidence)
            self._silence = None
        return found, found.pid is not None and self._is_new(found.pid)

    def _end(self, evidence: Evidence) -> float | None:
        if evidence.met_lives is False:
            return self._clock()
        age = self.age(None) if evidence.lock is Lock.FREE else None
        return None if age is None else self._clock() - age

    def refused(self) -> bool:
        """A full backlog turned us away. True when it has been heard since that happened before: it is at work."""
        before, self._refused_at = self._refused_at, self._clock()
        return before is not None and self._heard_at() > before

    @property
    def turned_away(self) -> bool:
        """A full backlog turned us away, and nothing was heard since."""
        return self._refused_at is not None and self._refused_at >= self._heard_at()

    @property
    def would_wait(self) -> bool:
        """A new connection would only wait in its queue, which has room: it owes an answer already."""
        return self.late and not self.turned_away

    def asked(self) -> None:
        """A question goes out. Silence begins with the first that stays unanswered."""
        if self._silence is None or self._heard_at() > self._silence.since:
            self._silence = Silence(self._clock())

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
        process = self._find(lambda pid: sample(pid, now))
        patience = math.inf if self.others_to_ask() else hung_after + own_lag
        finding = self._silence.look(process, surroundings(process), now=now, hung_after=patience)
        # Of one that may be ours (a database at tcp:), silence proves nothing: it would have its switch restarted.
        if self.distant and self.component.remote:
            verdict = Verdict.HUNG if finding.verdict is Verdict.UNSEEN else Verdict.LATE
            return Finding(verdict, "it runs on another host, and its silence is all there is", finding.values)
        return finding

    def process(self) -> Process | None:
        """Which process it is now, or None when we see none that bears the daemon's name, or it runs elsewhere."""
        return self._find(identify)

    def _find(self, read: Callable[[int], Found | None]) -> Found | None:
        if self.distant:
            return None
        found = None if self.peer_pid is None else read(self.peer_pid)
        if found is not None:
            return found
        pidfile = read_pidfile(self.component.pidfile(self._rundir))
        found = None if pidfile is None else read(pidfile)
        if found is not None and (pidfile == self.peer_pid or runs(found, self.component.process)):
            return found
        sighted = None if self._sighting is None else self._sighting[1].pid
        return None if sighted is None else read(sighted)

    def began(self, pid: int) -> float | None:
        """When that process started, by ``clock``; None when it is another than the one that was met last."""
        return self.started_at if self._met is not None and self._met.pid == pid else None

    def age(self, pid: int | None) -> float | None:
        """Seconds since that process started, which was met last; None when it is another. A process that cannot be
        seen, and holds the pidfile, wrote that when it started; None where the clock was set back since. One that has
        no pidfile yet starts now."""
        if pid is not None:
            began = self.began(pid)
            return None if began is None else self._clock() - began
        try:
            seconds = time.time() - os.stat(self.component.pidfile(self._rundir)).st_mtime
        except FileNotFoundError:
            return 0.0
        except OSError:
            return None
        return seconds if seconds >= 0 else None

    def has_ended(self, pid: int) -> bool:
        """Whether no such process runs any more, as far as can be seen."""
        process = identify(pid)
        return process is None or process.gone

    def has_pidfile(self) -> bool:
        """Whether its pidfile is there. A daemon that ends in order removes it together with its sockets
        (lib/fatal-signal.c, ``unlink_files``)."""
        return os.path.exists(self.component.pidfile(self._rundir))

    def out_of_descriptors(self) -> tuple[int, Descriptors] | None:
        """Its process and that one's descriptors when hardly any is left; None otherwise, and when they cannot be read.

        Only of one that is silent: a daemon that answers has enough. A stopped process accepts nobody, whatever it has
        left. Not for a schedule.
        """
        process = self.process()
        if process is None or process.gone or process.state in "Tt":
            return None
        held = descriptors(process.pid)
        return (process.pid, held) if held is not None and held.left <= LAST_FEW else None

    def damaged_database(self) -> tuple[str, str] | None:
        """A file of its databases that cannot be loaded, and what is wrong with it; None when none is known to be."""
        if self.component is not OVSDB and not self.databases:
            return None
        return damaged(self.databases, self._rundir)
