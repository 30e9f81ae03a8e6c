"""What came again and again is one thing: above all daemons that start and end, as live. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TypeVar

from ovsnet.explain.daemons import TITLES, code_of
from ovsnet.explain.remedies import TOLD
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.explain.view import FAR, LOCAL, View

RESTARTS, WITHIN = 3, 900.0
"""So many restarts within so many seconds are reported: ``restarts`` and ``restarts_within`` of the settings."""
A_DAY, HOUR = 10, 3600.0
"""And so many within a day, however far apart they are: ``restarts_a_day``."""
DOWN = {code_of(daemon, "down"): daemon for daemon in LOCAL}

Item = TypeVar("Item")


def crowded(items: Sequence[Item], at: Callable[[Item], float], least: int, window: float) -> Iterator[Sequence[Item]]:
    """The stretches of ``items`` in which each is one of ``least`` within ``window`` seconds."""
    start = stop = 0
    for number, item in enumerate(items):
        last = bisect_right(items, at(item) + window, key=at)
        if last - number < least:
            continue
        if number >= stop:
            if stop:
                yield items[start:stop]
            start = number
        stop = last
    if stop:
        yield items[start:stop]


def looped(view: View, found: Sequence[Outage]) -> list[Outage]:
    """``found`` with one outage for the ends of a daemon's processes that follow each other too fast."""
    kept = {id(each): each for each in found}
    for code, daemon in DOWN.items():
        own = [each for each in found if each.code == code]
        moments = _restarts(view, daemon) or [each.began for each in own]
        for run in crowded(moments, float, RESTARTS, WITHIN):
            _fold(kept, [each for each in own if each.began <= run[-1] and run[0] <= (each.ended or FAR)], len(run))
    return sorted(kept.values(), key=attrgetter("began"))


def slowly_looped(roots: Sequence[Outage]) -> list[Outage]:
    """``roots`` with one outage for the ends of a daemon's processes that a day has too many of. They are folded after
    their consequences were found: what else was wrong between two of them does not follow from either."""
    kept = {id(each): each for each in roots}
    for code in DOWN:
        own = [each for each in roots if each.code == code]
        for run in crowded(own, attrgetter("began"), A_DAY, 24 * HOUR):
            _fold(kept, run, len(run))
    return sorted(kept.values(), key=attrgetter("began"))


def _restarts(view: View, daemon: str) -> list[float]:
    """When a process of it followed another one, by its own log."""
    return [life.began for life in view.lives(daemon)[1:] if life.began is not None]


def _fold(kept: dict[int, Outage], folded: Sequence[Outage], times: int) -> None:
    for each in folded:
        kept.pop(id(each), None)
    if folded:
        loop = _loop(folded, times)
        kept[id(loop)] = loop


def _loop(folded: Sequence[Outage], times: int) -> Outage:
    first, last = folded[0], folded[-1]
    title, seconds = TITLES[first.daemon], (last.ended or last.began) - first.began
    span = f"{seconds:.0f} s" if seconds < HOUR else f"{seconds / HOUR:.1f} h"
    words = f"{title} ended {times} times within {span}. The last time, {last.words}"
    remedies = {each.remedy for each in folded} - {TOLD, ""}
    return Outage(
        code_of(first.daemon, "restarting"), first.node, first.daemon, first.began, last.ended, words,
        [*first.proof[:2], *last.proof[-2:]], min((each.sure for each in folded), key=list(Sure).index),
        surer=last.surer, remedy=remedies.pop() if len(remedies) == 1 and last.ended is not None else "",
        effects=[effect for each in folded for effect in each.effects],
    )  # fmt: skip
