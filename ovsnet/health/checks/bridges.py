"""How the bridges are set up: what the database says of them, and ovs-vswitchd follows without a word."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import lasting
from ovsnet.health.checks.ports import MADE
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.database import SECURE
from ovsnet.node.node import Node
from ovsnet.node.own_chassis import bridge_used
from ovsnet.node.patches import Apart, apart, kinds


@check("vswitchd.fail_mode", daemon="ovs-vswitchd", needs=("ovsdb.echo",), every=10)
async def fail_mode(node: Node) -> Answer:
    """The bridge that ovn-controller uses drops what it has no flow for.

    ovn-controller sets that itself, and again whenever it is changed (controller/ovn-controller.c, ``process_br_int``),
    so it is wrong only while ovn-controller is away: then a restart of ovs-vswitchd makes a hub of the bridge. A bridge
    without OVN may well be standalone.
    """
    if "ovn-remote" not in await node.configuration():
        return not_used("This node has no OVN: no ovn-remote is configured.")

    async def look() -> Mapping[Hashable, str]:
        used, modes = bridge_used(node), node.ovsdb.held().fail_modes
        return {used: modes[used]} if modes.get(used, SECURE) != SECURE else {}

    bridge = bridge_used(node)
    _, found = await lasting(node, "fail_mode", look)
    if not found:
        return ok(f"{bridge} forwards nothing without flows.")
    return failed(
        "bridge-fails-open",
        f"fail_mode of {bridge} is {found[0]}: without ovn-controller's flows it sends every packet to all its ports.",
        facts={"bridge": bridge},
    )


@check("vswitchd.patches", daemon="ovs-vswitchd", needs=MADE, every=10)
async def patches(node: Node) -> Answer:
    """Bridges that are patched together have datapaths of one type.

    Otherwise the patch carries nothing. Nobody is asked while all bridges have one type.
    """
    if len(set(kinds(node.ovsdb.held().datapaths).values())) < 2:
        return ok("All bridges have datapaths of one type.")

    async def look() -> Mapping[Hashable, Apart]:
        database = node.ovsdb.held()
        found = apart(await database.patches(timeout=node.settings.timeout), database.datapaths)
        database.apart = frozenset(end.name for each in found for end in (each.one, each.other))
        return {each.one.name: each for each in found}

    _, old = await lasting(node, "patches", look)
    if not old:
        return ok("Bridges that are patched together have datapaths of one type.")
    first, used = old[0], bridge_used(node)
    ends = (first.one, first.types[0]), (first.other, first.types[1])
    (kept, kind), (other, _) = ends if first.other.bridge != used else ends[::-1]
    return failed(
        "datapaths-differ",
        f"{first.one.bridge} is {first.types[0]} and {first.other.bridge} is {first.types[1]}: "
        f"nothing passes the patch between them ({first.one.name}, {first.other.name}).",
        facts={"bridge": other.bridge, "type": kind, "kept": kept.bridge},
        patches=len(old),
    )
