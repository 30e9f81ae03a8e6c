"""Intervals from what was measured, with the arithmetic. Pure.

    interval = 3 x p99 of the stalls of the daemon asked, rounded up to whole seconds, and no less than the floor

An inactivity probe goes out after an interval of silence, and the connection is dropped after a second one. So a stall
of two intervals drops it for certain, and one of a single interval does if it begins just before the probe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import effect
from ovsnet.tune.knob import Knob, Unit, duration
from ovsnet.tune.stalls import Histogram

TIMES = 3
"""A third of the interval for the usual worst stall leaves two for what was not seen yet."""
SHARE = 0.99
ENOUGH = 600
"""Answers below which a p99 is an accident: ten minutes of one a second."""


@dataclass(frozen=True, slots=True)
class Group:
    """Knobs to set together, and the daemons whose stalls decide; ``least`` is the shortest interval in seconds.

    ``probes`` drop a connection when they are too short; what goes ``along`` with them does not.
    """

    name: str
    probes: tuple[str, ...]
    daemons: tuple[str, ...]
    least: float
    remark: str = ""
    along: tuple[str, ...] = ()


GROUPS = (
    Group(
        "southbound",
        ("ovn-remote-probe-interval", "sb-inactivity-probe", "nb-inactivity-probe", "northd_probe_interval"),
        ("southbound", "ovn-controller"),
        least=5.0,
        remark="Both ends of a connection probe it, so the stalls of both count.",
    ),
    Group(
        "openflow",
        ("ovn-openflow-probe-interval", "ovn-bridge-remote-probe-interval"),
        ("ovs-vswitchd", "ovn-controller"),
        least=10.0,
        remark="On a unix socket 0 is right too: it closes at once, and ovsnet's own echo finds a hung switch.",
        along=("bundle-idle-timeout",),
    ),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a value of a knob would have cost in the observed time: disconnects of a living peer."""

    knob: str
    value: int
    certain: int
    possible: int


@dataclass(frozen=True, slots=True)
class Advice:
    """``values`` are by knob and in its unit; ``arithmetic`` is one line that leads to them. Without enough
    measurements there are none, and ``arithmetic`` says so."""

    group: str
    values: Mapping[str, int]
    arithmetic: str
    now: tuple[Cost, ...]
    then: tuple[Cost, ...]
    remark: str


def advise(
    facts: Facts, stalls: Mapping[str, Histogram], *, every: float, groups: Iterable[Group] = GROUPS
) -> list[Advice]:
    """One advice per group. ``every`` is the time between two questions of the agent, in seconds."""
    return [_advise(facts, group, stalls, every) for group in groups]


def _advise(facts: Facts, group: Group, stalls: Mapping[str, Histogram], every: float) -> Advice:
    measured = {daemon: stalls[daemon] for daemon in group.daemons if daemon in stalls}
    now = tuple(_current_costs(facts, group, measured))
    enough = {daemon: found for daemon, found in measured.items() if found.count >= ENOUGH}
    if not enough:
        counted = ", ".join(f"{found.count} of {daemon}" for daemon, found in measured.items()) or "none"
        why = f"{ENOUGH} answers are needed, and there are {counted}: let the agent run longer."
        return Advice(group.name, {}, why, now, (), group.remark)
    worst = max(enough, key=lambda daemon: enough[daemon].quantile(SHARE, every))
    p99, longest = enough[worst].quantile(SHARE, every), enough[worst].highest
    seconds = math.ceil(max(TIMES * p99, group.least))
    values = {knob.name: _in_unit(knob, seconds) for knob in _settable(facts, (*group.probes, *group.along))}
    arithmetic = (
        f"p99 stall of {worst} {duration(p99)} ({enough[worst].count} answers, longest {duration(longest)})"
        f" x {TIMES} = {duration(TIMES * p99)}, at least {duration(group.least)}: {seconds} s"
    )
    then = tuple(_cost(name, value, seconds, measured) for name, value in values.items())
    return Advice(group.name, values, arithmetic, now, then, group.remark)


def _settable(facts: Facts, names: Iterable[str]) -> Iterator[Knob]:
    """Those that act here, or may."""
    return (KNOBS[name] for name in names if facts.acts(KNOBS[name]) is not False)


def _current_costs(facts: Facts, group: Group, measured: Mapping[str, Histogram]) -> Iterator[Cost]:
    for knob in _settable(facts, group.probes):
        for held in facts.values(knob):
            value = effect(knob, held.text)
            if value:
                yield _cost(knob.name, value, _in_seconds(knob, value), measured)


def _cost(name: str, value: int, seconds: float, measured: Mapping[str, Histogram]) -> Cost:
    certain = sum(found.above(2 * seconds) for found in measured.values())
    possible = sum(found.above(seconds) for found in measured.values())
    return Cost(name, value, certain, possible)


def _in_unit(knob: Knob, seconds: int) -> int:
    return seconds * 1000 if knob.unit is Unit.MILLISECONDS else seconds


def _in_seconds(knob: Knob, value: int) -> float:
    return value / 1000 if knob.unit is Unit.MILLISECONDS else float(value)
