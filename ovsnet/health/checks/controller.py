"""ovn-controller, asked over its control socket. A node without OVN has none, and lacks nothing."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Hashable, Mapping

from ovsnet.errors import DeadlineExceeded, NotConnectedYet
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import lasting
from ovsnet.health.checks.result import Answer, Status, failed, not_used, ok
from ovsnet.node.addresses import addresses_of, is_local
from ovsnet.node.backoff import next_attempt
from ovsnet.node.chassis import in_force, lacking, split_list, wrong_mapping
from ovsnet.node.components import CONTROLLER, Socket
from ovsnet.node.controller_openflow import bridge_remote, is_connected, openflow_of
from ovsnet.node.daemon_log import last_said
from ovsnet.node.node import Node
from ovsnet.node.own_chassis import bridge_used, chassis_of, chassis_seen
from ovsnet.node.unix_peers import accepted


@check("controller.running", daemon="ovn-controller", socket=Socket.CONTROL)
async def running(node: Node) -> Answer:
    """ovn-controller answers, and is not paused.

    It answers nothing for seconds while it computes (5 s at 3000 ports), which is slow and not hung.
    """
    uses_ovn = await node.uses_ovn()
    if uses_ovn is None:
        raise NotConnectedYet("The database, which says whether this node uses OVN, was never read.")
    if not uses_ovn:
        return not_used("This node has no OVN: no ovn-remote is configured, and no ovn-controller is there.")
    control = await node.controller.session(node.settings.timeout)
    started = node.clock()
    state = (await control.call("debug/status", timeout=node.settings.timeout)).strip()
    if state == "paused":
        return failed("controller-paused", "ovn-controller answers that it is paused.")
    rtt = node.clock() - started
    await control.version(timeout=node.settings.timeout)
    return ok("ovn-controller runs.", rtt_seconds=rtt)


@check("controller.openflow", daemon="ovn-controller", needs=("controller.running", "openflow.echo"))
async def openflow(node: Node) -> Answer:
    """ovn-controller holds an OpenFlow connection to its bridge.

    It has no command that says so. The kernel's table of unix sockets does: somebody besides us is connected there, and
    where ovn-controller's descriptors can be read, whether that is ovn-controller. Where ``ovn-bridge-remote`` leads
    elsewhere, so does the kernel's table of TCP.
    """
    bridge = bridge_used(node)
    if remote := bridge_remote(node.external_ids, _program(node), node.rundir.mgmt(bridge).path):
        return await _connected_at(node, bridge, remote)
    controller, link = node.daemons["ovn-controller"].peer_pid, node.openflow.get(bridge)
    place = bridge, None if link is None else link.lost_at  # where ours broke, everybody's did
    held_ends = node.held_ends[CONTROLLER.daemon]
    if held_ends.keeps_one(controller, place):
        return ok(f"ovn-controller is connected to {bridge}.")
    connected = accepted(node.rundir.mgmt(bridge).path)
    own = node.visits + int(bridge in node.openflow and node.openflow[bridge].current is not None)
    if connected is None or len(connected) < own:
        return Answer(
            Status.UNKNOWN, "unseen", "The table of unix sockets cannot be read, or is not that of the switch."
        )
    known = held_ends.holds_one(controller, connected, place)
    if (barred := _barred(node, bridge)) is not None:
        return barred
    if len(connected) > own and known is not False:
        others = f"{len(connected) - own} connections besides ours exist on {bridge}.mgmt"
        return ok(f"ovn-controller is connected to {bridge}." if known else f"{others}.")
    ends = (node.daemons["ovn-controller"].started_at, None if link is None else link.lost_at)
    since = max((at for at in ends if at is not None), default=node.clock())
    wait = next_attempt(since, node.clock())
    return failed(
        "controller-no-openflow",
        f"ovn-controller is not connected to {bridge}: it sits in its reconnect backoff, "
        f"and will retry by itself in {wait:.1f} s.",
        facts={"retry_seconds": f"{wait:.1f}"},
        retry_seconds=wait,
    )


def _barred(node: Node, bridge: str) -> Answer | None:
    """What is wrong with a bridge that refuses the version which ovn-controller speaks. Each attempt is a connection
    for a moment, so this is asked before the connections are counted."""
    database = node.ovsdb.current
    spoken, allowed = openflow_of(_program(node)), database.protocols.get(bridge) if database is not None else None
    if not allowed or not spoken or spoken in allowed:
        return None
    return failed(
        "openflow-version",
        f"ovn-controller is not connected to {bridge}: it speaks {spoken}, and the bridge allows only "
        f"{', '.join(sorted(allowed))}.",
        facts={"bridge": bridge, "spoken": spoken},
    )


async def _connected_at(node: Node, bridge: str, remote: str) -> Answer:
    pid = node.daemons["ovn-controller"].peer_pid
    connected = None if pid is None else await asyncio.to_thread(is_connected, pid, remote)
    if connected is None:
        return Answer(Status.UNKNOWN, "unseen", f"Whether ovn-controller is connected at {remote} cannot be seen.")
    if connected:
        return ok(f"ovn-controller is connected to {bridge} at {remote}.")
    return failed(
        "controller-no-openflow",
        f"ovn-controller is not connected to {bridge} at {remote}, which external_ids:ovn-bridge-remote names.",
        facts={"bridge": bridge, "remote": remote},
    )


def _program(node: Node) -> str:
    session = node.controller.current
    return "" if session is None else session.program


@check("controller.connection", daemon="ovn-controller", socket=Socket.CONTROL, needs=("controller.running",))
async def connection(node: Node) -> Answer:
    """ovn-controller says that it is connected to the southbound database.

    A hint only: it says "connected" to a stopped server, because connect succeeds there.
    """
    known = await node.read_configuration()
    state = await connection_status(node)
    if state == "connected":
        return ok("ovn-controller is connected to the southbound database.")
    if (refused := await _refused_lately(node)) is not None:
        return failed("stale", f"ovn-controller is {state}, and its log says: {refused}.")
    remote = node.external_ids.get("ovn-remote", "")
    where = f" at {remote}" if remote else ": external_ids:ovn-remote is not set" if known else ""
    return failed("controller-not-connected", f"ovn-controller is {state}: it has no southbound session{where}.")


STALE = "clustered database server has stale data"
"""ovn-controller says so nowhere but in its log (lib/ovsdb-cs.c, ``ovsdb_cs_check_server_db__``)."""

LATELY = 60.0
"""Seconds. It tries again every eight, and says so five times a minute."""


async def _refused_lately(node: Node) -> str | None:
    """What ovn-controller wrote when it refused a server's data for being older than what it has seen."""
    process = node.daemons["ovn-controller"].process()
    said = None if process is None else await asyncio.to_thread(last_said, process.pid, STALE)
    return said[1].rpartition("|")[2] if said is not None and time.time() - said[0] < LATELY else None


