"""Connections that were lost or refused, as signs of what was wrong at their other end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ovsnet.explain.daemons import OVSDB, TITLES, VSWITCHD, code_of
from ovsnet.explain.event import Event
from ovsnet.explain.history import CAP, Absence, History, Life
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
BARRED = ("Permission denied", "Operation not permitted")
"""EACCES and EPERM: of a socket, or of a directory on the way to it."""
BARRED_REMEDY = (
    "See who may open {path} (`namei -l {path}`), and have {client} run as a user that may. With the RPM packages "
    "OVS_USER_ID of /etc/sysconfig/openvswitch and OVN_USER_ID of /etc/sysconfig/ovn are to agree."
)
SPENT = "Too many open files"
"""EMFILE, and the beginning of ENFILE."""
IDLE = 0.1
"""A stall of which the daemon spent less than this share on a CPU is none of its own work."""
AWHILE = 1.0
"""Seconds within which two daemons may log what belongs together."""


def losses(view: View, told: History, starts: Sequence[Start]) -> Iterator[Outage]:
    """Connections that were lost or refused, by the log of the daemon that lacked them."""
    for absence in told.absences:
        if absence.lost is not None and absence.lost.kind == "gave-up":
            if not _was_blocked(view, told, absence.lost):
                yield _silent(view, told, absence, absence.lost)
        elif not absence.thread and not absence.cut and (absence.failures or absence.lost is not None):
            yield from _refused(view, absence, starts)


def is_idle(stall: Event) -> bool:
    """Whether a daemon was blocked by something else than its own work; False where the line does not say."""
    return "user" in stall.said and stall.number("user") + stall.number("system") < IDLE * stall.number("ms")


def _was_blocked(view: View, told: History, lost: Event) -> bool:
    """Whether the daemon that gave up had been blocked itself: the answer may lie unread (lib/rconn.c, ``run_IDLE()``,
    looks at the time, and not at what there is to read)."""
    return any(
        0 <= lost.at - stall.at <= AWHILE and stall.number("ms") / 1000 >= LONG_STALL
        for each in view.of(told.daemon)
        for stall in each.of("stall")
        if not stall.thread
    )


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
    words = f"{TITLES.get(target, target)} did not answer {TITLES.get(told.daemon, told.daemon)} for {seconds:g} s"
    verdict = "slow" if work and not all(map(is_idle, work)) else "hung"
    if not work and covered:
        words += ", and nothing in its own log shows that it was busy"
    return Outage(
        code_of(target, verdict), view.node, target, began, max(lost.at, absence.ended or lost.at), words,
        [lost, *work[:1]], Sure.LIKELY if covered else Sure.POSSIBLE,
        surer="" if work else f"the log of {TITLES.get(target, target)}" if not covered else
        "the host's CPU pressure of that time, or what stopped the process",
    )  # fmt: skip


def _refused(view: View, absence: Absence, starts: Sequence[Start]) -> Iterator[Outage]:
    """Nobody at an address. Where the target's own log tells of a start, that start has the word."""
    refusal = _meaning(view, absence)
    if (
        _bridge_failed(view, absence)
        or _tls_failed(view, absence)
        or (refusal.lasting and not _lasting(view, absence, starts))
    ):
        return
    target, words, surer = absence.target, refusal.words, ""
    if refusal.sure is not Sure.CERTAIN and not view.covers(target, absence.began):
        surer = f"the log of {TITLES.get(target, target)}"
        if absence.waits:
            words += f"; its client tried again {_steps(absence)}, so it may have been back before"
    proof = [
        *([absence.lost] if absence.lost else []),
        *(absence.refusals if refusal.passing else absence.failures)[:2],
        *([absence.back] if absence.back else []),
    ]
    yield Outage(
        refusal.code, view.node, refusal.daemon, absence.began, absence.ended, words, proof,
        Sure.POSSIBLE if surer else refusal.sure, surer=surer, remedy=refusal.remedy, passing=refusal.passing,
    )  # fmt: skip


def _bridge_failed(view: View, absence: Absence) -> bool:
    """Whether the switch itself says that it could not make a bridge when its socket vanished: that is the reason."""
    said = (event for each in view.of(VSWITCHD) for event in each.of("no-datapath"))
    return absence.target == VSWITCHD and any(abs(event.at - absence.began) <= AWHILE for event in said)


def _tls_failed(view: View, absence: Absence) -> bool:
    """Whether one of both ends says that TLS failed when the connection was lost: that is the reason."""
    said = (event for end in (absence.observer, absence.target) for each in view.of(end) for event in each.of("tls"))
    return absence.address.startswith("ssl:") and any(abs(event.at - absence.began) <= AWHILE for event in said)


class _Refusal(NamedTuple):
    """What an error says. ``lasting``: a start explains it, and so does one that is over soon. ``passing``: it follows
    from what is wrong with the servers."""

    code: str
    daemon: str
    words: str
    remedy: str = ""
    sure: Sure = Sure.LIKELY
    lasting: bool = True
    passing: bool = False


