"""Which lines belong together: the logs of one process through its rotations, and the daemons of one node. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from operator import itemgetter

from msgspec.structs import replace

from ovsnet.explain.daemons import CONTROLLER, OVSDB, VSWITCHD, daemon_by_path, daemon_by_peers, stem
from ovsnet.explain.event import UNKNOWN, Event, Source
from ovsnet.explain.history import OF_A_LIFE, STEPS, History, history
from ovsnet.explain.host_kinds import FROM_OUTSIDE, daemons_of
from ovsnet.explain.kinds import JUMP

LOCAL = (OVSDB, VSWITCHD, CONTROLLER)
"""Of these a node has one each: two that ran at the same time are of two nodes."""
APART = 1.0
"""Seconds for which two logs of one daemon may overlap where it was rotated."""
COPIED = 2.0
"""Seconds by which a line's time in the journal, which may be cut to seconds, differs from its own."""
JUMPS = 3
"""A log whose times go back more often is in no order at all."""
Key = tuple[str, str, str]
"""The node, the daemon, and its instance."""


def histories(events: Sequence[Event], sources: Sequence[Source]) -> list[History]:
    """All daemons of which ``events`` speak, each in order of time."""
    for source in sources:
        if source.daemon in (UNKNOWN, OVSDB):
            source.daemon = daemon_by_path(source.daemon, source.name)
    _guess(events, {source.daemon for source in sources})
    _name_servers(sources)
    own = _straightened(_without_copies(_without_console(_without_lives(events)), sources))
    for number, node in _nodes(sources).items():
        sources[number].node = node
    spans = _spans(sources)
    found: defaultdict[Key, list[Event]] = defaultdict(list, {key: [] for key in spans})
    outside: list[Event] = []
    for event in sorted(own, key=lambda each: (each.at, each.source.name, each.order)):
        if event.kind in FROM_OUTSIDE:
            outside.append(event)
        elif event.source.daemon != UNKNOWN:
            found[_key(event.source)].append(event)
    touched: set[Key] = set()
    for event in outside:
        for daemon in daemons_of(event.subject):
            key = _told_of(found, event, daemon)
            found[key].append(event)
            touched.add(key)
    for key in touched:
        found[key].sort(key=lambda each: each.at)
    return [history(*key, told, spans.get(key, (0.0, 0.0))) for key, told in sorted(found.items(), key=itemgetter(0))]


def guess(events: Sequence[Event]) -> Mapping[int, str]:
    """The daemons of sources that nothing but their peers identifies, by the id of the source: somebody pasted the
    lines on a connection alone."""
    peers: defaultdict[int, set[str]] = defaultdict(set)
    for event in events:
        if event.source.daemon == UNKNOWN and event.kind in STEPS:
            peers[id(event.source)].add(event.subject)
    found = {number: daemon_by_peers(addresses) for number, addresses in peers.items()}
    return {number: daemon for number, daemon in found.items() if daemon != UNKNOWN}


def _guess(events: Sequence[Event], known: Set[str]) -> None:
    """A guess beside a log of the same daemon would make two nodes of one."""
    found = {number: daemon for number, daemon in guess(events).items() if daemon not in known}
    for event in events:
        if event.source.daemon == UNKNOWN and id(event.source) in found:
            event.source.daemon, event.source.guessed = found[id(event.source)], True


def _without_lives(events: Sequence[Event]) -> Sequence[Event]:
    """Of processes whose lines are mixed it cannot be known which began or ended: by the numbers of the lines, and by
    what one says of itself, each would seem to end where another goes on."""
    told = [event for event in events if not (event.source.mixed and event.kind in OF_A_LIFE)]
    return [replace(event, said={**event.said, "number": ""}) if event.source.mixed else event for event in told]


def _without_console(events: Sequence[Event]) -> Sequence[Event]:
    """A container may print its daemon's log file besides what the daemon prints itself, which has no milliseconds
    (include/openvswitch/vlog.h, ``VLOG_DESTINATIONS``): each line counts once."""
    exact = {(*_told_in(event), int(event.at)) for event in events if event.at % 1}
    return [each for each in events if each.at % 1 or (*_told_in(each), int(each.at)) not in exact]


def _told_in(event: Event) -> tuple[int, str, str, str]:
    return id(event.source), event.kind, *_line(event)