async def connection_status(node: Node) -> str:
    """``connected`` or ``not connected``, as ovn-controller says. Raises why it does not answer."""
    control = await node.controller.session(node.settings.timeout)
    return (await control.call("connection-status", timeout=node.settings.timeout)).strip()


@check("controller.chassis", daemon="ovn-controller", needs=("ovsdb.echo",), every=10)
async def chassis(node: Node) -> Answer:
    """ovn-controller has what it needs to register this node as a chassis.

    Without a type or an address for its tunnels it registers none and installs no flow, and only its log says so
    (controller/chassis.c, ``chassis_parse_ovs_config``). A key may carry the chassis' name: ``ovn-encap-ip-NAME``.
    """
    ids = await node.configuration()
    if "ovn-remote" not in ids:
        return not_used("This node has no OVN: no ovn-remote is configured.")
    name = chassis_seen(node)
    missing = [key for key in lacking(ids, name) if key != "system-id" or name == ""]
    if not missing:
        return ok("system-id, tunnel type and tunnel address are set.")
    keys = ", ".join(f"external_ids:{key}" for key in missing)
    return failed("chassis-unconfigured", f"{keys} is not set.", facts={"first": missing[0]})


@check("controller.bridge", daemon="ovn-controller", needs=("ovsdb.echo",), every=10)
async def bridge(node: Node) -> Answer:
    """The bridge that ovn-controller uses is one of those watched.

    It may be named for one chassis alone: ``ovn-bridge-NAME``.
    """
    ids = await node.configuration()
    if "ovn-remote" not in ids:
        return not_used("This node has no OVN: no ovn-remote is configured.")
    used = bridge_used(node)
    if used in node.settings.bridge:
        return ok(f"ovn-controller uses {used}.")
    watched = ", ".join(node.settings.bridge)
    return failed("wrong-bridge", f"ovn-controller uses {used}; {watched} is watched.", facts={"bridge": used})


