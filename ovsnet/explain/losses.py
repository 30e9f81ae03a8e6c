"""Connections that were lost or refused, as signs of what was wrong at their other end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ovsnet.explain.daemons import OVSDB, TITLES, VSWITCHD, code_of
from ovsnet.explain.event import Event
from ovsnet.explain.history import CAP, Absence, History
from ovsnet.explain.verdicts import Outage, Start, Sure
from ovsnet.explain.view import LOCAL, View

LONG_STALL = 5.0
"""Seconds of a stall that is an outage by itself: as long as OVN's own probes wait (lib/reconnect.h)."""
PATIENCE = 10.0
"""Seconds for which a daemon may find no socket without that being more than a start."""
BETWEEN = 60.0
"""A start of which the end is not told is taken to last so long."""
ABSENT, REFUSED = "No such file or directory", "Connection refused"
FULL = ("Protocol error", "Resource temporarily unavailable")
"""EAGAIN of a full backlog; rconn reports it as EPROTO (lib/vconn.c)."""


def losses(view: View, told: History, starts: Sequence[Start]) -> Iterator[Outage]:
    """Connections that were lost or refused, by the word of who lacked them."""
    for absence in told.absences:
        if absence.lost is not None and absence.lost.kind == "gave-up":
            yield _silent(view, told, absence, absence.lost)
        elif not absence.thread and not absence.cut and (absence.failures or absence.lost is not None):
            yield from _refused(view, absence, starts)


def _silent(view: View, told: History, absence: Absence, lost: Event) -> Outage:
    """No answer to a probe, which is sent after as long a silence: the other end was silent for twice the time."""
    seconds = 2 * lost.number("seconds")
    began, target = lost.at - seconds, absence.target
    covered = view.covers(target, lost.at)
    work = [
        stall
        for each in view.of(target)
        for stall in each.of("stall")
        if stall.at - stall.number("ms") / 1000 <= lost.at <= stall.at + 1.0
    ]
    words = f"{TITLES.get(target, target)} gave {TITLES.get(told.daemon, told.daemon)} no answer for {seconds:g} s"
    verdict = "slow" if work else "hung"
    if not work and covered:
        words += ", and no line of its own says that it was at work"
    return Outage(
        code_of(target, verdict), view.node, target, began, max(lost.at, absence.ended or lost.at), words,
        [lost, *work[:1]], Sure.LIKELY if covered else Sure.POSSIBLE,
        surer="" if work else f"the log of {TITLES.get(target, target)}" if not covered else
        "the host's CPU pressure of that time, or what stopped the process",
    )  # fmt: skip


def _refused(view: View, absence: Absence, starts: Sequence[Start]) -> Iterator[Outage]:
    """Nobody at an address. Where the target's own log tells of a start, that start has the word."""
    target, error = absence.target, _error(absence)
    full = any(each.said.get("error") in FULL for each in absence.failures)
    if full and target in (VSWITCHD, OVSDB):
        code = ("mgmt" if target == VSWITCHD else "ovsdb") + "-backlog-full"
        words = "had more clients waiting than it lets"
    elif not _lasting(view, absence, starts):
        return
    elif error == ABSENT and target == VSWITCHD and view.covers(VSWITCHD, absence.began + 1):
        code, words = "mgmt-socket-missing", "ran, and the name of its management socket led to nothing"
    elif error in (ABSENT, REFUSED):
        code, words = code_of(target, "down"), f"was not to be reached ({error})"
    elif target == OVSDB:
        code, words = "database-unreachable", f"was not to be reached ({error})"
    else:
        code, words = code_of(target, "down"), f"was not to be reached ({error})"
    if not (known := view.covers(target, absence.began)) and absence.waits:
        words += (
            f"; its client's last step of backoff was {absence.waits[-1][1]:.3g} s, so it may have been back before"
        )
    proof = [
        *([absence.lost] if absence.lost else []),
        *absence.failures[:2],
        *([absence.back] if absence.back else []),
    ]
    yield Outage(
        code, view.node, target, absence.began, absence.ended, f"{TITLES.get(target, target)} {words}", proof,
        Sure.LIKELY if known else Sure.POSSIBLE, surer="" if known else f"the log of {TITLES.get(target, target)}",
    )  # fmt: skip


def _error(absence: Absence) -> str:
    return next((each.said.get("error", "timed out") for each in reversed(absence.failures)), "it closed a connection")


def _lasting(view: View, absence: Absence, starts: Sequence[Start]) -> bool:
    """Whether it is more than a start, or than a process that ended and came back, which other rules report."""
    end = absence.ended if absence.ended is not None else view.last
    if not view.covers(absence.target, absence.began):  # nothing else reports it
        lost = absence.lost is not None and (absence.target in LOCAL or absence.failures)
        return bool(lost) or (absence.target not in LOCAL and end - absence.began >= LONG_STALL)
    if view.started(absence.target, absence.began - 1, end):
        return False
    if absence.ended is None:  # at the longest backoff nothing is logged any more (lib/rconn.c, disconnect())
        return end - absence.began >= PATIENCE or any(seconds >= CAP for _, seconds in absence.waits)
    starting = absence.lost is None and any(
        start.began - 1 <= absence.began <= (start.ended or start.began + BETWEEN) for start in starts
    )
    return not starting and end - absence.began >= PATIENCE