def _without_copies(events: Sequence[Event], sources: Sequence[Source]) -> list[Event]:
    """A daemon may log to a file and to syslog, where the journal takes its errors: each line of it counts once."""
    files: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    carried: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        if not event.source.host:
            files[_line(event)].append(event.at)
        elif event.source.daemon != UNKNOWN:
            carried[id(event.source)].append(event)
    since = min((each.first for each in sources if not each.host and each.first is not None), default=0.0)
    until = max((each.last for each in sources if not each.host and each.last is not None), default=0.0)
    dropped: set[int] = set()
    for source in sources:
        own = carried[id(source)]
        copies = {id(event) for event in own if _near(files.get(_line(event), ()), event.at)}
        if 2 * len(copies) > sum(since <= event.at <= until for event in own):
            dropped |= copies
            rest = [event.at for event in own if id(event) not in copies]
            source.first, source.last = min(rest, default=None), max(rest, default=None)
    return [event for event in events if id(event) not in dropped]


def _straightened(events: Sequence[Event]) -> list[Event]:
    """What a daemon logged before its clock went back comes before what it logged after that, as it did."""
    jumps: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind == JUMP.name:
            jumps[id(event.source)].append(event)
    return [_straight(event, jumps.get(id(event.source), ())) for event in events]


def _straight(event: Event, jumps: Sequence[Event]) -> Event:
    late = sum(jump.number("seconds") for jump in jumps if event.order < jump.order)
    return replace(event, at=event.at - late) if late and len(jumps) <= JUMPS else event


def _line(event: Event) -> tuple[str, str]:
    return event.said.get("number", ""), event.text


def _near(times: Sequence[float], at: float) -> bool:
    return any(abs(each - at) < COPIED for each in times)


def _spans(sources: Sequence[Source]) -> dict[Key, tuple[float, float]]:
    """From when to when there are lines of each daemon, of which some files may have none that counts."""
    found: dict[Key, tuple[float, float]] = {}
    for source in sources:
        if source.daemon != UNKNOWN and source.first is not None and source.last is not None:
            first, last = found.get(_key(source), (source.first, source.last))
            found[_key(source)] = min(first, source.first), max(last, source.last)
    return found


def _told_of(found: Mapping[Key, list[Event]], event: Event, daemon: str) -> Key:
    """The daemon that the kernel, systemd or the kubelet speaks of: that of their own host, where several are told
    apart. One that has no line of its own is known by theirs alone."""
    same = [key for key in sorted(found) if key[1] == daemon]
    here = [key for key in same if key[0] in ("", event.source.host)]
    return (here or same or [(event.source.node, daemon, "")])[0]


def _key(source: Source) -> Key:
    return source.node, source.daemon, _instance(source)


def _instance(source: Source) -> str:
    return source.instance if source.host or source.process else stem(source.opened or source.name)


def _name_servers(sources: Sequence[Source]) -> None:
    """Give the servers of one host and one kind that ran side by side an instance each. One process that came after
    another is the same server, started again."""
    kinds: defaultdict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        if source.process and source.first is not None:
            kinds[source.host, source.daemon].append(source)
    for own in kinds.values():
        servers: list[list[Source]] = []
        for source in sorted(own, key=_since):
            free = [each for each in servers if _follows(each[-1], source)]
            if not free:
                servers.append([source])
            else:
                max(free, key=lambda each: each[-1].last or 0.0).append(source)
        units = [server[0].unit for server in servers]
        for server in servers if len(servers) > 1 else ():
            alone = units.count(server[0].unit) == 1  # a unit may run several servers
            for source in server:
                source.instance = server[0].unit if alone and server[0].unit else server[0].process.partition(" ")[0]


def _since(source: Source) -> float:
    return source.first or 0.0


def _follows(before: Source, after: Source) -> bool:
    return before.unit == after.unit and (before.last or 0.0) <= _since(after) + APART


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
    """The sources of a daemon that ran side by side with another of its kind. Members of a cluster on one host log to
    files of different names; those on several hosts do not."""
    found: set[int] = set()
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        if source.daemon != UNKNOWN and source.first is not None:
            groups[source.daemon, "" if source.daemon in LOCAL else _instance(source)].append(number)
    for own in groups.values():
        own.sort(key=lambda number: sources[number].first or 0.0)
        for before, after in pairwise(own):
            if (sources[before].last or 0.0) - (sources[after].first or 0.0) > APART:
                found |= {before, after}
    return sorted(found)
