"""How often a daemon was started, as seen from outside, and as its own monitor process shows."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

import msgspec

from ovsnet.config.settings import MOST_RESTARTS
from ovsnet.files import read_text
from ovsnet.node.process import command_line, identify

DAY = 86400.0

_CRASHES = re.compile(r"monitoring pid \d+ \((?P<count>\d{1,20}) crashes: pid \d+ died, (?P<how>.*\.{3}|.*(?=\)))")
"""The title of the parent of a daemon that runs with ``--monitor`` (lib/daemon-unix.c, ``monitor_daemon``). It has as
much room as the command line had, and ends in three dots where it needs more (lib/command-line.c,
``ovs_cmdl_proctitle_set``)."""


class Crashes(msgspec.Struct, frozen=True):
    """How often a daemon crashed under its monitor, how it did last, and for how many seconds that monitor has run."""

    count: int
    how: str
    over: float

    def within(self, seconds: float) -> float:
        """How many came in so many seconds, on average: a monitor counts from its own start on, perhaps for months."""
        return self.count * min(1.0, seconds / self.over) if self.over > 0 else self.count


class Starts:
    """When the processes of a daemon started that followed the first one we saw, by the caller's clock."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=MOST_RESTARTS)
        self._newest: float | None = None

    def saw(self, tick: float, started_at: float) -> None:
        """A process was seen that started at ``started_at`` by the caller's clock, and at ``tick`` by one that says the
        same of one process each time. Of two that are seen in turn, neither starts again."""
        if self._newest is not None and tick > self._newest:
            self._at.append(started_at)
        self._newest = max(tick, self._newest or tick)

    def since(self, moment: float) -> int:
        """How many of them started after that."""
        return sum(each > moment for each in self._at)

    def going_on(self, now: float) -> int:
        """How many started within a day, if the newest did as lately as they are apart, or half as lately: else
        what made them start is over."""
        lately = sorted(each for each in self._at if each > now - DAY)
        if len(lately) < 2:
            return 0
        apart = (lately[-1] - lately[0]) / (len(lately) - 1)
        return len(lately) if now - lately[-1] <= 2 * apart else 0


def crashes_of(pid: int, proc: Path = Path("/proc")) -> Crashes | None:
    """What the monitor of this process shows; None when it has none, or none that can be seen."""
    try:
        parent = int(read_text(proc / str(pid) / "stat").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None
    found = _CRASHES.search(" ".join(command_line(parent, proc)))
    monitor = None if found is None else identify(parent, proc)
    return None if found is None or monitor is None else Crashes(int(found["count"]), found["how"], monitor.age)
