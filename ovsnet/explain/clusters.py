"""Clusters of databases that had no leader, or one after the other. Pure.

The numbers are those of the live checks (``health.checks.databases``); tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

import msgspec

from ovsnet.explain.daemons import NORTHBOUND, SOUTHBOUND, TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.history import END, History
from ovsnet.explain.loops import crowded
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.explain.view import FAR, View

OWN_CODES = {SOUTHBOUND: "sb", NORTHBOUND: "nb"}
"""How codes begin that are about a server's own cluster, rather than about what its clients lack."""
ELECTION = 10.0
"""Seconds that an election may take: with the timer's default of one second it is over in two."""
SILENT = 150.0
"""Seconds without a line on an election after which there was a leader. A member logs one a minute at least
(ovsdb/raft.c, raft_start_election())."""
FLAPS, WINDOW = 3, 600.0
"""So many new leaders within so many seconds are too many."""

_at = attrgetter("at")


class _Spell(msgspec.Struct):
    """For how long a member tried in vain to find a leader."""

    told: History
    tries: list[Event]
    ended: float | None

    @property
    def began(self) -> float:
        return self.tries[0].at


def clusters(view: View) -> Iterator[Outage]:
    """What was wrong with the clusters of both databases."""
    for daemon, code in OWN_CODES.items():
        members = [each for each in view.all if each.daemon == daemon]
        spells = sorted((spell for told in members for spell in _spells(told)), key=attrgetter("began"))
        yield from (_leaderless(view, f"{code}-leaderless", daemon, group) for group in _together(spells))
        yield from _flapping(view, f"{code}-elections", daemon, members)


def _spells(told: History) -> Iterator[_Spell]:
    """A candidate knows no leader, and says when it finds one (ovsdb/raft.c, raft_update_leader())."""
    tries: list[Event] = []
    for event in sorted(told.of("election", "elected", "led", "opened", *END), key=_at):
        if tries and event.kind == "election" and event.at - tries[-1].last > SILENT:
            yield from _spell(told, tries, tries[-1].last)
            tries = []
        if event.kind == "election":
            tries.append(event)
        elif tries and not (event.kind == "opened" and event.number("number") != 1):
            yield from _spell(told, tries, event.at)
            tries = []
    if tries:
        yield from _spell(told, tries, None if told.last - tries[-1].last <= SILENT else tries[-1].last)


def _spell(told: History, tries: list[Event], ended: float | None) -> Iterator[_Spell]:
    last = told.last if ended is None else ended
    if len(tries) > 1 and last - tries[0].at > ELECTION:
        yield _Spell(told, tries, ended)


def _together(spells: Sequence[_Spell]) -> Iterator[list[_Spell]]:
    """Members that were without a leader at the same time."""
    group: list[_Spell] = []
    until = 0.0
    for spell in spells:
        if group and spell.began > until:
            yield group
            group = []
        group.append(spell)
        until = max(until, FAR if spell.ended is None else spell.ended)
    if group:
        yield group


def _leaderless(view: View, code: str, daemon: str, group: Sequence[_Spell]) -> Outage:
    names = sorted({" on ".join(filter(None, (each.told.instance, each.told.node))) for each in group})
    tries = sum(1 + event.repeated for each in group for event in each.tries)
    ends = [each.ended for each in group if each.ended is not None]
    words = f"{TITLES[daemon]}'s cluster had no leader, and {', '.join(names)} started {tries} elections"
    first, last = group[0].tries[:2], group[-1].tries[-1]
    proof = [*first, *([last] if last not in first else [])]
    return Outage(
        code, view.node, daemon, group[0].began, max(ends) if len(ends) == len(group) else None, words, proof,
        Sure.CERTAIN,
    )  # fmt: skip


def _flapping(view: View, code: str, daemon: str, members: Sequence[History]) -> Iterator[Outage]:
    """Each term has one leader at most: a new term with a leader is a new leader."""
    first: dict[str, Event] = {}
    for event in sorted((each for told in members for each in told.of("elected", "led")), key=_at):
        first.setdefault(event.said["term"], event)
    changes = list(first.values())[1:]
    for run in crowded(changes, _at, FLAPS, WINDOW):
        words = f"the leader of {TITLES[daemon]}'s cluster changed {len(run)} times"
        yield Outage(code, view.node, daemon, run[0].at, run[-1].at, words, [*run[:2], run[-1]], Sure.CERTAIN)
