"""Outages: what was wrong for a time, as roots with what followed from them. Pure.

Each rule of ``signs`` reads one kind of proof. What overlaps in time and concerns one node is then one outage: its
root is what came first, or, of things that came together, what stands first in the causal order of ``health.causes``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from ovsnet.explain.daemons import TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.history import Absence, History
from ovsnet.explain.loops import looped, slowly_looped
from ovsnet.explain.remedies import remedy_of
from ovsnet.explain.signs import signs
from ovsnet.explain.verdicts import Effect, Outage, Start, Sure
from ovsnet.explain.view import FAR, LOCAL, View
from ovsnet.health.causes import codes

AT_ONCE = 2.0
"""Of two things that begin so close to each other, the one that stands further up in the table is the root."""
TAIL = 1.5
"""Seconds by which a consequence may begin before its root is logged, or after it ended."""
BETWEEN = 0.5
"""What begins so long after another thing ended is another outage."""
FOLLOWED = 50
"""As many consequences of one root as are reported."""


def outages(view: View, starts: Sequence[Start]) -> Iterator[Outage]:
    """Every outage of the node, in order of time."""
    found = looped(view, _merged(sorted(signs(view, starts), key=lambda each: each.began)))
    order = {code: number for number, code in enumerate(codes())}
    clusters: list[_Cluster] = []
    for each in found:
        if clusters and clusters[-1].overlaps(each):
            clusters[-1].add(each)
        else:
            clusters.append(_Cluster(each))
    roots = slowly_looped([_rooted(cluster.outages, order) for cluster in clusters])
    for root in roots:
        root.effects.extend(_effects(view, root))
        root.effects.sort(key=lambda each: each.at)
        if (more := len(root.effects) - FOLLOWED) > 0:
            last = root.effects[-1]
            words = f"{more} more things followed, the last of them: {last.words}"
            root.effects[FOLLOWED:] = [Effect(last.at, words, last.proof, last.code)]
        root.remedy = remedy_of(root)
    yield from roots


def _merged(found: Sequence[Outage]) -> list[Outage]:
    """Of the same code and daemon, what follows within a minute is the same outage."""
    kept: list[Outage] = []
    latest: dict[tuple[str, str], Outage] = {}
    for each in found:
        same = latest.get((each.code, each.daemon))
        if same is None or each.began > (FAR if same.ended is None else same.ended) + _pause(each):
            kept.append(each)
            latest[each.code, each.daemon] = each
            continue
        same.ended = None if None in (same.ended, each.ended) else max(same.ended or 0.0, each.ended or 0.0)
        same.proof = (*same.proof[:3], *each.proof[-1:])
        same.sure = min(same.sure, each.sure, key=list(Sure).index)
    return kept


def _pause(each: Outage) -> float:
    return 0.0 if each.code.endswith("-down") else 60.0


class _Cluster:
    """Things of which each later one may follow from an earlier one. What lasts to the end of the lines is no reason
    for all that comes."""

    def __init__(self, first: Outage) -> None:
        self.outages: list[Outage] = []
        self._ended = 0.0
        self._lasting = 0.0
        self.add(first)

    def add(self, each: Outage) -> None:
        self.outages.append(each)
        if each.ended is None:
            self._lasting = max(self._lasting, each.began)
        else:
            self._ended = max(self._ended, each.ended)

    def overlaps(self, each: Outage) -> bool:
        """Whether ``each``, which began later, belongs to them."""
        if each.began <= self._ended + BETWEEN:
            return True
        return self._lasting > 0 and (each.ended is None or each.began - self._lasting < AT_ONCE)


def _rooted(cluster: Sequence[Outage], order: dict[str, int]) -> Outage:
    first = min(each.began for each in cluster)
    early = [each for each in cluster if each.began <= first + AT_ONCE]
    root = min(early, key=lambda each: (each.passing, order.get(each.code, len(order)), each.began))
    for each in cluster:
        if each is not root:
            root.effects.append(Effect(each.began, f"{each.code}: {each.words}", each.proof, each.code))
    if root.ended is not None:
        ends = [each.ended for each in cluster if each.ended is not None]
        root.ended = max([root.ended, *(end for end in ends if len(ends) == len(cluster))])
    return root


def _effects(view: View, root: Outage) -> Iterator[Effect]:
    """Who lost whom meanwhile."""
    end = FAR if root.ended is None else root.ended
    for told in view.all:
        if told.node != view.node and told.daemon in LOCAL:
            continue
        yield from _elections(told, root, end)
        first = bisect_left(told.absences, root.began - TAIL, key=_began)
        for absence in told.absences[first : bisect_right(told.absences, end + TAIL, key=_began)]:
            if absence.thread:
                continue
            if root.daemon not in (absence.target, absence.observer) and not _chained(root, absence):
                continue
            if absence.lost is not None or len(absence.failures) > 1:
                yield Effect(absence.began, _lack(absence), _proof(absence))


def _began(absence: Absence) -> float:
    return absence.began


def _elections(told: History, root: Outage, end: float) -> Iterator[Effect]:
    """The members of a cluster that miss their leader choose another one."""
    won = [event for event in told.of("elected") if root.began <= event.at <= end + TAIL]
    for event in told.of("election"):
        if root.daemon == told.daemon and root.began <= event.at <= end + TAIL and "ms" in event.said:
            silent = event.number("ms") / 1000
            words = f"{told.instance} had not heard of its leader for {silent:.1f} s, and started an election"
            chosen = [each for each in won if 0 <= each.at - event.at < AT_ONCE][:1]
            words += f": it led {chosen[0].at - event.at:.1f} s later" if chosen else ""
            yield Effect(event.at, words, (event, *chosen))


def _chained(root: Outage, absence: Absence) -> bool:
    """Without the database the switch serves no OpenFlow, so its clients may lose it too."""
    return root.daemon == "ovsdb-server" and absence.target == "ovs-vswitchd"


def _lack(absence: Absence) -> str:
    whom = TITLES.get(absence.target, absence.target)
    who = TITLES.get(absence.observer, absence.observer) + (f" on {absence.node}" if absence.node else "")
    words = f"{who} lost {whom}"
    if absence.lost is None:
        words = f"{who} could not reach {whom}"
    elif absence.lost.kind == "gave-up":
        words += f" (it gave up after {absence.lost.number('seconds'):g} s without an answer)"
    elif absence.lost.kind == "closed":
        words += " (the other end closed it)"
    if absence.seconds is None:
        return f"{words}; when it was back is not in these lines"
    return f"{words} for {absence.seconds:.1f} s"


def _proof(absence: Absence) -> tuple[Event, ...]:
    first = absence.lost if absence.lost is not None else absence.failures[0] if absence.failures else None
    return tuple(each for each in (first, absence.back) if each is not None)
