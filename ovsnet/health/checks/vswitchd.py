"""ovs-vswitchd, asked over its control socket."""

from __future__ import annotations

from ovsnet.errors import UnixctlRefused
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.pidfile import read_pidfile
from ovsnet.node.process import pids_named, sample


@check("vswitchd.ofproto", daemon="ovs-vswitchd", socket=Socket.CONTROL)
async def ofproto(node: Node) -> Answer:
    """ovs-vswitchd has built the watched bridges.

    The database may hold a bridge that the switch could not build: a missing kernel module leaves no trace there
    (``Interface.error`` stays empty, ``cur_cfg`` equals ``next_cfg``). ``ofproto/list`` tells.
    """
    control = await node.vswitchd.session(node.settings.timeout)
    started = node.clock()
    try:
        listed = (await control.call("ofproto/list", timeout=node.settings.timeout)).split()
    except UnixctlRefused:
        return _locked_out(node, control.peer_pid)
    rtt = node.clock() - started
    missing = [name for name in node.settings.bridge if name not in listed]
    if not missing:
        return ok(f"ovs-vswitchd serves {', '.join(node.settings.bridge)}.", rtt_seconds=rtt, bridges=len(listed))
    if (database := node.ovsdb.current) is not None and not database.bridges.issuperset(missing):
        return failed("bridge-missing", f"ovs-vswitchd answers; the database has no bridge {', '.join(missing)}.")
    return failed(
        "datapath-missing",
        f"ovs-vswitchd answers, and has not created {', '.join(missing)}.",
        bridges=len(listed),
    )


@check("vswitchd.alone", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("vswitchd.ofproto",))
async def alone(node: Node) -> Answer:
    """No second ovs-vswitchd has taken the run directory over.

    A second one overwrites the pidfile and waits for the database lock, while the first serves on: tools then talk to
    the one that does nothing.
    """
    serving = node.vswitchd.held().peer_pid
    named = read_pidfile(node.rundir.pidfile("ovs-vswitchd"))
    if serving is None or named is None or named == serving:
        return ok("One ovs-vswitchd claims the run directory.")
    other = sample(named, node.clock())
    if other is None or other.name != "ovs-vswitchd" or other.gone:
        return ok(f"Process {serving} serves; the pidfile names {named}, which is no ovs-vswitchd.")
    return failed(
        "second-vswitchd",
        f"Process {serving} serves, and a second ovs-vswitchd, process {named}, waits for its database lock.",
        facts={"second": str(named)},
    )


def _locked_out(node: Node, pid: int | None) -> Answer:
    """The command is registered by the first ``bridge_run`` that holds the database lock (ofproto.c, ``ofproto_init``).

    The lock itself is not asked for: RFC 7047 queues who asks, so that the prober would get it when the holder goes.
    """
    others = [str(other) for other in pids_named("ovs-vswitchd") if other != pid]
    holder = f"process {' or '.join(others)} may hold it" if others else "its holder cannot be seen from here"
    return failed(
        "locked-out",
        f"ovs-vswitchd runs without the database lock and has configured nothing; {holder}.",
        facts={"holder": others[0]} if len(others) == 1 else {},
    )
