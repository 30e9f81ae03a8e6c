"""Times without a line: a daemon that logged nothing, lines that are not here, or a clock that was set ahead. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ovsnet.explain.carriers import number_of, split
from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.daemons import TITLES, stem
from ovsnet.explain.event import UNKNOWN, Source
from ovsnet.explain.numbering import PLAIN

HOUR = len(b"2026-11-25T23")
"""Characters of a daemon's own time up to its hour: where they stay the same nothing has to be looked at."""
LONG = 3600.0
USUAL = 20
"""A silence is longer than so many times the daemon's mean distance between two lines."""
MOST = 100
"""Silences of one stream that are kept: of a daemon that seldom speaks each is usual."""
NAMED = 5


class Silences:
    """Of one stream whose lines begin with their daemon's own time. A block within one hour costs two comparisons."""

    def __init__(self, zone: Zone) -> None:
        self.found: list[tuple[float, float]] = []
        self.first = 0
        self._zone = zone
        self._last = b""

    def look(self, lines: Sequence[bytes]) -> None:
        """Take the next lines."""
        if not self.first:
            self._begin(lines)
        end = next((line for line in reversed(lines) if line.count(b"|") >= 4), b"")
        if end[:HOUR] == self._last[:HOUR] or len(self.found) >= MOST:
            self._last = end or self._last
            return
        last = self._last
        for line in lines:
            if line[:HOUR] != last[:HOUR] and line.count(b"|") >= 4 and line.index(b"|") < PLAIN:
                if last:
                    self._between(last, line)
                last = line
            elif line[:HOUR] == last[:HOUR]:
                last = line
        self._last = last

    def _begin(self, lines: Sequence[bytes]) -> None:
        """The number of the main thread's first line."""
        for line in lines:
            parts = line.split(b"|", 4)
            if len(parts) == 5 and len(parts[0]) < PLAIN and b"(" not in parts[2]:
                self.first = number_of(parts[1])
                return

    def _between(self, last: bytes, line: bytes) -> None:
        before, after = split(last), split(line)
        if before is None or after is None:
            return
        since, until = before.moment(self._zone), after.moment(self._zone)
        if since is not None and until is not None and until.at - since.at >= LONG:
            self.found.append((since.at, until.at))


def silences(sources: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Sentences on what may be missing, each with its place."""
    groups: defaultdict[tuple[str, str, str], list[Source]] = defaultdict(list)
    for source in sources:
        if source.daemon != UNKNOWN and source.first is not None and source.last is not None:
            groups[source.node, source.daemon, stem(source.opened or source.name)].append(source)
    for (node, daemon, _), own in groups.items():
        own.sort(key=lambda each: each.first or 0.0)
        title = TITLES.get(daemon, daemon) + (f" on {node}" if node else "")
        yield from _between_files(own)
        found = [*_long(own)]
        for since, until, place in found[:NAMED]:
            yield f"No line of {title} from {stamp(since)} to {stamp(until)}.", place
        if (more := len(found) - NAMED) > 0:
            yield f"{more} more such silences of {title}.", found[NAMED][2]


def _long(own: Sequence[Source]) -> Iterator[tuple[float, float, str]]:
    """Those within files and between them that are longer than usual."""
    gaps = [(*gap, each.name) for each in own for gap in each.silences]
    gaps += [(a.last or 0.0, b.first or 0.0, b.name) for a, b in pairwise(own)]
    lines = sum(each.lines for each in own)
    length = (own[-1].last or 0.0) - (own[0].first or 0.0)
    for since, until, place in sorted(gaps):
        if until - since >= LONG and until - since > USUAL * length / max(lines, 1):
            yield since, until, place


def _between_files(own: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Of two files of one process the second goes on with the numbers of the first (lib/vlog.c)."""
    for before, after in pairwise(own):
        missing = after.numbers[0] - before.numbers[1]
        if before.numbers[1] > 1 and missing > 0 and (before.last or 0.0) <= (after.first or 0.0):
            lines = f"{missing} line{'' if missing == 1 else 's'}"
            yield f"{lines} between {before.name} and {after.name} are missing: is there another file?", after.name
