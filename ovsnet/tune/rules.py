"""Knobs that must fit one another. A rule is one function here. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, KnobValue
from ovsnet.tune.knob import Knob

Effect = Callable[[Knob, str | None], int | None]
"""What counts for the daemon: see ``ovsnet.tune.lint.effect``."""

FAR_APART = 2
"""By which factor the two ends of a connection may differ in their patience."""


class Conflict(msgspec.Struct, frozen=True):
    """``held`` does not fit another; ``does`` and ``instead`` as in a LintResult."""

    held: KnobValue
    does: str
    instead: str


Rule = Callable[[Facts, Effect], Iterator[Conflict]]


def _acting(facts: Facts, name: str) -> Iterator[KnobValue]:
    """The knob in every row of a database that was asked, where it acts at all."""
    if facts.acts(KNOBS[name]):
        yield from facts.values(KNOBS[name])


def server_outlasts_client(facts: Facts, effect: Effect) -> Iterator[Conflict]:
    """Both ends of a connection probe it, each for itself (openvswitch/ovs-issues #320).

    A client that is less patient than its server is common and sound: it looks for another server. A server that is
    less patient drops the client in a pause that the client would have been forgiven. That counts only for the
    listener that ovn-controller really uses; which one northd uses no database says.
    """
    for there in _acting(facts, "sb-inactivity-probe"):
        if not any(reaches(remote, there.row.label) for remote in facts.remote.split(",")):
            continue
        for here in _acting(facts, "ovn-remote-probe-interval"):
            if (there.text is None and here.text is None) or facts.shadowed(here):
                continue
            at_server, at_client = effect(there.knob, there.text), effect(here.knob, here.text)
            if at_server and at_client and FAR_APART * at_server < at_client:
                yield Conflict(
                    there,
                    f"The server drops ovn-controller after {2 * at_server} ms of silence, but {here.place} has "
                    f"ovn-controller tolerate {2 * at_client} ms.",
                    f"{there.knob.name}={at_client}, or less for both",
                )


_REMOTE = re.compile(r"\s*(tcp|ssl):(\[[^\]]+\]|[^:]+):(\d+)\s*")
_LISTENER = re.compile(r"p(tcp|ssl):(\d+)(?::(.+))?")


def reaches(remote: str, listener: str) -> bool:
    """Whether ``tcp:IP:PORT`` can be a connection to ``ptcp:PORT[:IP]``."""
    there, here = _REMOTE.fullmatch(remote), _LISTENER.fullmatch(listener.strip())
    if there is None or here is None or (there[1], there[3]) != (here[1], here[2]):
        return False
    return here[3] in (None, "0.0.0.0", "[::]", "::", there[2])


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


def probe_outlives_election(name: str) -> Rule:
    """A pause that the cluster itself tolerates must not make its clients reconnect."""

    def rule(facts: Facts, effect: Effect) -> Iterator[Conflict]:
        knob = KNOBS[name]
        if facts.election_timer is None or (knob.reader == "ovn-controller" and not facts.remote_is_distant):
            return
        for probe in _acting(facts, name):
            interval = effect(probe.knob, probe.text)
            if interval and interval < facts.election_timer and not facts.shadowed(probe):
                yield Conflict(
                    probe,
                    f"The cluster waits {facts.election_timer} ms for its leader; "
                    f"{knob.reader} probes after {interval} ms.",
                    f"{name}={facts.election_timer}",
                )

    return rule


RULES: tuple[Rule, ...] = (
    server_outlasts_client,
    bundle_outlives_probe,
    probe_outlives_election("ovn-remote-probe-interval"),
    probe_outlives_election("northd_probe_interval"),
)
