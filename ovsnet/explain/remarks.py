"""Lines that are worth a sentence, and prove no outage. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ovsnet.explain.clock import stamp
from ovsnet.explain.complaints import COMPLAINTS, is_fault
from ovsnet.explain.daemons import NORTHD, TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.history import History
from ovsnet.explain.lasting import LONG, PAUSED

MOST = 5
"""As many subjects of one kind as are named for one daemon."""


REMARKS: Mapping[str, Callable[[Event], str]] = {
    "torn": lambda event: f"dropped the damaged end of {event.subject}: {event.said['error']}",
    "no-mapping": lambda event: (
        f"has no bridge for the network {event.said['network']} of port {event.subject}, which is right where it "
        "is not to have one"
    ),
    "schema": lambda event: f"misses the {event.said['what']} in the {event.subject} database, whose schema is older",
    "not-listening": lambda event: f"could not listen on {event.subject}: {event.said['error']}",
}
"""What to say of lines that are no fault where this daemon says them."""


def remarks(events: Sequence[Event], told: Sequence[History]) -> Iterator[tuple[str, str]]:
    """Sentences, each with the place of the first line that it rests on."""
    for each in told:
        for kind, words_of in REMARKS.items():
            by_subject: dict[str, list[Event]] = {}
            for event in each.of(kind):
                if kind not in COMPLAINTS or not is_fault(each, event):
                    by_subject.setdefault(event.subject, []).append(event)
            for those in list(by_subject.values())[:MOST]:
                yield f"{TITLES.get(each.daemon, each.daemon)} {words_of(those[0])}{_times(those)}.", those[0].place
            if (more := len(by_subject) - MOST) > 0:
                words = f"{TITLES.get(each.daemon, each.daemon)} says the same of {more} more"
                yield f"{words}.", list(by_subject.values())[MOST][0].place
    yield from _restarts(events)
    yield from _standby(told)


def _times(those: Sequence[Event]) -> str:
    count = sum(1 + event.repeated for event in those)
    return f" ({count} times from {stamp(those[0].at)} on)" if count > 1 else f" (at {stamp(those[0].at)})"


def _restarts(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """systemd counts the restarts of a unit until it is stopped by hand, or was well for a time."""
    by_unit: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == "unit-restarts":
            by_unit.setdefault(event.subject, []).append(event)
    for unit, those in by_unit.items():
        most = max(those, key=lambda event: event.number("count"))
        words = f"systemd restarted {unit}: its counter was at {most.number('count'):.0f} at {stamp(most.at)}."
        yield words, most.place


def _standby(told: Sequence[History]) -> Iterator[tuple[str, str]]:
    """Of one ovn-northd alone it is not known whether another one, on another host, took the lock."""
    northds = [each for each in told if each.daemon == NORTHD]
    if len(northds) != 1:
        return
    if lost := [event for event in northds[0].of("lock-lost") if not _usual(northds[0], event)]:
        words = f"ovn-northd lost its lock{_times(lost)}: the logs of the other ovn-northd show which one took it."
        yield words, lost[0].place


def _usual(told: History, lost: Event) -> bool:
    """It is paused, or has the lock again after its connection was lost."""
    paused = any(abs(each.at - lost.at) < PAUSED for each in told.of("paused"))
    return paused or any(0 <= each.at - lost.at < LONG for each in told.of("resumed"))
