"""The southbound database, where a server of it runs on this host: what it alone is asked."""

from __future__ import annotations

from functools import partial

from ovsnet.errors import OvsdbError
from ovsnet.health.checks import databases
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, not_used
from ovsnet.node.components import SB, Socket
from ovsnet.node.node import Node

databases.declare(SB)


@check("sb.schema", daemon=SB.daemon, socket=Socket.DATABASE, needs=("sb.echo",), every=30, phase=0.25)
async def schema(node: Node) -> Answer:
    """The southbound has the schema that ovn-northd was made for, or a later one.

    With an older one, what is new in this OVN is left out, and ovn-northd's log says so: "database needs upgrade?".
    ovn-northd writes which one it was made for (lib/ovn-util.c, ``ovn_get_internal_version``: VERSION-SCHEMA-ACTIONS).
    """
    return await databases.judged_once(node, SB, partial(_read_schema, node))


async def _read_schema(node: Node) -> Answer:
    served, timeout = node.served[SB.daemon].held(), node.settings.timeout
    try:
        row = await served.root("SB_Global", ("options",), timeout=timeout)
        found = await served.schema_version(timeout=timeout)
    except OvsdbError as error:
        return not_used(f"The southbound cannot be read here: {error}")
    parts = (row.get("options") or {}).get("northd_internal_version", "").rsplit("-", 2)
    return databases.judge_schema(SB, found, parts[1] if len(parts) == 3 else "", str(served.address))
