"""Starts: which of a node's daemons started together, how long it took until flows could be installed, and what the
time went to. Pure.

The way to flows is a chain: the database serves, the switch is configured and listens, ovn-controller runs and has the
southbound, its next attempt comes, and it computes. Each link has a moment; the time before it, up to the moment of
the link that came before, is what this link cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from ovsnet.explain.daemons import CONTROLLER, OVSDB, SOUTHBOUND, VSWITCHD
from ovsnet.explain.event import Event
from ovsnet.explain.history import Absence, Life
from ovsnet.explain.verdicts import Part, Start
from ovsnet.explain.view import FAR, LOCAL, View

TOGETHER = 60.0
"""Daemons that start within so many seconds of one that waits for flows are of the same start."""
SHORT = 0.02
"""Seconds that need no explanation of their own."""
WORTH = 0.3
"""Seconds of which it is said how to save them."""
WORTH_ORDER = 2.0
"""Scripts start one daemon after the other, which is not a fault."""
SHORTEST_TURN = 1.0
"""Seconds from which on a daemon logs a turn of its main loop (lib/timeval.c, ``log_poll_interval``)."""
TURNS = 2
"""In so many turns ovn-controller computes before a switch that it met has its flows: once for the new connection, and
again when the switch said which Geneve option is its own (controller/ofctrl.c, ``recv_S_TLV_TABLE_REQUESTED``)."""
NEXT = 1.0
"""A stall that begins so soon after flows could be installed is ovn-controller at work on them."""


class Link(msgspec.Struct, frozen=True):
    """One moment of the chain, and why it was not earlier."""

    at: float
    cause: str
    words: str
    proof: Sequence[Event] = ()


def starts(view: View) -> Iterator[Start]:
    """Every start of the node that its lines show."""
    lives = sorted(
        (life for daemon in LOCAL for life in view.lives(daemon) if life.began is not None),
        key=lambda life: life.began or 0.0,
    )
    group: list[Life] = []
    for life in lives:
        if group and not _belongs(view, group, life):
            yield _start(view, group)
            group = []
        group.append(life)
    if group:
        yield _start(view, group)


def _belongs(view: View, group: Sequence[Life], life: Life) -> bool:
    began = life.began or 0.0
    if any(each.daemon == life.daemon for each in group):
        return False
    end = max((link.at for link in _links(view, group)), default=0.0)
    return began <= end or (_missing(view, group) != "" and began - (group[-1].began or 0.0) < TOGETHER)


class _Group:
    """The lives that started together, by daemon."""

    def __init__(self, group: Sequence[Life]) -> None:
        found = {life.daemon: life for life in group}
        self.database, self.switch, self.controller = (found.get(each) for each in LOCAL)
        self.began = min(life.began or 0.0 for life in group)
        self.latest = max(life.began or 0.0 for life in group)


def _openflow(view: View, group: _Group) -> Absence | None:
    """The absence of ovn-controller's OpenFlow connection that this start ends."""
    since = max((life.began or 0.0 for life in (group.switch, group.controller) if life is not None), default=None)
    if since is None:
        return None
    found = view.lacked(CONTROLLER, VSWITCHD, since)
    return found if found is not None and found.began <= since + TOGETHER else None


def _links(view: View, lives: Sequence[Life]) -> list[Link]:
    """The chain's moments, in order of time."""
    group = _Group(lives)
    found = [*_database(view, group), *_switch(view, group), *_controller(view, group)]
    return sorted(found, key=lambda link: link.at)


def _database(view: View, group: _Group) -> Iterator[Link]:
    if (life := group.database) is not None and life.serving is not None:
        yield Link(life.serving.at, "database", "ovsdb-server loaded its database", (life.serving,))
    since = group.switch.began if group.switch is not None else group.database.began if group.database else None
    if since is None:
        return
    absence = view.lacked(VSWITCHD, OVSDB, since)
    if absence is None or absence.ended is None or absence.back is None or absence.began > since + TOGETHER:
        return
    if group.switch is None or absence.failures:
        proof = (*absence.failures[-1:], absence.back)
        yield Link(absence.ended, "backoff-database", _backoff("ovs-vswitchd", "ovsdb-server", absence), proof)


def _switch(view: View, group: _Group) -> Iterator[Link]:
    if (life := group.switch) is None or life.first is None:
        return
    yield Link(life.began or 0.0, "order", "ovs-vswitchd was not started yet", (life.first,))
    if life.listening is not None:
        words = f"ovs-vswitchd set up its bridges and created {_base(life.listening.said['path'])}"
        yield Link(life.listening.at, "switch", words, (life.listening,))


