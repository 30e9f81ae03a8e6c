"""The northbound database, where a server of it runs on this host: what it alone is asked."""

from __future__ import annotations

from typing import cast

from ovsnet.errors import OvsdbError
from ovsnet.health.checks import central, databases
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import behind_for
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.components import NB, Socket
from ovsnet.node.node import Node

databases.declare(NB)


@check("nb.progress", daemon=NB.daemon, socket=Socket.DATABASE, needs=("nb.echo",), every=20, phase=0.75)
async def progress(node: Node) -> Answer:
    """What the northbound asks for reaches the southbound, whichever host's ovn-northd carries it over.

    Whoever changes something may count ``nb_cfg`` up; ovn-northd has ``sb_cfg`` follow once the southbound has it, and
    ``hv_cfg`` once all chassis have (ovn-nb(5)). Asked for and not monitored: some count up with every change.
    """
    try:
        row = await node.served[NB.daemon].held().root("NB_Global", COUNTERS, timeout=node.settings.timeout)
    except OvsdbError as error:
        return not_used(f"The northbound cannot be read here: {error}")
    wanted, southbound, applied = (cast("int", row.get(each, 0)) for each in COUNTERS)
    behind = behind_for(node, "nb.progress", wanted, southbound)
    numbers = {"nb_cfg": wanted, "sb_cfg": southbound, "hv_cfg": applied, "behind_seconds": behind}
    if behind <= node.settings.broken_after:
        return ok(f"The southbound has {southbound} of {wanted}, all chassis have {applied}.", **numbers)
    role = (await central.northd_says(node, "status")).partition(":")[2].strip()
    return failed(
        "northd-behind",
        f"The northbound is at {wanted}, and the southbound has stayed at {southbound} for {behind:.0f} s."
        + (f" This host's ovn-northd is {role}." if role else ""),
        facts={role: role} if role else {},
        **numbers,
    )


COUNTERS = ("nb_cfg", "sb_cfg", "hv_cfg")