@check("controller.applied", daemon="ovsdb-server", socket=Socket.DATABASE, needs=("ovsdb.echo",), every=20, phase=0.25)
async def applied(node: Node) -> Answer:
    """ovn-controller says which state of the network this node applied last, and when.

    It writes both on its bridge (controller/ovn-controller.c, ``store_nb_cfg``; the number since OVN 20.12, the time
    since 21.09), so they are known where the southbound is elsewhere, too. An old one is no fault: states are counted
    (``NB_Global.nb_cfg``) only when somebody asks for it. A node whose number stays behind those of others has one.
    """
    await node.configuration()
    bridge = bridge_used(node)
    ids = await node.ovsdb.held().ids_of(bridge, timeout=node.settings.timeout)
    return judge_applied(ids, bridge, now=time.time())


def judge_applied(ids: Mapping[str, str], bridge: str, now: float) -> Answer:
    """What follows from the ``external_ids`` of its bridge at ``now``, in seconds since 1970. Pure."""
    state, written = (ids.get(key, "") for key in ("ovn-nb-cfg", "ovn-nb-cfg-ts"))
    if not _NUMBER.fullmatch(state):
        return not_used(
            f"ovn-controller has written no state on {bridge}: none was counted, or it is older than 20.12."
        )
    if not _NUMBER.fullmatch(written):
        return ok(f"This node has applied state {state}.", applied=int(state))
    age = max(now - int(written) / 1000, 0.0)
    return ok(f"This node has applied state {state}, {age:.0f} s ago.", applied=int(state), age_seconds=age)


_NUMBER = re.compile("[0-9]{1,18}")


ENCAP_IP = "ovn-encap-ip"


@check("controller.encapsulation", daemon="ovn-controller", needs=("ovsdb.echo", "vswitchd.ofproto"), every=10)
async def encapsulation(node: Node) -> Answer:
    """This host has the addresses at which other nodes send their tunnels' traffic.

    Looked for where ovs-vswitchd is, which may be another network namespace than ours.
    """
    ids = await node.configuration()
    key, value = in_force(ids, ENCAP_IP, chassis_of(node)) or (ENCAP_IP, "")
    wanted = split_list(value)
    process = node.daemons["ovs-vswitchd"].process()
    if "ovn-remote" not in ids or not wanted:
        return not_used(f"external_ids:{ENCAP_IP} is not set.")
    if node.settings.encap_behind_nat:
        return not_used(f"external_ids:{ENCAP_IP} is behind a NAT, says the setting encap_behind_nat.")
    readable = process is not None

    async def look() -> Mapping[Hashable, str]:
        nonlocal readable
        found = await asyncio.to_thread(addresses_of, process.pid) if process is not None else None
        readable = found is not None
        return {each: each for each in wanted if found is not None and not is_local(each, found)}

    _, missing = await lasting(node, "addresses", look)
    if not readable:
        return not_used("The addresses of ovs-vswitchd's network namespace cannot be read from here.")
    if not missing:
        return ok("The addresses for tunnels are set on this host.")
    return failed(
        "encap-address-missing",
        f"{', '.join(missing)}, which external_ids:{key} names, is on no interface of this host.",
        facts={"address": missing[0], "key": key},
    )


MAPPINGS = "ovn-bridge-mappings"


@check("controller.mappings", daemon="ovn-controller", needs=("ovsdb.echo",), every=10)
async def mappings(node: Node) -> Answer:
    """The bridges that lead ovn-controller to networks outside are there.

    Where one is missing, or the setting cannot be read, its localnet ports stay without a path, and only
    ovn-controller's log says so.
    """
    ids = await node.configuration()
    found = in_force(ids, MAPPINGS, chassis_of(node))
    if "ovn-remote" not in ids or found is None:
        return not_used(f"external_ids:{MAPPINGS} is not set.")
    key, value = found
    if (wrong := wrong_mapping(value, node.ovsdb.held().bridges)) is None:
        return ok("Every bridge that is mapped to a network exists.")
    return failed(
        "bridge-mapping-wrong",
        f"external_ids:{key} is {value!r}: {wrong.sentence}.",
        facts={"bridge": wrong.bridge} if wrong.bridge else {"key": key},
    )


@check(
    "controller.accept",
    daemon="ovn-controller",
    socket=Socket.CONTROL,
    needs=("controller.running",),
    every=10,
    phase=0.5,
)
async def accept(node: Node) -> Answer:
    """ovn-controller serves a new connection.

    One that has no descriptors left answers on those it holds, and cannot reconnect to its bridge or its database.
    """
    if node.daemons["ovn-controller"].would_wait:
        raise DeadlineExceeded("ovn-controller owes an answer already.")
    started = node.clock()
    async with await node.visit_control("ovn-controller") as control:
        await control.call("version", timeout=node.settings.timeout)
    return ok("A new connection is served.", rtt_seconds=node.clock() - started)
