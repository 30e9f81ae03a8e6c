"""What each of OVN's databases is asked, where a server of it runs on this host: the northbound and the southbound
alike, so each check is declared once, and made of both."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial

import msgspec

from ovsnet.errors import NotConnectedYet, PeerError
from ovsnet.health.checks.central import is_here, not_here
from ovsnet.health.checks.clients import clients_of
from ovsnet.health.checks.compaction import compaction_of
from ovsnet.health.checks.declaration import Probe, check
from ovsnet.health.checks.lasting import lasting
from ovsnet.health.checks.ovsdb import storage_of
from ovsnet.health.checks.result import PRECONDITION, Answer, Status, failed, not_used, ok
from ovsnet.node.components import Component, Socket
from ovsnet.node.node import Node
from ovsnet.node.raft import JOINING, MEMBER, STOPPED, Cluster, Peer, parse_cluster
from ovsnet.node.version import parse_version

Question = Callable[[Node, Component], Awaitable[Answer]]


class OfBoth(msgspec.Struct, frozen=True):
    """A check that each of OVN's databases has; ``question`` names the database as ``{database}``."""

    ending: str
    question: str
    ask: Question
    socket: Socket
    every: float
    phase: float


BOTH: list[OfBoth] = []
"""In the order of their declaration, which is that of the docs."""


def of_both(
    ending: str, *, socket: Socket = Socket.NONE, every: float, phase: float = 0.0
) -> Callable[[Question], Question]:
    """Declare a check of both databases, as ``check`` does of one thing. All build on the first one."""

    def add(ask: Question) -> Question:
        question = (ask.__doc__ or "").strip().partition("\n")[0]
        BOTH.append(OfBoth(ending, question, ask, socket, every, phase))
        return ask

    return add


def declare(component: Component) -> None:
    """Those checks of one of the two."""
    first = f"{component.name}.{BOTH[0].ending}"
    for each in BOTH:
        name = f"{component.name}.{each.ending}"
        check(
            name,
            daemon=component.daemon,
            socket=each.socket,
            needs=() if name == first else (first,),
            every=each.every,
            phase=each.phase,
            question=each.question.format(database=component.database),
        )(_of(component, each.ask))


def _of(component: Component, ask: Question) -> Probe:
    async def probe(node: Node) -> Answer:
        return await ask(node, component)

    return probe


@of_both("echo", socket=Socket.DATABASE, every=10)
async def echo(node: Node, component: Component) -> Answer:
    """This host's server of {database} answers an echo."""
    if not is_here(node, component):
        return not_here(component)
    timeout = node.settings.timeout

    async def ask() -> Answer:
        served = await node.served[component.daemon].session(timeout)
        rtt = await served.echo(timeout=timeout)
        if not served.model:
            return failed("database-foreign", f"{served.address} does not serve {component.database}.")
        return ok(f"{component.database} is served at {served.address}.", rtt_seconds=rtt)

    return await judged_once(node, component, ask)


