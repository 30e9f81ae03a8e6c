"""What a second process of a daemon wrote into the log of the first one, before it found that the first one runs. Pure.

It ends by itself (lib/daemon-unix.c, check_already_running()), while the first one runs on, as do the numbers of its
lines: neither did a process end, nor is a line missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ovsnet.explain.clock import stamp
from ovsnet.explain.daemons import TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.history import END
from ovsnet.explain.verdicts import Note


def without_guests(events: Sequence[Event]) -> tuple[list[Event], list[Note]]:
    """The other events, and a note for each such process."""
    by_source: dict[int, list[Event]] = {}
    for event in events:
        by_source.setdefault(id(event.source), []).append(event)
    left: set[int] = set()
    notes: list[Note] = []
    for own in by_source.values():
        for guest in _guests(own):
            left |= {id(event) for event in guest}
            notes.append(_note(guest[1]))
    return [event for event in events if id(event) not in left], notes


def _guests(own: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for number in range(1, len(own) - 1):
        before, first, last = own[number - 1 : number + 2]
        refused = last.kind == "pidfile" and last.said["what"].startswith("already running")
        if refused and first.kind == "opened" and first.number("number") == 1 and before.kind not in END:
            gap = [event for event in own[number + 2 : number + 3] if event.kind == "lines-missing"]
            yield (first, last, *gap)


def _note(event: Event) -> Note:
    title = TITLES.get(event.source.daemon, event.source.daemon)
    pid = event.said["what"].rpartition(" ")[2]
    words = f"A second {title} was started at {stamp(event.at)}, and exited, because process {pid} was running."
    return Note(words, event.place)
