"""Packets that the datapaths drop, as ovs-vswitchd and the kernel count them. Nothing is asked that walks all flows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from ovsnet.errors import UnixctlRefused
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import lasting, seen_for
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.components import Socket
from ovsnet.node.conntrack import NEAR, Table, of_kernel, of_userspace
from ovsnet.node.datapath import Flows, flows, lost
from ovsnet.node.node import Node
from ovsnet.texts import whole_number

LEAST_LOST = 1.0
"""Packets per second. A scan or a new peer fills the queue of a handler for a moment."""


@check("vswitchd.upcalls", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("vswitchd.ofproto",), every=30)
async def upcalls(node: Node) -> Answer:
    """Every packet that the datapaths know no flow for reaches ovs-vswitchd.

    What its handlers have no time for is lost (OVS counts it as ``lost``). The answer names every port, which takes
    ovs-vswitchd 5 ms with 2000 of them. Some are lost in a burst on any busy node, so a loss counts once it has lasted.
    """
    shown = lost(await _call(node, "dpctl/show"))
    rates = {name: node.growth[f"lost {name}"].look(total, node.clock()) or 0.0 for name, total in shown.items()}
    old = _going_on(node, "upcalls", {name: rate for name, rate in rates.items() if rate >= LEAST_LOST})
    total, rate = sum(shown.values()), max(rates.values(), default=0.0)
    if not old:
        return ok("No packets are lost for long on their way to ovs-vswitchd.", lost=total, lost_per_second=rate)
    return failed(
        "upcalls-lost",
        f"The datapath loses {max(old.values()):.0f} packets a second on their way to ovs-vswitchd.",
        lost=total,
        lost_per_second=rate,
    )


def _going_on(node: Node, what: str, rates: Mapping[str, float]) -> Mapping[str, float]:
    """Those that have been seen so for ``broken_after``."""
    ages = seen_for(node, what, rates)
    return {name: rate for name, rate in rates.items() if ages[name] > node.settings.broken_after}


LIMIT_HIT = "upcall_flow_limit_hit"


@check("vswitchd.flow_limit", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("vswitchd.ofproto",), every=10)
async def flow_limit(node: Node) -> Answer:
    """The datapaths have room for every flow.

    Beyond the limit packets go through ovs-vswitchd one by one. It lowers the limit itself while its revalidators take
    too long for a round (ofproto/ofproto-dpif-upcall.c, ``udpif_revalidator``). A scan fills them for a moment.
    """

    rate = node.growth[LIMIT_HIT].look(await _counter(node, LIMIT_HIT), node.clock()) or 0.0
    old = _going_on(node, LIMIT_HIT, {LIMIT_HIT: rate} if rate > 0 else {})
    if not old:
        return ok("The datapaths have room for flows.", per_second=rate)
    found = flows(await _call(node, "upcall/show"))
    return limit_told(rate, found[0] if found else None, _configured(node))


def limit_told(rate: float, full: Flows | None, configured: int | None) -> Answer:
    """What to say when flows are refused. Pure."""
    if full is None:
        return failed("flow-limit-reached", f"The datapath refuses {rate:.1f} flows a second.", per_second=rate)
    facts = {}
    if configured is not None:
        lowered = {"limit": str(full.limit), "configured": str(configured)}
        facts = lowered if full.limit < configured else {"more": str(max(2 * configured, FLOW_LIMIT))}
    return failed(
        "flow-limit-reached",
        f"{full.datapath} holds {full.current} flows, may hold {full.limit}, and refuses {rate:.1f} a second.",
        facts=facts,
        per_second=rate,
        flows=full.current,
        limit=full.limit,
    )


@check("vswitchd.conntrack", daemon="ovs-vswitchd", socket=Socket.CONTROL, needs=("vswitchd.ofproto",), every=10)
async def conntrack(node: Node) -> Answer:
    """The tables of tracked connections have room.

    Those of the kernel and of datapaths in user space. When one is full, a new connection gets no answer.
    """

    async def look() -> Mapping[Hashable, Table]:
        return {each.whose: each for each in await _tables(node) if each.share >= NEAR}

    _, old = await lasting(node, "conntrack", look)
    if not old:
        return ok("The tables of tracked connections have room.")
    full = max(old, key=lambda each: each.share)
    return failed(
        "conntrack-full",
        f"{full.count} connections are tracked by {full.whose}, which takes {full.limit}.",
        facts={"setting": full.setting},
        connections=full.count,
        limit=full.limit,
    )


async def _tables(node: Node) -> list[Table]:
    """A datapath of the kernel refuses the questions: the kernel's own files show it."""
    process = node.daemons["ovs-vswitchd"].process()
    found = [None if process is None else of_kernel(process.pid)]
    for datapath in (await _call(node, "dpctl/dump-dps")).split():
        try:
            count = await _call(node, "dpctl/ct-get-nconns", datapath)
            found.append(of_userspace(datapath, count, await _call(node, "dpctl/ct-get-maxconns", datapath)))
        except UnixctlRefused:
            continue
    return [each for each in found if each is not None]


FLOW_LIMIT = 200_000
"""The default of other_config:flow-limit (ovs-vswitchd.conf.db(5))."""


def _configured(node: Node) -> int | None:
    database = node.ovsdb.current
    if database is None:
        return None
    limit = whole_number(database.other_config.get("flow-limit", ""))
    return FLOW_LIMIT if limit is None else limit


async def _counter(node: Node, name: str) -> int:
    """Of an old switch that has no such counter, nothing."""
    try:
        text = await _call(node, "coverage/read-counter", name)
    except UnixctlRefused:
        return 0
    return whole_number(text) or 0


async def _call(node: Node, command: str, *arguments: str) -> str:
    control = await node.vswitchd.session(node.settings.timeout)
    return await control.call(command, *arguments, timeout=node.settings.timeout)