async def judged_once(node: Node, component: Component, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What ``ask`` finds. Of a server that fails and is this node's southbound too, the checks of that tell."""
    try:
        return await ask()
    except NotConnectedYet:
        raise
    except PeerError:
        await node.read_configuration()
        if _is_the_southbound(node, component):
            return Answer(Status.SKIPPED, PRECONDITION, "southbound.echo asks the same server, and judges it.")
        raise


def _is_the_southbound(node: Node, component: Component) -> bool:
    """Whether this node's ovn-controller uses this very server, so that the checks of the southbound ask it already."""
    own = os.path.realpath(node.rundir.ovn / component.sockets[0])
    remotes = node.southbound_remotes if node.asks_southbound else ()
    return any(each.scheme == "unix" and os.path.realpath(each.path) == own for each in remotes)


@of_both("cluster", socket=Socket.CONTROL, every=20, phase=0.5)
async def cluster(node: Node, component: Component) -> Answer:
    """This host's server of {database} is in its cluster, which is whole and keeps its leader.

    An election takes a second or two, and joining seldom more, so only what lasts is reported.
    """
    if not node.served[component.daemon].held().clustered:
        return ok(f"{component.title} is a server of its own, and no member of a cluster.")
    timeout = node.settings.timeout
    seen: list[Cluster] = []

    async def look() -> Mapping[Hashable, Trouble]:
        control = await node.control[component.daemon].session(timeout)
        seen.append(parse_cluster(await control.call("cluster/status", component.database, timeout=timeout)))
        return troubles(seen[-1], component)

    async def ask() -> Answer:
        _, old = await lasting(node, f"{component.name}.cluster", look)
        window = WINDOW * node.settings.broken_after
        changes = node.daemons[component.daemon].elections.look(seen[-1], now=node.clock(), window=window)
        return judge_cluster(seen[-1], old, changes, component)

    return await judged_once(node, component, ask)


@of_both("clients", socket=Socket.CONTROL, every=20, phase=0.75)
async def clients(node: Node, component: Component) -> Answer:
    """Every client of this host's server of {database} takes what it is sent."""
    return await judged_once(node, component, partial(clients_of, node, component))


@of_both("storage", every=20)
async def storage(node: Node, component: Component) -> Answer:
    """The file system of {database} takes changes."""
    clustered = node.served[component.daemon].held().clustered
    return await storage_of(node, component.daemon, clustered=clustered, target=_control_of(node, component))


@of_both("compaction", every=20, phase=0.25)
async def compaction(node: Node, component: Component) -> Answer:
    """The log of {database} is compacted."""
    return await compaction_of(node, component.daemon, _control_of(node, component))


def _control_of(node: Node, component: Component) -> str:
    """What ``ovs-appctl -t`` takes for it."""
    return str(node.rundir.ovn / component.sockets[-1])


FLAPS = 3
"""New leaders within the window: one comes with each upgrade, two with an upgrade that goes wrong."""

WINDOW = 10
"""Of ``broken_after``, the seconds in which leaders are counted."""


class Trouble(msgspec.Struct, frozen=True):
    """What keeps a member from being one: the reason, a sentence, and what the remedy may name."""

    reason: str
    detail: str
    facts: Mapping[str, str]


def troubles(found: Cluster, component: Component) -> dict[Hashable, Trouble]:
    """All that is amiss now, the worst first, by what must stay the same for it to last. Pure."""
    facts = {"database": component.database, "server": found.server}
    if found.status == JOINING:
        at = found.remotes or "the others"
        detail = f"Server {found.server} of {component.database} is still joining its cluster at {at}."
        return {"joining": Trouble(f"{component.name}-joining", detail, {**facts, "remotes": at})}
    if found.status == STOPPED:
        detail = f"Server {found.server} of {component.database} could not write its file, and has left off."
        return {"stopped": Trouble("database-write-failed", detail, {**facts, "stopped": found.server})}
    if found.status != MEMBER:
        detail = f"Server {found.server} of {component.database}: {found.status}; its leader is unknown."
        return {"leaderless": Trouble(f"{component.name}-leaderless", detail, {**facts, "peers": _named(found.away)})}
    return {
        str(peer): Trouble(
            f"{component.name}-member-away",
            f"Server {found.server} of {component.database} {_lacks(peer, found)}.",
            {**facts, "peer": str(peer)},
        )
        for peer in found.away
    }


def _lacks(peer: Peer, found: Cluster) -> str:
    if found.is_silent(peer):
        return f"has heard nothing from {peer} for {peer.heard:.0f} s"
    return f"has no connection {'from' if peer.outgoing else 'to'} {peer}"


def judge_cluster(found: Cluster, old: Sequence[Trouble], changes: int, component: Component) -> Answer:
    """What follows from what lasts, and from how often the leader changed. Pure."""
    numbers = {
        "term": found.term,
        "leader": found.leader == "self",
        "members": len(found.peers) + 1,
        "log_entries": found.entries,
        "uncommitted": found.uncommitted,
        "elections": changes,
    }
    if old:
        first = old[0]
        detail = " ".join(each.detail for each in old)
        return failed(first.reason, detail, facts=first.facts, **numbers)
    if changes >= FLAPS:
        timer = found.election_timer
        facts = {"database": component.database, "timer": str(timer), "doubled": str(2 * timer)}
        detail = f"The leader of {component.database} has changed {changes} times recently; it is now {found.leader}."
        return failed(f"{component.name}-elections", detail, facts=facts, **numbers)
    role = found.role or "member"
    return ok(f"A {role} of {len(found.peers) + 1} members in term {found.term}.", **numbers)


def _named(peers: Sequence[Peer]) -> str:
    return ", ".join(map(str, peers)) or "the others"


def judge_schema(component: Component, found: str, wanted: str, address: str) -> Answer:
    """Compare the version of the schema with the one that ovn-northd was made for. Pure."""
    ours, theirs = parse_version(found), parse_version(wanted)
    if ours is None or theirs is None:
        return not_used("Nobody says which schema is wanted.")
    if ours >= theirs:
        return ok(f"The schema is {found}, and ovn-northd wants {wanted}.")
    return failed(
        "schema-old",
        f"The schema of {component.database} is {found}, and ovn-northd wants {wanted}.",
        facts={"address": address, "wanted": wanted, "file": schema_file(component)},
    )


def schema_file(component: Component) -> str:
    """Its name in OVN's packages."""
    return f"ovn-{component.name}.ovsschema"
