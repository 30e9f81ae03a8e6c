"""The ports and tunnels of all bridges, as ovs-vswitchd says in the database that it made them."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from ovsnet.errors import PeerError
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import lasting
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.interfaces import Interface
from ovsnet.node.node import Node
from ovsnet.ovsdb.values import Uuid

NAMED = 3
"""How many are named: there may be thousands."""

MANY = 100
"""Ports that make each change slow: 1600 of them stall ovs-vswitchd and ovn-controller for a minute. A few explain
nothing that is slow."""

MANY_DEAD = "ports-left-behind"

MADE = ("ovsdb.echo", "vswitchd.ofproto")
"""While ovs-vswitchd is away, or has not built its bridges, what it wrote of their ports is of no meaning."""


@check("vswitchd.ports", daemon="ovs-vswitchd", needs=MADE, every=10)
async def ports(node: Node) -> Answer:
    """ovs-vswitchd has created the ports that the database lists.

    Ports of pods that went stay there when nobody deletes them, and each is tried again at every change: with 1600 of
    them ovn-controller and ovs-vswitchd stall (vexxhost/atmosphere#3893). One that is just being deleted looks the same
    for a moment.
    """
    broken, old = await _broken(
        node, "ports", lambda each: _has_no_device(each) and each.name not in node.ovsdb.held().apart
    )
    if not old:
        return ok(_none_lasts(len(broken)), without_device=len(broken))
    detail, facts = told(old, await _bridges_of(node, old))
    reason = MANY_DEAD if len(old) >= MANY else "ports-without-device"
    return failed(reason, detail, facts=facts, without_device=len(old))


def _has_no_device(each: Interface) -> bool:
    return each.failed and not each.tunnel and not each.taken


@check("vswitchd.devices", daemon="ovs-vswitchd", needs=MADE, every=10)
async def devices(node: Node) -> Answer:
    """The devices of ports belong to no other master.

    One that is in a bond or in a bridge of the kernel cannot be a port: mostly an uplink that was not taken out first.
    """
    broken, old = await _broken(node, "devices", lambda each: each.failed and each.taken)
    if not old:
        return ok("No device of a port belongs to another master.", taken=len(broken))
    first = min(old, key=lambda each: each.name)
    master = await asyncio.to_thread(_master, first.name)
    return failed(
        "device-taken",
        f"Could not be made: {_counted(len(old), 'port')} ({names(old)}). {first.name}: {first.why}.",
        facts={"first": first.name} | ({"master": master} if master else {}),
        taken=len(old),
    )


def _master(name: str, classes: Path = Path("/sys/class/net")) -> str:
    """Whose part a device is; empty where it is not a device of our network namespace, or has no master that is one."""
    try:
        return os.path.basename(os.readlink(classes / name / "master"))
    except OSError:
        return ""


@check("vswitchd.tunnels", daemon="ovs-vswitchd", needs=MADE, every=10)
async def tunnels(node: Node) -> Answer:
    """ovs-vswitchd has created the tunnels that the database lists.

    Without the kernel's module, or without IPv6 where it was disabled at boot, it cannot: "Address family not supported
    by protocol" (kubeovn/kube-ovn#647).

    Even if none of them was made, that is no proof that traffic is dead, so the node stays ready. Its own ports reach
    each other, and networks that leave by a bridge mapping need no tunnel. ovn-controller wants one to every chassis of
    its transport zones, whether traffic goes there or not (controller/encaps.c, ``encaps_run``); and a module that is
    missing is missing on every node after the same upgrade: not-ready would take them all out of service at once.
    """
    count = _tunnels(node)
    if not count:
        return not_used("There is no tunnel.")
    broken, old = await _broken(node, "tunnels", lambda each: each.failed and each.tunnel)
    if not old:
        return ok(f"{count - len(broken)} of {_counted(count, 'tunnel')} made.", tunnels=count, failed=len(broken))
    first = min(old, key=lambda each: each.name)
    return failed(
        "tunnels-failed",
        f"{_part(old, count).capitalize()} could not be made ({names(old)}). {first.name}: {first.why}.",
        facts=_what_keeps(first),
        tunnels=count,
        failed=len(old),
    )


def _what_keeps(tunnel: Interface) -> dict[str, str]:
    if NO_MODULE in tunnel.error:
        return {"module": MODULES.get(tunnel.type, tunnel.type)}
    return {"first": tunnel.name, "type": tunnel.type} if tunnel.port_taken else {}


NO_MODULE = "Address family not supported"
"""EAFNOSUPPORT, as the kernel answers for a type of device or a protocol that it has not."""

MODULES = {"gre": "ip_gre", "erspan": "ip_gre", "ip6gre": "ip6_gre", "ip6erspan": "ip6_gre"}
"""By type of tunnel, where their names differ."""


@check("vswitchd.bfd", daemon="ovs-vswitchd", needs=MADE, every=10)
async def bfd(node: Node) -> Answer:
    """Tunnels that are watched by BFD lead to their other end.

    OVN has BFD run between the chassis of its gateways. Of other tunnels nothing is known here.
    """
    watched = [each for each in node.ovsdb.held().interfaces if each.tunnel and each.bfd]
    if not watched:
        return not_used("No tunnel is watched by BFD.")
    broken, old = await _broken(node, "bfd", lambda each: each.tunnel and each.path_lost)
    if not old:
        return ok(f"BFD watches {_counted(len(watched), 'tunnel')}.", watched=len(watched), down=len(broken))
    first = min(old, key=lambda each: each.name)
    return failed(
        "tunnels-down",
        f"BFD finds no path through {_part(old, len(watched))} ({names(old)}). {first.name} is {first.bfd}.",
        facts={"first": first.name},
        watched=len(watched),
        down=len(old),
    )


def _tunnels(node: Node) -> int:
    return sum(each.tunnel for each in node.ovsdb.held().interfaces)


def _part(some: Sequence[Interface], of: int) -> str:
    if len(some) < of:
        return f"{len(some)} of {of} tunnels"
    return "the only tunnel" if of == 1 else f"all {of} tunnels"


def told(broken: Sequence[Interface], bridges: Mapping[Uuid, str]) -> tuple[str, dict[str, str]]:
    """What to say of ports that could not be made, and what a remedy may name. Pure."""
    by_bridge: defaultdict[str, list[Interface]] = defaultdict(list)
    for each in sorted(broken, key=lambda each: each.name):
        by_bridge[bridges.get(each.uuid, "")].append(each)
    groups = sorted(by_bridge.items(), key=lambda group: (-len(group[1]), group[0]))
    bridge, (first, *_) = groups[0]
    counted = "; ".join(f"{_of_bridge(found, name)} ({names(found)})" for name, found in groups)
    facts = {"first": first.name, "count": str(len(broken))}
    return f"Could not be made: {counted}. {first.name}: {first.why}.", facts | ({"bridge": bridge} if bridge else {})


def names(some: Sequence[Interface]) -> str:
    """The first few."""
    listed = sorted(each.name for each in some)
    return ", ".join(listed[:NAMED] + (["..."] if len(some) > NAMED else []))


def _of_bridge(found: Sequence[Interface], bridge: str) -> str:
    count = _counted(len(found), "port")
    return f"{count} of {bridge}" if bridge else count


async def _bridges_of(node: Node, some: Sequence[Interface]) -> Mapping[Uuid, str]:
    """None when the database does not answer: its own check will judge it, and this one is about the switch."""
    try:
        return await node.ovsdb.held().bridges_of(frozenset(each.uuid for each in some), timeout=node.settings.timeout)
    except PeerError:
        return {}


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _none_lasts(count: int) -> str:
    if not count:
        return "Every port was created."
    return f"{_counted(count, 'port')} could not be made a moment ago, as of a pod that goes: it may pass."


async def _broken(
    node: Node, what: str, is_broken: Callable[[Interface], bool]
) -> tuple[list[Interface], list[Interface]]:
    """All that are broken now, and those of them that have been for long."""

    async def look() -> Mapping[Hashable, Interface]:
        return {each.uuid: each for each in node.ovsdb.held().interfaces if is_broken(each)}

    return await lasting(node, what, look)
