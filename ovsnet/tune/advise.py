"""Probe intervals from the silences that were seen, priced both ways. Pure.

A peer that is silent for an interval is asked whether it lives, and after a second one the connection is dropped (OVS
lib/reconnect.c, ``reconnect_run``). So a silence of two intervals costs the connection for certain, one of a single
interval does if it begins just before the question, and none that is shorter does. An interval as long as the longest
silence makes no false disconnect; a peer that is dead is noticed two intervals after its last word.

What a steady state needs is therefore no ground for an interval: the longest silences are. A day that had none shows
that an interval is long enough for such days, and never that a shorter one is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import effect
from ovsnet.tune.knob import Knob, Unit, duration
from ovsnet.tune.stalls import Histogram

DAY = 86_400.0
"""Seconds to observe before an interval is called long enough: backups, log rotation and compaction come daily."""
WEEK = 7 * DAY
"""What comes once a week, such as a compaction by cron, is in no shorter observation."""
LEAST = 5
"""Seconds. OVN's own default, and the least that is ever advised where nothing is probed."""

Targets = Callable[[Facts], Iterable[str]]


class Probe(msgspec.Struct, frozen=True):
    """A knob that sets how long ``asker`` bears the silence of any of ``peers``. ``targets`` are where it connects, or
    what connects to it, as the databases have them; ``along`` is to be as long. ``unmeasured`` says how to measure."""

    asker: str
    peers: tuple[str, ...]
    knob: str
    targets: Targets
    along: tuple[str, ...] = ()
    unmeasured: str = ""


def _southbounds(facts: Facts) -> Iterable[str]:
    return [each.strip() for each in facts.remote.split(",") if each.strip()]


def _switches(facts: Facts) -> Iterable[str]:
    """``ovn-bridge-remote`` since 24.09; otherwise it is the bridge's own socket (controller/ofctrl.c)."""
    return [facts.external_id("ovn-bridge-remote") or "unix:br-int.mgmt"]


def _clients_of(database: str) -> Targets:
    return lambda facts: [row.label for row in facts.rows(database, "Connection")]


def _databases_of_northd(facts: Facts) -> Iterable[str]:
    """Nowhere but on its command line."""
    return ["northd's remotes"]


PROBES = (
    Probe(
        "ovn-controller",
        ("southbound",),
        "ovn-remote-probe-interval",
        _southbounds,
        unmeasured="The agent asks a southbound on another host only with `southbound = on`.",
    ),
    Probe(
        "ovn-controller",
        ("ovs-vswitchd",),
        "ovn-bridge-remote-probe-interval",
        _switches,
        along=("bundle-idle-timeout",),
    ),
    Probe("ovn-controller", ("ovs-vswitchd",), "ovn-openflow-probe-interval", _switches),
    Probe(
        "the southbound's server",
        ("ovn-controller", "ovn-northd"),
        "sb-inactivity-probe",
        _clients_of("OVN_Southbound"),
    ),
    Probe("the northbound's server", ("ovn-northd",), "nb-inactivity-probe", _clients_of("OVN_Northbound")),
    Probe("ovn-northd", ("ovnnb_db", "ovnsb_db"), "northd_probe_interval", _databases_of_northd),
)


class Price(msgspec.Struct, frozen=True):
    """What an interval, in seconds, would have cost in the observed time: connections of living peers, between those
    that it drops for ``certain`` and those ``possible``; and after how many seconds a dead peer is noticed."""

    interval: float
    certain: int
    possible: int

    @property
    def noticed(self) -> float:
        """Seconds from a dead peer's last word to its disconnect."""
        return 2 * self.interval


class Seen(msgspec.Struct, frozen=True):
    """The silences of one peer: ``longer`` were longer than the present interval, or than LEAST where there is none."""

    peer: str
    answers: int
    observed: float
    longest: float
    longer: int


class Advice(msgspec.Struct, frozen=True):
    """``values`` are by knob and in its unit, None to remove it; empty to leave all as it is. ``why`` says what leads
    to that, in a sentence. ``now``, ``then`` and ``between`` are priced where there is something to price."""

    knob: str
    asker: str
    why: str
    values: Mapping[str, int | None] = msgspec.field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    now: Price | None = None
    then: Price | None = None
    between: Price | None = None


def advise(facts: Facts, stalls: Mapping[str, Mapping[str, Histogram]], *, every: float) -> list[Advice]:
    """One for each knob that acts here. ``stalls`` are by daemon and by address of its server, which is empty for one
    of this host. ``every`` is the time between two questions of the agent, in seconds."""
    found = []
    for probe in PROBES:
        knob = KNOBS[probe.knob]
        assert knob.place is not None
        if facts.knows(knob.place.database) and facts.acts(knob) is not False:
            found.append(_advised(facts, probe, knob, _peers(probe, stalls, every)))
    return found


def _peers(probe: Probe, stalls: Mapping[str, Mapping[str, Histogram]], every: float) -> dict[str, Histogram]:
    """By name. An older agent does not say for how long it observed: a question each ``every`` seconds, and all that
    it waited for."""
    peers = {}
    for daemon in probe.peers:
        for address, found in stalls.get(daemon, {}).items():
            observed = found.observed or found.count * every + found.total
            peers[f"{daemon} at {address}" if address else daemon] = Histogram(
                found.counts, found.total, found.lowest, found.highest, observed
            )
    return peers


