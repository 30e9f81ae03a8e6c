"""What is said of ports and tunnels that come and go: a fault once it has lasted, as for the live checks. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ovsnet.explain.daemons import NORTHD
from ovsnet.explain.event import Event
from ovsnet.explain.history import History
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.explain.view import FAR, View

LONG = 60.0
"""Seconds for which a pod's port may be without its device: as ``broken_after`` of the settings."""
PAUSE = 300.0
"""Seconds after which the same name may be that of another device: a machine's, which is started again."""
OFTEN = 3
"""Lines that it takes: two may be of two changes."""
MANY = 100
"""Dead ports that slow a switch down (``health.checks.ports``)."""
NAMED = 3
PAUSED = 2.0
"""Seconds between the two lines of an ovn-northd that is paused, and so gives its lock away."""


class Fault(NamedTuple):
    """Of one subject: from when to when it was said, and with which lines. ``ended`` None: to the end of the log."""

    subject: str
    began: float
    ended: float | None
    proof: Sequence[Event]


def lasting(view: View, told: History) -> Iterator[Outage]:
    """What was said of one thing for longer than a change takes."""
    by_code: dict[str, list[Fault]] = {}
    for code, event in _spoken(told):
        by_code.setdefault(code, []).append(event)
    for code, faults in by_code.items():
        yield _outage(view, told, code, faults)
    yield from _standby(view, told)


def _spoken(told: History) -> Iterator[tuple[str, Fault]]:
    """Each fault that lasted, with its code."""
    for kind in ("no-device", "not-added"):
        for fault in _repeated(told, told.of(kind), PAUSE):
            yield _port_code(fault.proof[0]), fault
    for fault in _repeated(told, told.of("no-bridge"), PAUSE):
        yield "bridge-mapping-wrong", fault
    for fault in _repeated(told, told.of("flow-limit"), LONG):
        yield "flow-limit-reached", fault
    for fault in _paths(told):
        yield "tunnels-down", fault


def _port_code(event: Event) -> str:
    error = event.said["error"]
    if event.kind == "not-added" and error.startswith("Address family not supported"):
        return "tunnels-failed"
    if event.kind == "not-added" and error == "Device or resource busy":
        return "device-taken"
    return "ports-without-device"


def _repeated(told: History, events: Iterable[Event], pause: float) -> Iterator[Fault]:
    """What one process said of one subject again and again, with no pause longer than that, for ``LONG`` at least."""
    begins = sorted(life.began for life in told.lives if life.began is not None)
    groups: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        groups.setdefault((event.subject, bisect_right(begins, event.at)), []).append(event)
    for (subject, number), group in groups.items():
        limit = begins[number] if number < len(begins) else FAR
        run: list[Event] = []
        for event in group:
            if run and event.at - run[-1].last > pause:
                yield from _long(told, subject, run, limit)
                run = []
            run.append(event)
        yield from _long(told, subject, run, limit)


def _long(told: History, subject: str, run: Sequence[Event], limit: float) -> Iterator[Fault]:
    if len(run) >= OFTEN and run[-1].at - run[0].at >= LONG:
        last = run[-1].last if run[-1].last < limit else run[-1].at  # what was only counted may be of the next process
        ended = None if last >= told.last - LONG else last
        yield Fault(subject, run[0].at, ended, (run[0], *run[-1:]) if len(run) > 1 else run)


def _paths(told: History) -> Iterator[Fault]:
    """Tunnels through which BFD found no path, until it found one again or they were deleted."""
    by_subject: dict[str, list[Event]] = {}
    for event in sorted(told.of("path", "tunnel-gone"), key=lambda each: each.at):
        by_subject.setdefault(event.subject, []).append(event)
    for subject, events in by_subject.items():
        for number, event in enumerate(events):
            if (event.said.get("before"), event.said.get("after")) == ("up", "down"):
                back = next(filter(_found, events[number + 1 :]), None)
                if (told.last if back is None else back.at) - event.at >= LONG:
                    yield Fault(
                        subject, event.at, None if back is None else back.at, [event, *([back] if back else [])]
                    )


def _found(event: Event) -> bool:
    """Whether BFD has a path again, or looks for none any more. Between down and up lies ``init``."""
    return event.said.get("before") == "up" or event.said.get("after") not in ("init", "down")


WORDS = {
    "ports-without-device": "ports without a device: {names}",
    "ports-left-behind": "ports without a device: {names}",
    "tunnels-failed": "tunnels that it could not create: {names}",
    "device-taken": "ports whose device belongs to another master: {names}",
    "bridge-mapping-wrong": "networks whose bridge in ovn-bridge-mappings is missing: {names}",
    "tunnels-down": "tunnels through which BFD found no path: {names}",
}


def _outage(view: View, told: History, code: str, faults: Sequence[Fault]) -> Outage:
    first = min(faults, key=lambda each: each.began)
    names = list(dict.fromkeys(each.subject for each in faults))
    if code == "ports-without-device" and len(names) >= MANY:
        code = "ports-left-behind"
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    limit = f" than {number}" if (number := first.proof[0].said.get("limit")) else ""
    words = f"{told.daemon} reports {WORDS[code].format(names=shown)}" if code in WORDS else (
        f"the datapath took no more flows{limit}"
    )  # fmt: skip
    if error := first.proof[0].said.get("error"):
        words += f" ({error})"
    ends = [each.ended for each in faults]
    ended = None if None in ends else max(end for end in ends if end is not None)
    return Outage(code, view.node, told.daemon, first.began, ended, words, first.proof, Sure.CERTAIN)


def _standby(view: View, told: History) -> Iterator[Outage]:
    """A lock that ovn-northd lost, and that none of those whose logs are here took. With one log alone that is usual:
    another host's ovn-northd has it."""
    others = [each for each in view.all if each.daemon == NORTHD]
    if told.daemon != NORTHD or len(others) < 2:
        return
    taken = sorted(event.at for each in others for event in each.of("resumed"))
    for event in told.of("lock-lost"):
        if any(abs(each.at - event.at) < PAUSED for each in told.of("paused")):
            continue
        number = bisect_right(taken, event.at - PAUSED)
        back = taken[number] if number < len(taken) else None
        if (view.last if back is None else back) - event.at >= LONG:
            words = "ovn-northd lost its lock, and no other ovn-northd took it"
            yield Outage("northd-behind", view.node, NORTHD, event.at, back, words, [event], Sure.LIKELY)
