"""The numbers of a stream's lines: which lines are missing, and whether several processes wrote them. Pure.

A process numbers the lines of its main thread from 1 (lib/vlog.c, ``format_log_message``). Where several write into one
stream, the numbers leave those of one process and go on with them later:

    20  21   1   2  22   3  23      22 and 23 return to the process that 1 had interrupted
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from ovsnet.explain.carriers import number_of

PLAIN = 25
"""What stands before the first bar in a daemon's own file is shorter than this."""
PROCESSES = 16
"""As many as are followed at once."""
RETURNS = 3
"""One may be a coincidence, where lines are missing."""

Missing = Callable[[int, bytes, int], None]
"""Takes how many lines are missing before a line, that line, and its place."""


class Numbering:
    """Of one stream. ``following`` is the number that comes next, 0 where that is not known."""

    def __init__(self, missing: Missing) -> None:
        self.following = 0
        self._missing = missing
        self._interrupted: deque[int] = deque(maxlen=PROCESSES)
        self._returns = 0

    @property
    def mixed(self) -> bool:
        """Whether the lines are those of several processes that ran at the same time."""
        return self._returns >= RETURNS

    def section(self) -> None:
        """Another file begins, whose name is known."""
        self._interrupted.clear()

    def count(self, lines: Sequence[bytes], since: int) -> None:
        """Take lines whose numbers are not those of so many in a row; ``since`` is the place of the line before."""
        for place, line in enumerate(lines, since + 1):
            parts = line.split(b"|", 4)
            if len(parts) < 5:
                self.following = 0 if line else self.following
            elif len(parts[0]) < PLAIN and b"(" not in parts[2]:
                self._take(number_of(parts[1]), line, place, twice=b"." not in parts[0])

    def _take(self, own: int, line: bytes, place: int, *, twice: bool) -> None:
        """``twice``: it has no milliseconds, so a container may print it besides the line of the log file."""
        if own != self.following > 1 and not twice:
            returned = own in self._interrupted
            if returned:
                self._interrupted.remove(own)
                self._returns += 1
            self._interrupted.append(self.following)
            if own > self.following and not returned:
                self._missing(own - self.following, line, place)
        elif own > self.following > 1:
            self._missing(own - self.following, line, place)
        self.following = own + 1
