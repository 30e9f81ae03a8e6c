"""Knobs that must fit one another. A rule is one function here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, KnobValue
from ovsnet.tune.knob import Knob

Effect = Callable[[Knob, str | None], int | None]
"""What counts for the daemon: see ``ovsnet.tune.lint.effect``."""

FAR_APART = 2
"""By which factor the two ends of a connection may differ in their patience."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """``held`` does not fit another; ``does`` and ``instead`` as in a LintResult."""

    held: KnobValue
    does: str
    instead: str


Rule = Callable[[Facts, Effect], Iterator[Conflict]]


def _acting(facts: Facts, name: str) -> Iterator[KnobValue]:
    """The knob in every row of a database that was asked, where it acts at all."""
    if facts.acts(KNOBS[name]):
        yield from facts.values(KNOBS[name])


def two_ends(server: str, client: str) -> Rule:
    """Both ends of a connection probe it, and the less patient one drops it."""

    def rule(facts: Facts, effect: Effect) -> Iterator[Conflict]:
        for there in _acting(facts, server):
            for here in _acting(facts, client):
                if there.text is None and here.text is None:
                    continue
                at_server, at_client = effect(there.knob, there.text), effect(here.knob, here.text)
                if not at_server or not at_client or there.row.on_unix_socket:
                    continue
                low, high = sorted((at_server, at_client))
                if high <= FAR_APART * low:
                    continue
                loser, other, end = (there, here, "server") if at_server == low else (here, there, "client")
                database = there.knob.place.database if there.knob.place else ""
                yield Conflict(
                    loser,
                    f"The {end} drops the connection to {database} after {2 * low} ms of silence, but {other.place} "
                    f"tolerates {2 * high} ms.",
                    f"{loser.knob.name}={high}, or less for both",
                )

    return rule


def bundle_outlives_probe(facts: Facts, effect: Effect) -> Iterator[Conflict]:
    """A stall that the probe tolerates must not cost ovn-controller its open bundle."""
    for probe in _acting(facts, "ovn-bridge-remote-probe-interval"):
        interval = effect(probe.knob, probe.text)
        for bundle in _acting(facts, "bundle-idle-timeout"):
            idle = effect(bundle.knob, bundle.text)
            if interval and idle is not None and idle * 1000 < interval:
                yield Conflict(
                    bundle,
                    f"The switch discards ovn-controller's idle bundle after {idle} s, but the connection may be "
                    f"silent for {interval // 1000} s before it is probed.",
                    f"bundle-idle-timeout={interval // 1000}",
                )


def probe_outlives_election(facts: Facts, effect: Effect) -> Iterator[Conflict]:
    """A pause that the cluster itself tolerates must not make its clients reconnect."""
    if facts.election_timer is None:
        return
    for probe in _acting(facts, "ovn-remote-probe-interval"):
        interval = effect(probe.knob, probe.text)
        if interval and interval < facts.election_timer:
            yield Conflict(
                probe,
                f"The cluster waits {facts.election_timer} ms for its leader; "
                f"ovn-controller probes after {interval} ms.",
                f"ovn-remote-probe-interval={facts.election_timer}",
            )


RULES: tuple[Rule, ...] = (
    two_ends("sb-inactivity-probe", "ovn-remote-probe-interval"),
    two_ends("sb-inactivity-probe", "northd_probe_interval"),
    two_ends("nb-inactivity-probe", "northd_probe_interval"),
    bundle_outlives_probe,
    probe_outlives_election,
)
