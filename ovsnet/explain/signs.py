"""What shows that something was wrong, one rule for each kind of proof. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from ovsnet.explain.clusters import clusters
from ovsnet.explain.complaints import complaints
from ovsnet.explain.conflicts import conflicts
from ovsnet.explain.daemons import NORTHBOUND, SOUTHBOUND, TITLES, code_of
from ovsnet.explain.event import Event
from ovsnet.explain.history import History, Life
from ovsnet.explain.lasting import lasting
from ovsnet.explain.losses import LONG_STALL, is_idle, losses
from ovsnet.explain.remedies import TOLD
from ovsnet.explain.verdicts import Outage, Start, Sure
from ovsnet.explain.view import FAR, LOCAL, View

QUIESCE = 32.0
"""Seconds that RCU waits for a thread, above which that thread hangs rather than works."""
QUICK = 1.0
"""A process that is followed by another within so many seconds was restarted, and is no reason for a longer outage."""


def signs(view: View, starts: Sequence[Start]) -> Iterator[Outage]:
    """All that was wrong on a node, and in the middle as far as that node goes."""
    for told in view.all:
        if told.node != view.node and told.daemon in LOCAL:
            continue
        yield from _ends(view, told, starts)
        yield from _stalls(view, told)
        yield from _blocked(view, told)
        yield from complaints(view, told)
        yield from lasting(view, told)
        yield from _pauses(view, told)
        yield from losses(view, told, starts)
        yield from conflicts(view, told)
    yield from clusters(view)


def _ends(view: View, told: History, starts: Sequence[Start]) -> Iterator[Outage]:
    """A process that ended, and for how long there was none."""
    for life, following in zip([None, *told.lives], [*told.lives, None], strict=True):
        began = following.began if following is not None else None
        if life is None:
            if following is not None and (found := _before(view, following)) is not None:
                yield _down(view, told, Life(told.node, told.daemon, None), following, found.at, [found], starts)
        elif (
            began is not None
            or life.crash
            or (following is None and life.ended and view.last >= life.ended + LONG_STALL)
        ):
            gone, witness = _gone(view, told, life, began)
            yield _down(view, told, life, following, gone, [*life.end[:2], *witness], starts)


def _down(
    view: View,
    told: History,
    life: Life,
    following: Life | None,
    gone: float,
    proof: Sequence[Event],
    starts: Sequence[Start],
) -> Outage:
    """The time between two processes, and until what the second one needed was there."""
    began = following.began if following is not None else None
    start = _begun(starts, began, told.daemon) if began is not None else None
    end = start.ended if start is not None and start.ended is not None else began
    sure = Sure.CERTAIN if proof and life.seen else Sure.LIKELY
    first = following.first if following is not None else None
    proof = [*proof, *([first] if first is not None and not any(each is first for each in proof) else [])]
    return Outage(
        code_of(told.daemon, "down"), view.node, told.daemon, gone, end, _ended(told, life, gone, began),
        proof, sure, remedy=_after_end(life) if began is not None else "",
        surer="" if life.end else "the journal or the kernel's messages of that moment: they show what ended it",
        passing=began is not None and began - gone < QUICK and not life.crash,
    )  # fmt: skip


def _begun(starts: Sequence[Start], began: float, daemon: str) -> Start | None:
    """The start that begins with this process."""
    number = bisect_left(starts, began, key=lambda each: each.began)
    while number < len(starts) and starts[number].began == began:
        if daemon in starts[number].daemons:
            return starts[number]
        number += 1
    return None


def _before(view: View, life: Life) -> Event | None:
    """The first peer's loss of the process before ``life``, of which no line is left."""
    began = life.began or 0.0
    found = (
        lost
        for absence, lost in view.lost(life.daemon)
        if lost.kind != "gave-up" and absence.began < began <= (absence.ended or FAR)
    )
    return min(found, key=lambda event: event.at, default=None)


def _gone(view: View, told: History, life: Life, until: float | None) -> tuple[float, list[Event]]:
    """When a process ended: as its log says, or when the first of its peers lost it."""
    limit = FAR if until is None else until
    if life.ended is not None and life.ended <= limit:
        return life.ended, []
    since = max(life.seen - 1.0, life.began or 0.0)
    if until is not None and (missed := view.missed(told, until)) is not None and missed.at >= since:
        return missed.at, [missed]
    lost = view.lost(told.daemon)
    number = bisect_left(lost, since, key=lambda each: each[0].began)
    if number < len(lost) and lost[number][0].began <= limit:
        first = lost[number][1]
        return first.at, [first]
    return min(life.seen if life.end else limit, limit), []


