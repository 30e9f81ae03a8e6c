"""ovsdb-server, and what the Open_vSwitch database says.

What the database holds is read from a monitor, which the server pushes to: no question is asked on the schedule.
"""

from __future__ import annotations

import asyncio
import os.path

from ovsnet.errors import DeadlineExceeded, UnixctlRefused
from ovsnet.health.checks.compaction import compaction_of
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.components import Socket
from ovsnet.node.member_file import lacking
from ovsnet.node.node import Node
from ovsnet.node.storage import Storage, storages
from ovsnet.ovsdb.smap import smap_bool
from ovsnet.texts import size


@check("ovsdb.echo", daemon="ovsdb-server", socket=Socket.DATABASE)
async def echo(node: Node) -> Answer:
    """ovsdb-server answers an echo on the Open_vSwitch database's socket.

    Fails when the server is gone, stopped or wedged. Says nothing of ovs-vswitchd.
    """
    database = await node.ovsdb.session(node.settings.timeout)
    rtt = await database.echo(timeout=node.settings.timeout)
    return ok("ovsdb-server answers.", rtt_seconds=rtt)


@check("ovsdb.accept", daemon="ovsdb-server", socket=Socket.DATABASE, needs=("ovsdb.echo",), every=10, phase=0.5)
async def accept(node: Node) -> Answer:
    """ovsdb-server serves a new connection.

    The held one says nothing of that: it meets neither a full backlog nor a server without descriptors, as
    ``ovs-vsctl`` and every CNI plugin would. A whole visit (an echo, then the close) leaves no line in the server's log
    and costs it half of what a visit to a bridge costs the switch.
    """
    if node.daemons["ovsdb-server"].would_wait:
        # A connection more would only wait in the backlog of a blocked server.
        raise DeadlineExceeded("ovsdb-server owes an answer already.")
    started = node.clock()
    async with await node.visit_database() as database:
        await database.echo(timeout=node.settings.timeout)
    return ok("A new connection is served.", rtt_seconds=node.clock() - started)


@check("ovsdb.bridge", daemon="ovsdb-server", socket=Socket.DATABASE, needs=("ovsdb.echo",), every=10)
async def bridge(node: Node) -> Answer:
    """The watched bridges exist in the database."""
    database = node.ovsdb.held()
    names = database.bridges
    missing = [name for name in node.settings.bridge if name not in names]
    if not missing:
        return ok(f"The database holds {', '.join(node.settings.bridge)}.", bridges=len(names))
    held = ", ".join(sorted(names)) or "no bridge at all"
    return failed(
        "bridge-missing",
        f"The database has no bridge {', '.join(missing)}; it holds {held}.",
        bridges=len(names),
    )


OVN_MARK = "ovn-managed-flow-restore-wait"
"""ovn-controller sets it in external_ids beside a flow-restore-wait of its own (OVN commit 89dbc4084)."""


@check("ovsdb.flow_restore", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("ovsdb.echo",))
async def flow_restore(node: Node) -> Answer:
    """ovs-vswitchd does not wait for flows to be restored.

    ``other_config:flow-restore-wait`` acts on the next start of ovs-vswitchd only (vswitchd/bridge.c,
    ``bridge_run``). Where it does, the switch forwards nothing and runs no revalidator, while everything else looks
    well; ``upcall/show`` shows it.
    """
    database = node.ovsdb.held()
    if not smap_bool(database.other_config, "flow-restore-wait"):
        return ok("flow-restore-wait is not set.")
    control = await node.vswitchd.session(node.settings.timeout)
    try:
        upcalls = await control.call("upcall/show", timeout=node.settings.timeout)
    except UnixctlRefused:  # registered with the first bridge, as is what vswitchd.ofproto asks: that tells why
        return ok("ovs-vswitchd has no bridge yet whose flows it could wait for.")
    if "(keys " in upcalls:
        return ok("flow-restore-wait is set, and not in force: it waits for the next start of ovs-vswitchd.")
    return failed(
        "flow-restore-wait",
        "other_config:flow-restore-wait is true, and ovs-vswitchd runs no revalidators: it forwards nothing.",
        facts={"by_ovn": "itself"} if OVN_MARK in database.external_ids else {},
    )


@check("ovsdb.storage", daemon="ovsdb-server", needs=("ovsdb.echo",), every=10)
async def storage(node: Node) -> Answer:
    """The file system of the Open_vSwitch database takes changes.

    A server on a full or read-only one answers every reader, and refuses every change. Nothing is written.
    """
    return await storage_of(node, "ovsdb-server")


@check("ovsdb.compaction", daemon="ovsdb-server", needs=("ovsdb.echo",), every=20, phase=0.25)
async def compaction(node: Node) -> Answer:
    """The log of the Open_vSwitch database is compacted."""
    return await compaction_of(node, "ovsdb-server", "ovsdb-server")


async def storage_of(node: Node, daemon: str, *, clustered: bool = False, target: str = "") -> Answer:
    """The same of any database server on this host; ``clustered`` is for a member of a cluster, ``target`` what
    ``ovs-appctl -t`` takes for it."""
    process = node.daemons[daemon].process()
    # In a thread: a file system whose server is gone (NFS) answers late.
    found = [] if process is None else await asyncio.to_thread(storages, process.pid)
    if found:
        node.daemons[daemon].databases = tuple(each.path for each in found if each.here)
    answer = judge_storage(found, clustered=clustered, target=target)
    if not clustered or process is None or not found:
        return answer
    file = node.daemons[daemon].member_file
    file.doubted = file.doubted or not found[0].writable
    missing = await asyncio.to_thread(lacking, process.pid, file) if found[0].writable else None
    return answer if missing is None else _incomplete(*missing, target)


def _incomplete(path: str, index: int, target: str) -> Answer:
    return failed(
        "database-incomplete",
        f"{path} lacks change {index} and has later ones: it could not be written when its file system was full. The "
        "server goes on with what it has in memory, and its next start will fail.",
        facts={"file": path, "target": target},
        missing=index,
    )


def judge_storage(found: list[Storage], *, clustered: bool = False, target: str = "") -> Answer:
    """What follows from the databases of one server, the worst of them in front. Pure."""
    if not found:
        return not_used("Its database file cannot be seen from here.")
    worst = found[0]
    if worst.writable:
        return ok(f"{worst.path} has {size(worst.free)} left.", free=worst.free)
    why = "read-only" if worst.read_only else f"full: it has {size(worst.free)} left"
    facts = {"read_only": worst.path}
    if not worst.read_only:
        facts = {
            "member" if clustered else "full": worst.path,
            "free": size(worst.free),
            "directory": os.path.dirname(worst.path),
        }
        facts |= {"target": target} if clustered else {}
    return failed(
        "database-not-writable",
        f"The file system of {worst.path} is {why}. The server refuses every change.",
        facts=facts,
        free=worst.free,
    )
