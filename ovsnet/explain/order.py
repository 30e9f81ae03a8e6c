"""Lines before they are read: without the labels that were put before them, and oldest first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise

from ovsnet.explain.carriers import json_in, split
from ovsnet.explain.clock import Zone, first_in

LABEL = re.compile(rb"^(?:\x1b\[[\d;]*m)*([\w.-]+) +\| (?:\x1b\[[\d;]*m)*(?=\d{4}-)", re.MULTILINE)
"""As ``docker compose logs`` has the container's name before each line; other tables have bars, too, but no date."""
NEWEST = 64 << 20
"""Bytes of a log that is newest first: it is turned around as a whole."""
FEW = 3
"""A clock that is set back makes one step back, and logs one after the other make one each."""
BEGINNING = 1 << 16
"""Bytes from which it is known how a log is written."""
HEAD = 80
"""Characters within which a line has its time."""


def begun(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning, which a pipe may give in small pieces, and all blocks."""
    taken: list[bytes] = []
    size = 0
    for block in blocks:
        taken.append(block)
        size += len(block)
        if size >= BEGINNING:
            break
    return b"".join(taken)[:BEGINNING], chain(taken, blocks)


def without_labels(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """``blocks``, where ``head`` has labels with their bars gone, so that a line's first bar is the daemon's."""
    return _unlabelled(blocks) if LABEL.search(head) else blocks


def _unlabelled(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        whole, end, rest = (rest + block).rpartition(b"\n")
        yield LABEL.sub(rb"\1 ", whole) + end
    yield LABEL.sub(rb"\1 ", rest)


def newest_first(head: bytes) -> bool:
    """Whether the times of these lines descend, as ``journalctl -r`` prints them."""
    times = [at for line in head.split(b"\n")[:-1] if (at := _time(line)) is not None]
    steps = [after - before for before, after in pairwise(times) if after != before]
    back = sum(step < 0 for step in steps)
    return back >= FEW and 10 * (len(steps) - back) <= back


def _time(line: bytes) -> float | None:
    """The carrier's own where there are two: its lines are in strict order."""
    if (opened := json_in(line)) and (apart := split(opened)) is not None:
        moment = apart.moment(Zone())
    else:
        moment = first_in(line[:HEAD], Zone())
    return moment.at if moment is not None else None


def turned(text: bytes) -> bytes:
    """Its lines, the last one first."""
    return b"\n".join(reversed(text.removesuffix(b"\n").split(b"\n"))) + b"\n"
