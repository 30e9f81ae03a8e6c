"""The watched bridges, asked over OpenFlow: the only proof that the switch answers and holds flows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ovsnet import openflow
from ovsnet.errors import DeadlineExceeded, NotConnectedYet
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.refusals import refused_lately
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.backoff import CAP, still_waits
from ovsnet.node.components import VSWITCHD, Socket
from ovsnet.node.database import SECURE
from ovsnet.node.node import Node
from ovsnet.node.own_chassis import bridge_used
from ovsnet.node.unix_peers import accepted

Said = TypeVar("Said")


@check(
    "openflow.echo",
    daemon="ovs-vswitchd",
    socket=Socket.MGMT,
    needs=("ovsdb.echo", "vswitchd.ofproto"),
    phase=1 / 3,
)
async def echo(node: Node) -> Answer:
    """The bridges answer an OpenFlow ECHO_REQUEST on their management sockets.

    A third of an interval after ``vswitchd.ofproto``, and as long before ``openflow.flows``: so that the same main loop
    is asked three times as often at the same cost.
    """
    if (wait := _waits_for_database(node)) is not None:
        # bridge_run returns before it serves OpenFlow (vswitchd/bridge.c): a question would only lie there unread.
        return failed(
            "no-database",
            "ovs-vswitchd lost the database, and serves no OpenFlow until it has it again: it sits in its reconnect "
            f"backoff, and will retry by itself in {wait:.1f} s.",
            facts={"retry_seconds": f"{wait:.1f}"},
            retry_seconds=wait,
        )
    return await _unless_it_waits(node, _echo(node))


async def _echo(node: Node) -> Answer:
    timeout = node.settings.timeout
    rtts = await _each_bridge(node, lambda switch: switch.echo(timeout=timeout))
    return ok(f"{', '.join(rtts)} answers OpenFlow.", rtt_seconds=max(rtts.values()))


async def _unless_it_waits(node: Node, asked: Awaitable[Answer]) -> Answer:
    """The answer, or why the switch keeps silent over OpenFlow alone: its silence would be called slow."""
    try:
        return await asked
    except DeadlineExceeded:
        if not _may_wait_for_database(node):
            raise
        if facts := await refused_lately(node):
            said = f"ovs-vswitchd serves no OpenFlow: its database refuses what it asks ({facts['refused']})."
            return failed("no-database", said, facts=facts)
        return failed(
            "no-database",
            "ovs-vswitchd answers on its control socket and is not connected to the database, without which it serves "
            "no OpenFlow: its reconnect backoff goes on.",
        )


LONGEST_WAIT = 2 * CAP
"""Seconds after the database is back in which ovs-vswitchd may still not have looked: the attempt that found nobody,
and a whole backoff that an earlier loss has left (lib/reconnect.c)."""


def _may_wait_for_database(node: Node) -> bool:
    """Its main loop turns, so it is not slow. Whether it is connected to its database is best seen in the kernel."""
    now = node.clock()
    if now - node.vswitchd.heard_at >= node.settings.timeout + node.settings.interval:
        return False
    connected = _is_at_the_database(node)
    if connected is not None:
        return not connected
    back = _back_at(node)
    spoke = max((at for link in node.openflow.values() for at in (link.heard_at, link.spoke_at)), default=0.0)
    return back is not None and spoke <= back and now - back < LONGEST_WAIT


def _back_at(node: Node) -> float | None:
    """When the database was served again that ovs-vswitchd had lost: seen by us, or before we came; None if neither."""
    lost, opened = node.ovsdb.lost_at, node.ovsdb.opened_at
    if lost is not None and lost < opened:
        return opened
    started, switch = node.daemons["ovsdb-server"].started_at, node.daemons["ovs-vswitchd"].started_at
    return started if lost is None and started is not None and switch is not None and switch < started else None


def _is_at_the_database(node: Node) -> bool | None:
    """Whether the process at ovs-vswitchd's control socket, for that of a bridge may be a stranger's, holds a
    connection to its database; None where that cannot be seen."""
    connected = accepted(node.database.path) if node.database.scheme == "unix" else None
    if not connected or node.vswitchd.current is None:  # without even our own, the table is not that of ovsdb-server
        return None
    return node.held_ends[VSWITCHD.daemon].holds_one(node.vswitchd.current.peer_pid, connected)


def _waits_for_database(node: Node) -> float | None:
    """Seconds until ovs-vswitchd looks for the database again, which was gone for it as for us; None when it may have
    it, as far as we can tell."""
    lost, started = node.ovsdb.lost_at, node.daemons["ovsdb-server"].started_at
    switch = node.daemons["ovs-vswitchd"].started_at
    if lost is None or started is None or switch is None or switch > lost:
        return None
    return still_waits(lost, started, node.ovsdb.opened_at, node.clock())


@check(
    "openflow.flows",
    daemon="ovs-vswitchd",
    socket=Socket.MGMT,
    needs=("ovsdb.bridge", "openflow.echo"),
    phase=2 / 3,
)
async def flows(node: Node) -> Answer:
    """The bridges hold flows.

    Counted from the table statistics: they cost the switch 0.1 ms however many flows there are, an AGGREGATE request
    walks them all. Every other sign of flows (``nb_cfg``, ``ovn-installed``) stays green when they are wiped.
    """
    return await _unless_it_waits(node, _flows(node))


async def _flows(node: Node) -> Answer:
    timeout = node.settings.timeout
    tables = await _each_bridge(node, lambda switch: switch.tables(timeout=timeout))
    counts = {bridge: sum(table.active_count for table in found) for bridge, found in tables.items()}
    empty = [bridge for bridge, count in counts.items() if not count]
    total = sum(counts.values())
    used = bridge_used(node) if "ovn-remote" in node.external_ids else ""
    if counts.get(used) and not any(table.active_count for table in tables[used] if table.table_id > 0):
        return failed(
            "flows-missing",
            f"{used} holds flows in table 0 alone ({counts[used]}): none is ovn-controller's, which uses many tables."
            f"{_floods(node, used)}",
            flows=total,
        )
    if not empty:
        return ok(f"{', '.join(f'{bridge} holds {count} flows' for bridge, count in counts.items())}.", flows=total)
    return failed(
        "flows-missing",
        f"{', '.join(empty)} answers and holds no flow: it forwards nothing.",
        facts={"without_ovn": empty[0]} if await node.uses_ovn() is False else {},
        flows=total,
    )


def _floods(node: Node, bridge: str) -> str:
    """ovs-vswitchd itself puts NORMAL into an empty bridge without a controller (ofproto/connmgr.c,
    ``connmgr_flushed``)."""
    database = node.ovsdb.current
    if database is None or database.fail_modes.get(bridge, SECURE) == SECURE:
        return ""
    return " Its fail_mode is not secure: it floods as a plain switch does."


@check("openflow.accept", daemon="ovs-vswitchd", socket=Socket.MGMT, needs=("openflow.echo",), every=10)
async def accept(node: Node) -> Answer:
    """The bridges serve a new connection.

    The held one says nothing of that: it outlives the removal of its socket, and does not meet a full backlog. A whole
    visit (HELLO both ways, an echo, everything read, then the close) leaves no line in the switch's log and costs it
    50 us.
    """
    if node.daemons["ovs-vswitchd"].would_wait:
        # A connection more would only wait in the backlog of a blocked switch, and be logged when it goes on.
        raise DeadlineExceeded("ovs-vswitchd owes an answer already.")
    return await _unless_it_waits(node, _visits(node))


async def _visits(node: Node) -> Answer:
    started = node.clock()
    for bridge in node.settings.bridge:
        with node.visit():
            async with openflow.connect(node.rundir.mgmt(bridge), timeout=node.settings.timeout) as switch:
                await switch.echo(timeout=node.settings.timeout)
    return ok("A new connection is served.", rtt_seconds=node.clock() - started)


async def _each_bridge(node: Node, ask: Callable[[openflow.Session], Awaitable[Said]]) -> dict[str, Said]:
    """Ask all bridges at once. Raises the error of the first that has one; NotConnectedYet when the database went
    while they were asked, without which the switch serves no OpenFlow: the check of the database will judge."""

    async def one(bridge: str) -> Said:
        try:
            return await ask(await node.openflow[bridge].session(node.settings.timeout))
        except DeadlineExceeded:
            if node.ovsdb.lost_at is None or node.ovsdb.current is not None:
                raise
        raise NotConnectedYet("ovs-vswitchd serves no OpenFlow without its database, which has just been lost.")

    first, *others = node.settings.bridge
    if not others:  # nearly always, and every second: a task would cost as much as the question
        return {first: await one(first)}
    outcomes = await asyncio.gather(one(first), *map(one, others), return_exceptions=True)
    said: dict[str, Said] = {}
    for bridge, outcome in zip((first, *others), outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        said[bridge] = outcome
    return said
