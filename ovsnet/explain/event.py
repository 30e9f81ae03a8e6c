"""A line that counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

UNKNOWN = "unknown"
MOST = 1e10
"""No daemon counts so far, be it milliseconds or lines: a greater number is garbage."""


class Source(msgspec.Struct):
    """One stream of lines: a file, a member of an archive, or one daemon within a journal.

    ``daemon`` is what its own lines say it is, or ``guessed`` from the peers that they name. ``process`` is the pid and
    the unit of a server within a journal, and ``instance`` what tells it from others that ran beside it. ``numbers``:
    those of its first line and of the line that would follow; ``silences``: from when to when nothing was written.
    ``mixed``: it holds lines of several processes, and nothing says which is whose.
    """

    name: str
    daemon: str = UNKNOWN
    node: str = ""
    host: str = ""
    version: str = ""
    opened: str = ""
    first: float | None = None
    last: float | None = None
    lines: int = 0
    zoned: bool = True
    process: str = ""
    instance: str = ""
    numbers: tuple[int, int] = (0, 0)
    silences: Sequence[tuple[float, float]] = ()
    guessed: bool = False
    mixed: bool = False

    @property
    def unit(self) -> str:
        """The unit of systemd that it ran in, where the journal says."""
        return self.process.partition(" ")[2].removesuffix(".service")


class Event(msgspec.Struct):
    """One line: what kind, when, who, about what, and where it is. ``repeated`` counts those like it that were not
    kept, and ``until`` is when the last of them was written."""

    kind: str
    at: float
    source: Source
    line: int
    text: str
    thread: str = ""
    said: Mapping[str, str] = msgspec.field(default_factory=dict)
    repeated: int = 0
    until: float = 0.0
    order: int = 0

    @property
    def subject(self) -> str:
        """Whom or what the line is about."""
        return self.said.get("subject", "")

    def number(self, name: str) -> float:
        """A number that the line names; 0 where it names none."""
        try:
            found = float(self.said.get(name) or 0)
        except ValueError:
            return 0.0
        return found if math.isfinite(found) and abs(found) < MOST else 0.0

    @property
    def last(self) -> float:
        """When it was said for the last time."""
        return max(self.at, self.until)

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.source.name}:{self.line}"