def _controller(view: View, group: _Group) -> Iterator[Link]:
    if (life := group.controller) is not None and life.first is not None:
        cause, words = "order", "ovn-controller was not started yet"
        if any(group.began + SHORT < each.seen < (life.began or 0.0) for each in view.lives(CONTROLLER)):
            cause, words = (
                "controller-again",
                "ovn-controller exited before it reached br-int.mgmt, and was started again",
            )
        yield Link(life.began or 0.0, cause, words, (life.first,))
    absence = _openflow(view, group)
    if absence is None or absence.ended is None or absence.back is None:
        return
    yield from _southbound(view, absence)
    yield from _socket(view, group, absence)
    cause = "backoff" if absence.failures or absence.lost is not None else "connect"
    words = _backoff("ovn-controller", "br-int.mgmt", absence) if cause == "backoff" else "ovn-controller connected"
    yield Link(absence.ended, cause, words, (*absence.failures[-1:], absence.back))
    yield from _computing(view, absence.ended)


def _socket(view: View, group: _Group, openflow: Absence) -> Iterator[Link]:
    """Until its last attempt that failed, ovn-controller waited for the socket; only then for its backoff. Where the
    switch says when it made the socket, that is the link, unless attempts failed after it."""
    missed = openflow.last_failure
    if not openflow.failures or missed is None:
        return
    error = openflow.failures[-1].said.get("error", "timed out")
    words = f"each attempt on {_base(openflow.address)} failed ({error})"
    made = group.switch.listening if group.switch is not None else None
    if made is None:
        yield Link(missed, "socket", words, _first_and_last(openflow.failures))
    elif again := view.started(VSWITCHD, made.at, openflow.ended or FAR):
        ready = again[-1].listening or again[-1].first
        if ready is not None:
            yield Link(ready.at, "switch-again", "ovs-vswitchd exited in the meantime and was started again", (ready,))
    elif missed - made.at >= WORTH:
        words += ", though ovs-vswitchd had made it"
        yield Link(missed, "socket", words, _first_and_last(openflow.failures))


def _first_and_last(events: Sequence[Event]) -> Sequence[Event]:
    return (*events[:1], *events[1:][-1:])


def _southbound(view: View, openflow: Absence) -> Iterator[Link]:
    """ovn-controller does not even try the switch before it has had the southbound (controller/ovn-controller.c,
    main(): ``ofctrl_run`` runs only then)."""
    tried = openflow.attempts[-1] if openflow.attempts else openflow.began
    if openflow.lost is not None or openflow.failures:
        return
    for absence in view.absences(CONTROLLER, SOUTHBOUND):
        if absence.ended is None or absence.back is None or not absence.failures:
            continue
        if absence.began <= tried and 0 <= tried - absence.ended < NEXT:
            up = view.started(SOUTHBOUND, absence.began, absence.ended)
            if up and up[-1].first is not None:
                words = (
                    "no southbound server was running, and ovn-controller needs one before it connects to the switch"
                )
                yield Link(up[-1].began or 0.0, "southbound", words, (absence.failures[0], up[-1].first))
                words = _backoff("ovn-controller", "the southbound", absence)
                yield Link(absence.ended, "backoff-southbound", words, (absence.failures[-1], absence.back))
            else:
                words = "ovn-controller reached no southbound server, and needs one before it connects to the switch"
                yield Link(absence.ended, "southbound", words, (absence.failures[0], absence.back))


def _computing(view: View, at: float) -> Iterator[Link]:
    end = at
    for told in view.of(CONTROLLER):
        for stall in told.of("stall"):
            seconds = stall.number("ms") / 1000
            if stall.at > end and stall.at - seconds <= end + NEXT:
                end = stall.at
                work = [each for each in told.of("computed") if stall.at - seconds <= each.at <= stall.at + NEXT]
                longest = sorted(work, key=lambda each: each.number("ms"))[-1:]
                words = f"ovn-controller computed for {seconds:.1f} s without a pause"
                yield Link(end, "computing", words, (stall, *longest))


