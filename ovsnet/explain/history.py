"""What one daemon's lines say of it, in order of time: its lives, and which peers it lacked when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ovsnet.explain.daemons import NORTHBOUND, SOUTHBOUND, target_of
from ovsnet.explain.event import Event
from ovsnet.explain.host_kinds import ENDS, FROM_OUTSIDE, NO_SIGN, how_it_ended
from ovsnet.explain.kinds import CUT

TOGETHER = 0.05
"""Attempts this close are those of two connections to the same address: ovn-controller holds two in one thread."""
CLUSTERED = (SOUTHBOUND, NORTHBOUND)
SAME_START = 2.0
"""A process says twice that it opened its log, the second time with milliseconds."""
YOUNG = 10
"""The main thread numbers its lines from 1: a log that begins below this begins with the process."""
CAP = 8.0
"""Seconds of the longest backoff, which is not logged (lib/reconnect.h, ``RECONNECT_DEFAULT_MAX_BACKOFF``)."""


class Life(msgspec.Struct):
    """One process. ``began`` is None for one that ran before its log begins; ``ended`` is None while nothing ended it,
    and ``end`` holds the lines on how. ``seen`` is its last sign of life."""

    node: str
    daemon: str
    began: float | None
    first: Event | None = None
    seen: float = 0.0
    ended: float | None = None
    end: list[Event] = msgspec.field(default_factory=list)
    serving: Event | None = None
    listening: Event | None = None

    @property
    def crash(self) -> str:
        """What its monitor or the kernel said of its death, where that was a crash."""
        for event in self.end:
            if event.kind == "died" and event.said.get("then") != "exiting":
                return event.said["how"]
            if event.kind in END and (how := how_it_ended(event.kind, event.said)):
                return how
        return ""

    @property
    def replaced(self) -> Event | None:
        """Its monitor's word that it starts another process in its place."""
        return next((each for each in reversed(self.end) if each.said.get("then") == "restarting"), None)

    @property
    def asked(self) -> bool:
        """Whether it says that it was told to exit."""
        return any(
            event.kind in ("terminating", "exiting", "unit-stopped", "container-killed")
            or event.said.get("then") == "exiting"
            for event in self.end
        )