def _meaning(view: View, absence: Absence) -> _Refusal:
    """A process is down only where its absence was seen: neither an error of the client's own, nor a refusal while its
    log goes on, shows that."""
    if (found := _of_the_client(absence)) is not None:
        return found
    target, error = absence.target, _error(absence)
    title = TITLES.get(target, target)
    if target in (VSWITCHD, OVSDB) and any(each.said.get("error") in FULL for each in absence.failures):
        code = ("mgmt" if target == VSWITCHD else "ovsdb") + "-backlog-full"
        return _Refusal(code, target, f"{title}'s accept queue was full", lasting=False)
    words = f"{title} could not be reached ({error})"
    runs = target in LOCAL and _runs(view, absence)
    if error in (ABSENT, REFUSED) and runs:
        what = "of its management socket " if target == VSWITCHD else f"{absence.address.rpartition('/')[2]} "
        code = "mgmt-socket-missing" if target == VSWITCHD else "socket-missing"
        return _Refusal(code, target, f"{title} was running, but the path {what}led nowhere")
    if target not in LOCAL or error in (ABSENT, REFUSED) or not (absence.failures or runs):
        return _Refusal(code_of(target, "down"), target, words)
    if target == OVSDB:
        return _Refusal("database-unreachable", target, words)
    return _Refusal(code_of(absence.observer, "not-connected"), absence.observer, words)


def _of_the_client(absence: Absence) -> _Refusal | None:
    """Errors that say something of the client alone, and servers that it did not take."""
    observer, error = absence.observer, _error(absence)
    title, client = (TITLES.get(each, each) for each in (absence.target, observer))
    if error.startswith(SPENT):
        words = f"{client} had no file descriptor left to connect to {title} with ({error})"
        return _Refusal("descriptors-exhausted", observer, words, sure=Sure.CERTAIN)
    apart = code_of(observer, "not-connected")
    if error in BARRED and absence.address.startswith("unix:"):
        path = absence.address.removeprefix("unix:")
        words = f"{client} is not allowed to open {path} ({error})"
        return _Refusal(apart, observer, words, BARRED_REMEDY.format(path=path, client=client), Sure.CERTAIN)
    if absence.refusals and not any("error" in each.said for each in absence.failures):
        words = f"{client} reached {title}, but accepted none of its members: {absence.refusals[-1].text}"
        return _Refusal(apart, observer, words, passing=True)
    return None


def _steps(absence: Absence) -> str:
    """The backoff, whose first step has no line of its own (lib/rconn.c, disconnect())."""
    steps = dict.fromkeys(f"{seconds:.3g}" for _, seconds in absence.waits)
    *before, last = ["1", *steps] if next(iter(steps)) == "2" else steps
    return f"after {', '.join(before)} and {last} s" if before else f"after {last} s"


def _error(absence: Absence) -> str:
    return next((each.said.get("error", "timed out") for each in reversed(absence.failures)), "it closed a connection")


def _runs(view: View, absence: Absence) -> bool:
    """Whether the target's own log goes on, and none of its processes ended meanwhile."""
    began, end = absence.began, _end(view, absence)
    if not any(each.first <= began and began + AWHILE < each.last for each in view.of(absence.target)):
        return False
    lives = [*view.started(absence.target, 0.0, began)[-1:], *view.started(absence.target, began, end)]
    return not any(
        began - AWHILE <= at <= end
        for life in lives
        for at in (life.began, life.ended)
        if at is not None and _made(life, absence) is None
    )


def _end(view: View, absence: Absence) -> float:
    return view.last if absence.ended is None else absence.ended


def _made(life: Life, absence: Absence) -> float | None:
    """When the process made the socket in question, where that was before the last attempt that failed."""
    made = life.listening if absence.target == VSWITCHD else life.serving
    if made is None or life.ended is not None or absence.last_failure is None:
        return None
    return made.at if made.at + PATIENCE <= absence.last_failure else None


def _lasting(view: View, absence: Absence, starts: Sequence[Start]) -> bool:
    """Whether it is more than a start, or than a process that ended and came back, which other rules report."""
    began, end, target = absence.began, _end(view, absence), absence.target
    if not view.covers(target, began):  # nothing else reports it
        if target not in LOCAL:
            return bool(absence.lost is not None and absence.failures) or end - began >= LONG_STALL
        long = absence.ended is None or end - began >= LONG_STALL
        return absence.lost is not None or (long and not _starting(absence, starts))
    lives = view.started(target, 0.0, end)
    if lives and _made(lives[-1], absence) is not None:
        return True
    if view.started(target, began - AWHILE, end):
        return False
    if absence.ended is None:  # at the longest backoff nothing is logged any more (lib/rconn.c, disconnect())
        return end - began >= PATIENCE or any(seconds >= CAP for _, seconds in absence.waits)
    return end - began >= PATIENCE and not _starting(absence, [each for each in starts if target in each.daemons])


def _starting(absence: Absence, starts: Sequence[Start]) -> bool:
    """Whether one of ``starts`` explains that it was not there yet."""
    return absence.lost is None and any(
        start.began - 1 <= absence.began <= (start.ended or start.began + BETWEEN) for start in starts
    )