def _backoff(who: str, whom: str, absence: Absence) -> str:
    words = f"{who} was waiting out its reconnect backoff to {whom}"
    step = next((seconds for at, seconds in reversed(absence.waits) if at < (absence.ended or FAR)), 1.0)
    words += f": a step of {step:.3g} s"
    if absence.carried_over:
        words += f", carried over from a loss shortly before (its first step was {absence.carried_over:.3g} s)"
    return words


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _missing(view: View, lives: Sequence[Life]) -> str:
    """What the lines do not show of this start, though they would if it had been."""
    group = _Group(lives)
    if group.switch is not None and group.switch.listening is None and group.switch.serving is None:
        return "ovs-vswitchd never reached its database"
    if group.database is not None and group.switch is None:
        absence = view.lacked(VSWITCHD, OVSDB, group.began)
        if absence is not None and absence.ended is None and absence.began <= group.began + TOGETHER:
            return "ovs-vswitchd did not reconnect to its database"
    if group.controller is not None or (group.switch is not None and view.of(CONTROLLER)):
        absence = _openflow(view, group)
        if absence is not None and absence.ended is None and absence.failures:
            return "ovn-controller never reached br-int.mgmt"
        if group.controller is not None and (absence is None or absence.ended is None):
            southbound = view.lacked(CONTROLLER, SOUTHBOUND, group.controller.began or 0.0)
            if southbound is not None and southbound.ended is None and southbound.failures:
                return "ovn-controller never reached the southbound"
            return "no line shows that ovn-controller reached br-int.mgmt"
    return ""


STAGES = {"database": "database", "switch": "openflow"}


def _start(view: View, lives: Sequence[Life]) -> Start:
    group, links = _Group(lives), _links(view, lives)
    missing = _missing(view, lives)
    parts: list[Part] = []
    at = group.began
    for link in links:
        if link.at - at >= SHORT or (parts and link.cause == parts[-1].cause and link.at > at):
            parts.append(Part(link.cause, at, link.at, link.words, link.proof))
        at = max(at, link.at)
    stages = [(STAGES[link.cause], link.at) for link in links if link.cause in STAGES]
    absence = _openflow(view, group)
    if absence is not None and absence.ended is not None:
        stages.append(("flows", at))
    names = [life.daemon for life in lives]
    ended = None if missing or not links else at
    start = Start(view.node, names, group.began, ended, stages, parts, _why(view, lives), missing=missing)
    if ended is not None and stages[-1:] == [("flows", at)]:
        seen = sum(link.cause == "computing" for link in links)
        start.unseen = SHORTEST_TURN * max(TURNS - seen, 0)
    start.faster = list(_faster(view, start, group))
    return start


def _why(view: View, lives: Sequence[Life]) -> str:
    """Why the first of them started: how the process before it ended."""
    life = lives[0]
    before = view.started(life.daemon, 0.0, math.nextafter(life.began or 0.0, 0.0))
    if not before:
        return "the first start in these lines"
    last = before[-1]
    if last.crash:
        return f"{life.daemon} had died: {last.crash}"
    if last.asked:
        return f"{life.daemon} had been told to exit"
    return f"{life.daemon} had ended without logging why (killed, or its last lines are not here)"


_WHY_NO_SOCKET = {
    False: "ovs-vswitchd had no socket for it yet; the log of ovs-vswitchd shows why.",
    True: "find out what removed the socket that ovs-vswitchd had made, or keeps ovn-controller from it.",
}
"""By whether that log is there, and says that the socket was made."""


def _faster(view: View, start: Start, group: _Group) -> Iterator[str]:
    """What would have saved the parts that are worth it."""
    for cause in dict.fromkeys(part.cause for part in start.parts):
        seconds = sum(part.seconds for part in start.parts if part.cause == cause)
        if seconds < (WORTH_ORDER if cause == "order" else WORTH):
            continue
        if cause == "backoff" and group.controller is not None:
            yield (
                f"{seconds:.1f} s: start ovn-controller after `ovsnet wait --for openflow --create-bridge`, so that "
                "its first attempt meets the socket."
            )
        elif cause in ("backoff", "controller-again"):
            yield (
                f"{seconds:.1f} s: restart ovn-controller once the switch is back (`ovsnet wait --for openflow` "
                "returns then): that resets its backoff."
            )
        elif cause.startswith("backoff"):
            yield f"{seconds:.1f} s: keep the server's restart short: clients double their wait after each failure."
        elif cause == "socket":
            yield f"{seconds:.1f} s: {_WHY_NO_SOCKET[any(life.listening is not None for life in view.lives(VSWITCHD))]}"
        elif cause == "southbound":
            yield f"{seconds:.1f} s: restart neither the switch nor ovn-controller while the southbound is away."
        elif cause == "order":
            yield f"{seconds:.1f} s: start the daemons together; none has to wait for another."
        elif cause == "computing":
            yield (
                f"{seconds:.1f} s: give ovn-controller CPU; `ovn-monitor-all=true` and `ovn-ofctrl-wait-before-clear` "
                "help when ovn-controller restarts (`ovsnet tune advise`)."
            )
        elif cause == "database":
            yield f"{seconds:.1f} s: compact the database (`ovsdb-server/compact`), or give it a faster disk."