class Absence(msgspec.Struct):
    """For how long a daemon lacked a connection: from its loss, or from its first attempt, until it was made.

    ``ended`` None: the lines do not say. ``lost`` None: it was never there in this life. ``waits`` are steps of the
    backoff, each with the moment at which it began. ``refusals``: servers that it reached, and did not take.
    """

    node: str
    observer: str
    target: str
    address: str
    thread: str
    began: float
    lost: Event | None = None
    ended: float | None = None
    back: Event | None = None
    attempts: list[float] = msgspec.field(default_factory=list)
    failures: list[Event] = msgspec.field(default_factory=list)
    refusals: list[Event] = msgspec.field(default_factory=list)
    waits: list[tuple[float, float]] = msgspec.field(default_factory=list)
    cut: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it lasted; None where the lines do not say."""
        return None if self.ended is None else self.ended - self.began

    @property
    def last_failure(self) -> float | None:
        """The moment from which the last step of the backoff ran: at the longest step, attempts that fail may leave no
        line (lib/rconn.c, disconnect(); lib/reconnect.c, reconnect_disconnected())."""
        marks = [each.at for each in self.failures] + ([self.lost.at] if self.lost is not None else [])
        last = max((mark for mark in marks if self.ended is None or mark < self.ended), default=None)
        if last is not None and self.ended is not None and self.waits and self.waits[-1][1] >= CAP:
            return max(last, self.ended - CAP)
        return last

    @property
    def carried_over(self) -> float:
        """The first wait, where it is longer than a second right after a loss: the backoff of an earlier loss."""
        if self.lost is None or not self.waits or self.waits[0][0] - self.began > TOGETHER:
            return 0.0
        return self.waits[0][1] if self.waits[0][1] > 1.0 else 0.0


class History(msgspec.Struct):
    """Of one daemon on one node. ``instance`` tells the members of a cluster apart. From ``first`` to ``last`` there
    are lines of its own: what others log of it does not count. ``peers``: when it lacked another member."""

    node: str
    daemon: str
    instance: str
    events: list[Event]
    first: float = 0.0
    last: float = 0.0
    lives: list[Life] = msgspec.field(default_factory=list)
    absences: list[Absence] = msgspec.field(default_factory=list)
    peers: list[Absence] = msgspec.field(default_factory=list)
    _by_kind: dict[str, list[Event]] = msgspec.field(default_factory=dict)

    def of(self, *kinds: str) -> list[Event]:
        """Its events of these kinds, in order of time where it is one."""
        if not self._by_kind:
            for event in self.events:
                self._by_kind.setdefault(event.kind, []).append(event)
        return [event for kind in kinds for event in self._by_kind.get(kind, ())]


def history(
    node: str, daemon: str, instance: str, events: Sequence[Event], span: tuple[float, float] = (0.0, 0.0)
) -> History:
    """The lives and the connections of one daemon; ``span`` is from when to when there are lines of its own."""
    told = History(node, daemon, instance, list(events), *span)
    told.lives = list(_lives(told))
    found = sorted(_absences(told), key=lambda each: each.began)
    told.absences = [each for each in found if each.target != daemon]
    told.peers = [each for each in found if each.target == daemon]
    return told


OF_ITSELF = frozenset(("terminating", "exiting", "died", "aborted"))
END = OF_ITSELF | ENDS
OF_A_LIFE = OF_ITSELF | {"opened", "last-line"}
"""Kinds of lines in which a process begins or ends."""


def _lives(told: History) -> Iterator[Life]:
    life: Life | None = None
    number, since, process = 0, 0.0, ""
    for event in told.events:
        if event.kind in NO_SIGN or event.kind == CUT.name:  # what is missing may be of another log of the stream
            continue
        own = int(event.number("number"))
        another = process not in ("", event.source.process) and event.source.process != ""
        process = event.source.process or process
        opened = event.kind == "opened" and own == 1 and not event.thread
        restarted = opened or another or (not event.thread and 0 < own < min(number, 50) and event.at > since)
        if opened and number == 1 and life is not None and event.at - (life.began or 0.0) < SAME_START:
            life.began = event.at
            continue
        if life is not None and not restarted and not event.thread and own and (died := life.replaced) is not None:
            yield life
            life, number = Life(told.node, told.daemon, died.at, died), own
        elif life is None or restarted:
            if life is not None:
                yield life
            young = opened or (not event.thread and 0 < own < YOUNG)
            life = Life(told.node, told.daemon, event.at if young else None, event if young else None)
        if not event.thread and own > number > 0 and life.ended is not None and _lived_on(life, event):
            life.ended, life.end = None, []
        if not event.thread and own:  # lines of one moment are in no order where they are in several files
            number = own if restarted or event.at > since else max(own, number)
            since = event.at
        _live(life, event)
    if life is not None:
        life.seen = max(life.seen, told.last if not life.end else life.seen)
        yield life


def _lived_on(life: Life, event: Event) -> bool:
    """Whether it logs on, whatever others say: they may mean another process of its unit, container or name."""
    outside = all(each.kind in FROM_OUTSIDE for each in life.end)
    return outside and event.kind not in FROM_OUTSIDE and event.at - (life.ended or 0.0) > SAME_START


def _live(life: Life, event: Event) -> None:
    life.seen = event.at
    if event.kind in END:
        life.end.append(event)
        life.ended = event.at if life.ended is None else life.ended
    elif event.kind == "version" and life.serving is None:
        life.serving = event
    elif event.kind == "listening" and life.listening is None and ".mgmt" in event.said.get("path", ""):
        life.listening = event


def _absences(told: History) -> Iterator[Absence]:
    """Each connection that the daemon makes itself, as a machine of two states. The members of a cluster are one
    target, for a client that loses one goes on to the next; among themselves each has a connection with each other."""
    tracks: dict[tuple[str, str, str], list[Absence]] = {}
    members = {event.subject for event in told.of("connecting")} if told.daemon in CLUSTERED else set()
    for event in told.events:
        if event.kind == "opened" and event.number("number") == 1:
            for last in (track[-1] for track in tracks.values() if track):
                last.cut = last.cut or last.ended is None
            continue
        member = event.subject if event.subject in members else ""
        target = told.daemon if member else target_of(told.daemon, event.subject) if event.subject else ""
        if not target or event.kind not in STEPS or (target == told.daemon and not member):
            continue
        track = tracks.setdefault((event.thread, target, member), [])
        if (absence := _open(told, track, event, target)) is not None:
            _step(absence, event)
    for track in tracks.values():
        yield from track


def _open(told: History, track: list[Absence], event: Event, target: str) -> Absence | None:
    """The absence that ``event`` belongs to, begun by it or open already; None for one that tells of none."""
    last = track[-1] if track else None
    if last is not None and not last.cut:
        if event.kind in REFUSALS and last.ended is not None and event.at - last.ended < SAME_START:
            last.ended = last.back = None
        if last.ended is None and not (event.kind in LOSSES and _again(last, event)):
            return last
        if last.ended is not None and event.kind == "connecting" and event.at - last.ended <= TOGETHER:
            return None
    if event.kind not in (*LOSSES, "connecting", "failed"):
        return None
    begun = Absence(told.node, told.daemon, target, event.subject, event.thread, event.at)
    begun.lost = event if event.kind in LOSSES else None
    track.append(begun)
    return begun


LOSSES = ("closed", "dropped", "gave-up")
REFUSALS = ("stale", "cut-off", "joining", "relay-cut-off", "not-leader", "no-database")
"""A server that was reached, and is not good enough: the client goes on looking (lib/ovsdb-cs.c)."""
STEPS = (*LOSSES, *REFUSALS, "connecting", "connected", "failed", "waiting", "suppressed")


def _again(open_one: Absence, event: Event) -> bool:
    """A loss while it is lost: nobody told that it came back, unless it is the other connection's loss."""
    return event.at - open_one.began > 1.0 and not open_one.failures


def _step(absence: Absence, event: Event) -> None:
    if event.kind == "connected":
        absence.ended, absence.back = event.at, event
    elif event.kind == "connecting":
        if not absence.attempts or event.at - absence.attempts[-1] > TOGETHER:
            absence.attempts.append(event.at)
    elif event.kind == "failed":
        absence.failures.append(event)
    elif event.kind in REFUSALS:
        absence.refusals.append(event)
    elif event.kind in ("waiting", "suppressed") and (not absence.waits or event.at - absence.waits[-1][0] > TOGETHER):
        absence.waits.append((event.at, event.number("seconds") or CAP))