def _advised(facts: Facts, probe: Probe, knob: Knob, peers: Mapping[str, Histogram]) -> Advice:
    distant = [each for each in probe.targets(facts) if "unix:" not in each]
    held = _present(facts, knob)
    blank = Advice(knob.name, probe.asker, "")
    if not distant:
        return _without_network(blank, probe, facts, set_to=_is_set(facts, knob))
    peers = {name: found for name, found in peers.items() if " at unix:" not in name}
    if not peers:
        return replace(blank, why=f"No silence of {_either(probe.peers)} was measured. {probe.unmeasured}".rstrip())
    bound = held or LEAST
    seen = tuple(
        Seen(name, found.count, found.observed, found.highest, found.above(bound)) for name, found in peers.items()
    )
    return _weighed(replace(blank, seen=seen, now=_price(held, peers)), probe, facts, peers, held)


def _weighed(advice: Advice, probe: Probe, facts: Facts, peers: Mapping[str, Histogram], held: float) -> Advice:
    slowest = max(peers, key=lambda name: peers[name].highest)
    longest, observed = peers[slowest].highest, min(found.observed for found in peers.values())
    needed = max(math.ceil(longest), LEAST)
    if held and longest <= held:
        return _long_enough(advice, peers, longest, observed, held)
    if not held and observed < DAY:
        return replace(advice, why=f"Nothing is probed, and {_too_little(observed)}")
    count = sum(each.longer for each in advice.seen)
    silences = f"{count} silence{'' if count == 1 else 's'}"
    why = (
        f"{silences} of more than {duration(held)} in {duration(observed)}, the longest of {duration(longest)} "
        f"by {slowest}: an interval as long as that would have cost no connection."
        if held
        else f"Nothing is probed, so a dead peer is never noticed; the longest silence in {duration(observed)} "
        f"was {duration(longest)}."
    )
    if observed < DAY:
        why += f" It is what {duration(observed)} showed, and a day may show longer ones."
    elif observed < WEEK:
        why += " What comes once a week was not seen."
    half = math.ceil(longest / 2)
    return replace(
        advice,
        why=why,
        values=_values(facts, probe, needed),
        then=_price(needed, peers),
        between=_price(half, peers) if held and half > held else None,
    )


def _long_enough(
    advice: Advice, peers: Mapping[str, Histogram], longest: float, observed: float, held: float
) -> Advice:
    """It is never lowered for that: what was not seen is not what cannot be. The price of a shorter one is shown."""
    if observed < DAY:
        return replace(advice, why=f"No silence was longer than {duration(held)}, but {_too_little(observed)}")
    why = f"Keep it: the longest silence in {duration(observed)} was {duration(longest)}."
    needed = max(math.ceil(longest), LEAST)
    if observed < WEEK:
        return replace(advice, why=f"{why} What comes once a week was not seen.")
    return replace(advice, why=why, between=_price(needed, peers) if needed < held else None)


def _too_little(observed: float) -> str:
    return f"{duration(observed)} is too little to go by: let the agent run for a day at least, better for a week."


def _without_network(advice: Advice, probe: Probe, facts: Facts, *, set_to: bool) -> Advice:
    """A unix socket closes when its other end is gone; a probe of it can only drop living peers (c16e5da80)."""
    if not list(probe.targets(facts)):
        return replace(advice, why="Nothing here makes such a connection: there is nothing to probe.")
    why = "It is a unix socket, which closes by itself when its other end is gone: it needs no probe."
    if not set_to:
        return replace(advice, why=f"{why} Leave it unset.")
    return replace(advice, why=why, values={probe.knob: None})


def _values(facts: Facts, probe: Probe, seconds: int) -> dict[str, int | None]:
    names = (probe.knob, *probe.along)
    return {name: _in_unit(KNOBS[name], seconds) for name in names if facts.acts(KNOBS[name]) is not False}


def _present(facts: Facts, knob: Knob) -> float:
    """The shortest that counts somewhere, in seconds; 0 where nothing is probed."""
    found = [
        effect(knob, each.text) or 0
        for each in facts.values(knob)
        if not each.row.on_unix_socket and facts.shadowed(each) is None
    ]
    shortest = min((each for each in found if each), default=0)
    return shortest / 1000 if knob.unit is Unit.MILLISECONDS else float(shortest)


def _is_set(facts: Facts, knob: Knob) -> bool:
    """Whether the value is a number that has the daemon probe."""
    return any(each.text is not None and effect(knob, each.text) for each in facts.values(knob))


def _price(interval: float, peers: Mapping[str, Histogram]) -> Price | None:
    if not interval:
        return None
    certain = sum(found.above(2 * interval) for found in peers.values())
    return Price(float(interval), certain, sum(found.above(interval) for found in peers.values()))


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _in_unit(knob: Knob, seconds: int) -> int:
    return seconds * 1000 if knob.unit is Unit.MILLISECONDS else seconds
