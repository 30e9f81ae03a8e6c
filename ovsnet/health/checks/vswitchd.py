"""ovs-vswitchd, asked over its control socket."""

from __future__ import annotations

import asyncio
import os

from ovsnet import unixctl
from ovsnet.errors import NotConnectedYet, OvsnetError, OwnLimit, UnixctlRefused
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.refusals import refused_lately
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.pidfile import read_pidfile
from ovsnet.node.process import identify, pids_named, runs
from ovsnet.node.unix_sockets import bound_sockets

MADE_WITHIN = 0.3
"""Seconds in which ovs-vswitchd builds a bridge that has just come into the database."""

LOOKS = 6


@check("vswitchd.ofproto", daemon="ovs-vswitchd", socket=Socket.CONTROL)
async def ofproto(node: Node) -> Answer:
    """ovs-vswitchd has built the watched bridges.

    The database may hold a bridge that the switch could not build: a missing kernel module leaves no trace there
    (``Interface.error`` stays empty, ``cur_cfg`` equals ``next_cfg``). ``ofproto/list`` shows it.
    """
    started = node.clock()
    try:
        listed = await _listed(node)
    except UnixctlRefused:
        if not await _prefer_one_that_serves(node):
            return await _unconfigured(node)
        listed = await _listed(node)
    rtt = node.clock() - started
    await node.vswitchd.held().version(timeout=node.settings.timeout)
    if _missing(node, listed):
        listed = await _listed_in_time(node)
    missing = _missing(node, listed)
    if not missing:
        return ok(f"ovs-vswitchd serves {', '.join(node.settings.bridge)}.", rtt_seconds=rtt, bridges=len(listed))
    if (database := node.ovsdb.current) is not None and not database.bridges.issuperset(missing):
        return failed("bridge-missing", f"ovs-vswitchd answers; the database has no bridge {', '.join(missing)}.")
    if not listed and (others := _others(node)):
        return _locked_out(others)
    return failed(
        "datapath-missing",
        f"ovs-vswitchd answers, and {'has not created' if listed else 'serves no bridge, not even'} "
        f"{', '.join(missing)}.",
        facts={} if listed else {"missing": ", ".join(missing)},
        bridges=len(listed),
    )


@check("vswitchd.alone", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("vswitchd.ofproto",), every=5)
async def alone(node: Node) -> Answer:
    """No second ovs-vswitchd has taken the run directory over.

    A second one overwrites the pidfile and waits for the database lock, while the first serves on: tools then talk to
    the one that does nothing.
    """
    serving = node.vswitchd.held().peer_pid
    named = read_pidfile(node.rundir.pidfile("ovs-vswitchd"))
    if serving is None or named is None or named == serving:
        return ok("One ovs-vswitchd claims the run directory.")
    other = identify(named)
    if other is None or other.gone or not runs(other, "ovs-vswitchd"):
        return ok(f"Process {serving} serves; the pidfile names {named}, which is not an ovs-vswitchd.")
    return failed(
        "second-vswitchd",
        f"Process {serving} serves, and a second ovs-vswitchd, process {named}, waits for its database lock.",
        facts={"second": str(named)},
    )


async def _listed(node: Node) -> list[str]:
    control = await node.vswitchd.session(node.settings.timeout)
    return (await control.call("ofproto/list", timeout=node.settings.timeout)).split()


def _missing(node: Node, listed: list[str]) -> list[str]:
    return [name for name in node.settings.bridge if name not in listed]


async def _listed_in_time(node: Node) -> list[str]:
    """What the switch lists once it has had time for what the database holds now."""
    await _catch_up(node)
    listed = await _listed(node)
    for _ in range(LOOKS):
        missing, database = _missing(node, listed), node.ovsdb.current
        if not missing or database is None or not database.bridges.issuperset(missing):
            break
        await asyncio.sleep(MADE_WITHIN / LOOKS)
        listed = await _listed(node)
    return listed


async def _catch_up(node: Node) -> None:
    """Return when the copy of the database is as new as its server: what that pushed comes before its echo. The switch
    may know of a bridge, or of its end, before we do. Raises NotConnectedYet where the server does not answer: what
    bridges there should be, nobody can say then."""
    try:
        database = await node.ovsdb.session(node.settings.timeout)
        await database.echo(timeout=node.settings.timeout)
    except OwnLimit:
        raise
    except OvsnetError as error:
        raise NotConnectedYet(f"Which bridges the database holds cannot be said: {error}") from error


async def _prefer_one_that_serves(node: Node) -> bool:
    """Several processes may have their control sockets here, and the pidfile names the one that came last. True when
    one of them serves bridges: it is the one to ask from now on."""
    for address in node.rundir.control_sockets("ovs-vswitchd"):
        try:
            async with unixctl.connect(address, timeout=node.settings.timeout) as control:
                await control.call("ofproto/list", timeout=node.settings.timeout)
        except OvsnetError:
            continue
        node.ask_control("ovs-vswitchd", address)
        return True
    return False


async def _unconfigured(node: Node) -> Answer:
    """The command is registered by the first ``bridge_run`` that holds the database lock (ofproto.c, ``ofproto_init``).

    The lock itself is not asked for: RFC 7047 (4.1.8) queues a client that asks, so the prober would get it when the
    holder goes.
    """
    try:
        await node.ovsdb.session(node.settings.timeout)
    except OvsnetError:
        return failed("no-database", "ovs-vswitchd has configured nothing: it started without a database.")
    if facts := await refused_lately(node):
        said = f"ovs-vswitchd has configured nothing: its database refuses what it asks ({facts['refused']})."
        return failed("schema-refused", said, facts=facts)
    return _locked_out(_others(node))


def _others(node: Node) -> list[int]:
    """Other ovs-vswitchd processes that may be of this run directory. One that took the database lock makes this one
    take all its bridges down (vswitchd/bridge.c, ``bridge_run``)."""
    pid = node.vswitchd.held().peer_pid
    return [other for other in pids_named("ovs-vswitchd") if other != pid and _may_be_here(node, other)]


def _locked_out(others: list[int]) -> Answer:
    holder = f"process {' or '.join(map(str, others))} may hold it" if others else "its holder cannot be seen from here"
    return failed(
        "locked-out",
        f"ovs-vswitchd runs without the database lock and has configured nothing; {holder}.",
        facts={"holder": str(others[0])} if len(others) == 1 else {},
    )


def _may_be_here(node: Node, pid: int) -> bool:
    """Whether a process has its sockets in this run directory, as far as can be seen. One that has ended by now has
    none anywhere."""
    bound = bound_sockets(pid)
    if bound is None:
        process = identify(pid)
        return process is not None and not process.gone
    here = os.path.realpath(node.rundir.ovs)
    return any(os.path.realpath(os.path.dirname(path)) == here for path in bound)