def _ended(told: History, life: Life, gone: float, began: float | None) -> str:
    title = _title(told)
    how = f"died: {life.crash}" if life.crash else "was told to exit" if life.asked else "ended without logging why"
    if began is None:
        return f"{title} {how}, and did not start again in these lines"
    return f"{title} {how}, and another process started {max(began - gone, 0.0):.1f} s later"


def _after_end(life: Life) -> str:
    """What to do about a process that ended and was started again."""
    if "pthread_create" in life.crash:
        return (
            "Raise its limits of threads and of locked memory (`TasksMax=`, `LimitMEMLOCK=`, the cgroup's `pids.max`)."
        )
    if "memory" in life.crash:
        return "Raise the memory limit of its cgroup (`MemoryMax=`, or the pod's limit)."
    if life.crash:
        return "Save its core (`coredumpctl list`) and its log for a bug report."
    if life.asked:
        return TOLD
    return "Find out who ended it (`journalctl`, `dmesg`, the pod's events): its own log does not say."


def _title(told: History) -> str:
    title = TITLES.get(told.daemon, told.daemon)
    return f"{title} {told.instance}" if told.daemon in (SOUTHBOUND, NORTHBOUND) and told.instance else title


def _stalls(view: View, told: History) -> Iterator[Outage]:
    """A main loop that reports it was blocked: at work, or without a CPU."""
    for event in told.of("stall"):
        seconds = event.number("ms") / 1000
        if event.thread or seconds < LONG_STALL:
            continue
        busy = (event.number("user") + event.number("system")) / 1000
        idle = is_idle(event)
        words = f"the main loop of {_title(told)} was blocked for {seconds:.1f} s"
        if "user" in event.said:
            words += f", of which it ran {busy:.1f} s on a CPU"
        words += ": it was stopped, starved or waited for a disk" if idle else ""
        yield Outage(
            code_of(told.daemon, "hung" if idle else "slow"), view.node, told.daemon, event.at - seconds, event.at,
            words, [event], Sure.CERTAIN, surer="the host's CPU and I/O pressure of that time" if idle else "",
        )  # fmt: skip
    for event in told.of("quiesce"):
        seconds = event.number("ms") / 1000
        if seconds < LONG_STALL:
            continue
        hung = seconds >= QUIESCE
        yield Outage(
            code_of(told.daemon, "hung" if hung else "slow"), view.node, told.daemon, event.at - seconds, event.at,
            f"{_title(told)} waited {seconds:.0f} s for its thread {event.subject}", [event], Sure.CERTAIN,
        )  # fmt: skip


def _blocked(view: View, told: History) -> Iterator[Outage]:
    """A thread that the kernel saw blocked or spinning: it says so when that has lasted, and again and again."""
    for event in told.of("blocked"):
        seconds = event.number("seconds")
        spins = "lockup" in event.text
        words = f"{_title(told)} {'spun' if spins else 'was blocked'} in the kernel for {seconds:.0f} s or longer"
        if not spins:
            words += ": what it waits for there is a disk, a device or a lock of the kernel's"
        yield Outage(
            code_of(told.daemon, "hung"), view.node, told.daemon, event.at - seconds, event.at, words, [event],
            Sure.CERTAIN, surer="" if spins else "the stack that the kernel logged below",
        )  # fmt: skip


def _pauses(view: View, told: History) -> Iterator[Outage]:
    """ovn-controller and ovn-northd can be paused by their control sockets."""
    resumed = told.of("resumed")
    for event in told.of("paused"):
        back = next((each for each in resumed if each.at > event.at), None)
        other = next((life.began for life in told.lives if (life.began or 0.0) > event.at), None)
        ends = [each for each in (back.at if back else None, other) if each is not None]
        yield Outage(
            code_of(told.daemon, "paused"), view.node, told.daemon, event.at, min(ends, default=None),
            f"{_title(told)} was paused by hand", [event, *([back] if back else [])], Sure.CERTAIN,
        )  # fmt: skip
