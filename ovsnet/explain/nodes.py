"""Which lines belong together: the logs of one process through its rotations, and the daemons of one node. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ovsnet.explain.daemons import CONTROLLER, OVSDB, VSWITCHD, daemon_by_path, stem
from ovsnet.explain.event import UNKNOWN, Event, Source
from ovsnet.explain.history import History, history
from ovsnet.explain.host_kinds import FROM_OUTSIDE, daemons_of

LOCAL = (OVSDB, VSWITCHD, CONTROLLER)
"""Of these a node has one each: two that ran at the same time are of two nodes."""
APART = 1.0


def histories(events: Sequence[Event], sources: Sequence[Source]) -> list[History]:
    """All daemons of which ``events`` tell, each in order of time."""
    for source in sources:
        if source.daemon in (UNKNOWN, OVSDB):
            source.daemon = daemon_by_path(source.daemon, source.name)
    for number, node in _nodes(sources).items():
        sources[number].node = node
    found: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
    outside: list[Event] = []
    for event in sorted(events, key=lambda each: (each.at, each.source.name, each.order)):
        if event.kind in FROM_OUTSIDE:
            outside.append(event)
        elif event.source.daemon != UNKNOWN:
            found[(event.source.node, event.source.daemon, _instance(event.source))].append(event)
    for event in outside:
        for daemon in daemons_of(event.subject):
            key = _told_of(found, event, daemon)
            found[key].append(event)
            found[key].sort(key=lambda each: each.at)
    return [history(*key, told) for key, told in sorted(found.items())]


def _told_of(found: Mapping[tuple[str, str, str], list[Event]], event: Event, daemon: str) -> tuple[str, str, str]:
    """The daemon that the kernel, systemd or the kubelet speaks of: that of their own host, where several are told
    apart. One that has no line of its own is known by theirs alone."""
    same = [key for key in sorted(found) if key[1] == daemon]
    here = [key for key in same if key[0] in ("", event.source.host)]
    return (here or same or [(event.source.node, daemon, "")])[0]


def _instance(source: Source) -> str:
    return "" if source.host else stem(source.opened or source.name)


def _nodes(sources: Sequence[Source]) -> Mapping[int, str]:
    """A node for each source by its number: its host where several hosts are named, else where its path differs from
    that of the same daemon elsewhere; "" where there is one node only."""
    named = {source.host for source in sources if source.host}
    if len(named) > 1:
        return {number: source.host for number, source in enumerate(sources)}
    paths = [source.name.split("/") for source in sources]
    clash = _clashing(sources)
    if len({tuple(paths[number]) for number in clash}) < 2:
        return dict.fromkeys(range(len(sources)), "")
    together = [paths[number] for number in clash]
    at = next(
        (place for place in range(min(map(len, together))) if len({path[place] for path in together}) > 1),
        min(map(len, together)) - 1,
    )
    common = together[0][:at]
    return {
        number: (stem(path[at]) if len(path) == at + 1 else path[at]) if path[:at] == common and len(path) > at else ""
        for number, path in enumerate(paths)
    }


def _clashing(sources: Sequence[Source]) -> list[int]:
    """The sources of a daemon that ran side by side with another of its kind."""
    found: set[int] = set()
    for daemon in LOCAL:
        own = [number for number, source in enumerate(sources) if source.daemon == daemon and source.first is not None]
        own.sort(key=lambda number: sources[number].first or 0.0)
        for before, after in pairwise(own):
            if (sources[before].last or 0.0) - (sources[after].first or 0.0) > APART:
                found |= {before, after}
    return sorted(found)
