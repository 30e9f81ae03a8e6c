"""The southbound database, where asking it is wanted. It never makes a node unready: flows that are in forward
without it."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Hashable, Mapping

from msgspec.structs import replace

from ovsnet.errors import AddressError, DeadlineExceeded, OvsnetError
from ovsnet.health.checks.controller import connection_status
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import behind_for, lasting
from ovsnet.health.checks.ovsdb import storage_of
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.chassis import in_force, split_list
from ovsnet.node.components import SOUTHBOUND, Socket
from ovsnet.node.node import Node
from ovsnet.node.own_chassis import chassis_of, chassis_seen
from ovsnet.node.registration import Conflict, Ours, Registered, conflicts
from ovsnet.node.southbound import ELSEWHERE, Southbound, remotes_in_force
from ovsnet.ovsdb.smap import smap_bool


@check("southbound.echo", daemon="southbound", socket=Socket.DATABASE, needs=("ovsdb.echo",))
async def echo(node: Node) -> Answer:
    """The southbound server that ``ovn-remote`` names answers an echo."""
    remote = (await node.configuration()).get("ovn-remote", "")
    try:
        remotes_in_force(remote)
    except AddressError as error:
        return failed("no-address", f"external_ids:ovn-remote is {remote!r}. {error}")
    if not remote or not node.asks_southbound:
        return not_used(
            "The southbound is not asked: it is not on this host, or there is none. See the setting southbound."
        )
    timeout = node.settings.timeout
    southbound = await node.southbound.session(timeout)
    try:
        rtt = await southbound.echo(timeout=timeout)
    except DeadlineExceeded:
        if time.monotonic() - southbound.heard_at > ELSEWHERE * node.settings.hung_after:
            _leave(node, southbound)
        raise
    return ok(f"The southbound at {southbound.address} answers.", rtt_seconds=rtt)


def _leave(node: Node, southbound: Southbound) -> bool:
    """Have the next to ask go to another server that ``ovn-remote`` names, if there is one, as ovn-controller does."""
    if leaves := node.remotes.leave(southbound.address, node.clock()):
        node.southbound.redirect()
    return leaves


@check("southbound.fresh", daemon="southbound", socket=Socket.DATABASE, needs=("southbound.echo",), every=5)
async def fresh(node: Node) -> Answer:
    """The server is in touch with its cluster or its source, and its data did not go back in time.

    Of several that ``ovn-remote`` names it is one that is, if there is one. A clustered server that was restored from
    an old copy answers everything, and ovn-controller refuses it, because its log index is lower than one it has seen
    (ovsdb-cs.c, ``ovsdb_cs_check_server_db__``).
    """
    southbound = node.southbound.held()
    if not southbound.in_touch and _leave(node, southbound):
        southbound = await node.southbound.session(node.settings.timeout)
    server = southbound.server
    if server is None:
        return failed("no-southbound", f"{southbound.address} does not serve the southbound database.")
    if server.relay and not server.in_touch:
        facts = {"address": str(southbound.address)}
        return failed("relay-cut-off", f"The relay at {southbound.address} has lost its source.", facts=facts)
    if not server.in_touch:
        return failed("stale", f"{southbound.address} has lost its cluster: what it says is old.")
    if not server.clustered:
        return ok("A relay in touch with its source." if server.relay else "A standalone server has the only copy.")
    index = await southbound.log_index(timeout=node.settings.timeout)
    seen = node.indexes.newest(server.cluster, index)
    if index < seen and await _controller_accepts_it(node):
        node.indexes.forget(server.cluster)
    elif index < seen:
        return failed(
            "stale",
            f"{southbound.address} is at log index {index}, and {seen} was seen before: it went back in time.",
        )
    return ok(f"A {'leader' if server.leader else 'follower'} in touch with its cluster.", index=index)


@check("southbound.storage", daemon="southbound", needs=("southbound.echo",), every=10)
async def storage(node: Node) -> Answer:
    """The file system of a southbound database on this host takes changes."""
    server = node.southbound.held().server
    target = str(node.rundir.ovn / SOUTHBOUND.sockets[-1])
    return await storage_of(node, "southbound", clustered=server is not None and server.clustered, target=target)


async def _controller_accepts_it(node: Node) -> bool:
    """It was restarted since, or told to take the old data (``sb-cluster-state-reset``)."""
    try:
        return await connection_status(node) == "connected"
    except OvsnetError:
        return False


BETWEEN_LOOKS = 0.02
"""Seconds. Two ovn-controllers on one row write it each millisecond or two."""

FIRST_LOOK = 0.1
"""Seconds, of an observer that just came."""


@check(
    "southbound.chassis",
    daemon="southbound",
    socket=Socket.DATABASE,
    needs=("southbound.echo", "controller.chassis"),
    every=10,
)
async def chassis(node: Node) -> Answer:
    """No other node is registered with this node's chassis name or tunnel address.

    A cloned machine has both (ovn-org/ovn-kubernetes#70). Reads the rows of this chassis; while nobody writes them, one
    question is asked. Of an address that another chassis has, ovn-controller 26.03 dies (an assertion in
    ``ovsdb_idl_txn_write__``), so it is looked for without it, too.
    """
    ids, southbound = await node.configuration(), node.southbound.held()
    ours = _ours(node, ids)

    async def look() -> Mapping[Hashable, Conflict]:
        found = conflicts(ours, await looks(southbound, ours, node.settings.timeout))
        return found if "name" not in found or await _renews_its_row(node) else {}

    _, found = await lasting(node, "chassis", look)
    if not found:
        return ok(f"No other node is known as {ours.name}, or has its tunnel address.")
    first = found[0]
    if first.address:
        first = replace(first, host=await southbound.hostname_of(first.chassis, timeout=node.settings.timeout))
        if _is_this_host(node, first.host):
            if chassis_seen(node) is not None:
                return left_behind(first, ours.name)
            if not southbound.registered.version:
                return not_used(f"Chassis {first.chassis} has this node's tunnel address and may be this node's own.")
    return conflict_told(first)


def _is_this_host(node: Node, host: str) -> bool:
    """Whether a chassis of that host is of ours: what ovn-controller writes is ``hostname`` or the kernel's name."""
    named = {value for key, value in node.external_ids.items() if key.partition("-")[0] == "hostname"}
    return host in {*named, os.uname().nodename}


def _ours(node: Node, ids: Mapping[str, str]) -> Ours:
    name = chassis_of(node)
    _, addresses = in_force(ids, "ovn-encap-ip", name) or ("", "")
    _, hostname = in_force(ids, "hostname", name) or ("", "")
    return Ours(name, hostname, frozenset(split_list(addresses)))


async def _renews_its_row(node: Node) -> bool:
    """Whether ovn-controller is at work and connected: else the row may only say what was configured before."""
    try:
        control = await node.controller.session(node.settings.timeout)
        paused = (await control.call("debug/status", timeout=node.settings.timeout)).strip() == "paused"
    except OvsnetError:
        return False
    return not paused and await _controller_accepts_it(node)


async def looks(southbound: Southbound, ours: Ours, patience: float) -> list[Registered]:
    """One look while nobody writes the row; else as many as fit into ``patience`` seconds: on a busy host two writers
    may pause. An observer that just came cannot know whether anybody writes it, and looks for a moment."""
    before, loop = southbound.registered.version, asyncio.get_running_loop()
    seen = [await southbound.read_registered(ours.name, ours.addresses, timeout=patience)]
    began, written = loop.time(), bool(before)
    while seen[0].version != before and loop.time() - began < (patience if written else FIRST_LOOK):
        await asyncio.sleep(BETWEEN_LOOKS)
        seen.append(await southbound.read_registered(ours.name, ours.addresses, timeout=patience))
        written = written or seen[-1].version != seen[-2].version
    return seen


def conflict_told(conflict: Conflict) -> Answer:
    """What to say of it. Pure."""
    other = conflict.host or "a host without a name"
    if conflict.address:
        return failed(
            "chassis-conflict",
            f"Chassis {conflict.chassis} on {other} is registered with {conflict.address}, this node's tunnel address.",
            facts={"holder": conflict.chassis, "address": conflict.address},
        )
    at = f" with {', '.join(conflict.its_addresses)}" if conflict.its_addresses else ""
    return failed(
        "chassis-conflict",
        f"{other[:1].upper()}{other[1:]} registers itself{at} as chassis {conflict.chassis}, this node's name.",
        facts={"other": other, "chassis": conflict.chassis},
    )


def left_behind(conflict: Conflict, name: str) -> Answer:
    """What to say of a chassis of this host that is not called ``name``, as ovn-controller is. Pure.

    One that ends in order removes its chassis, and one that is killed does not: after a change of its name the row has
    nobody (controller/chassis.c, ``chassis_cleanup``).
    """
    return failed(
        "chassis-left-behind",
        f"Chassis {conflict.chassis} of this host ({conflict.host}) is registered with {conflict.address}, and "
        f"ovn-controller is called {name} now.",
        facts={"left": conflict.chassis, "chassis": name},
    )


@check(
    "southbound.northd",
    daemon="ovn-controller",
    socket=Socket.CONTROL,
    needs=("southbound.echo", "controller.running"),
    every=10,
)
async def northd(node: Node) -> Answer:
    """ovn-northd and ovn-controller have one version, where ``ovn-match-northd-version`` asks for it.

    Then ovn-controller takes nothing from the southbound until they match, and only its log says so.
    """
    if not smap_bool(await node.configuration(), "ovn-match-northd-version"):
        return not_used("ovn-match-northd-version is not set.")
    southbound = node.southbound.held()
    theirs = southbound.options.get("northd_internal_version", "")
    control = await node.controller.session(node.settings.timeout)
    said = await control.call("version", timeout=node.settings.timeout)
    ours = re.search(r"ovn-controller (\S+)", said)
    # OVN's internal version is VERSION-SCHEMA-ACTIONS (lib/ovn-util.c, ovn_get_internal_version); we are told VERSION
    # alone.
    if ours is None or theirs.partition("-")[0] == ours[1]:
        return ok(f"ovn-northd is at {theirs or 'an unknown version'}.")
    return failed(
        "northd-version-mismatch",
        f"ovn-northd is at {theirs}, ovn-controller at {ours[1]}: ovn-controller waits until they match.",
    )


@check(
    "southbound.applied",
    daemon="southbound",
    socket=Socket.DATABASE,
    needs=("southbound.echo", "controller.connection"),
    every=20,
    phase=0.5,
)
async def applied(node: Node) -> Answer:
    """This node has applied what the southbound holds.

    ovn-controller has ``nb_cfg`` of its row follow that of SB_Global when it has handed the flows of that state to the
    switch (controller/ofctrl.c, ``ofctrl_put``). It may say so too early, and never too late.
    """
    chassis = chassis_of(node)
    found = await node.southbound.held().applied_by(chassis, timeout=node.settings.timeout)
    if found is None:
        return not_used(f"The southbound has no row of a chassis {chassis!r}.")
    newest, own = found
    behind = behind_for(node, "southbound.applied", newest, own)
    numbers = {"newest": newest, "applied": own, "behind_seconds": behind}
    if behind <= node.settings.broken_after:
        return ok(f"This node has applied {own} of {newest}.", **numbers)
    return failed(
        "controller-behind",
        f"The southbound is at {newest}, and chassis {chassis} has stayed at {own} for {behind:.0f} s.",
        facts={"chassis": chassis},
        **numbers,
    )
