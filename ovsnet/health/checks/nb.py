"""The northbound database, where a server of it runs on this host: what it alone is asked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import cast

from ovsnet.errors import OvsdbError, PeerError
from ovsnet.health.checks import central, databases
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import behind_for
from ovsnet.health.checks.result import Answer, Number, failed, not_used, ok
from ovsnet.node.components import NB, NORTHD, SB, Socket
from ovsnet.node.installed_schema import installed_schema
from ovsnet.node.laggards import Laggard, laggards
from ovsnet.node.node import Node

databases.declare(NB)


@check("nb.progress", daemon=NB.daemon, socket=Socket.DATABASE, needs=("nb.echo",), every=20, phase=0.75)
async def progress(node: Node) -> Answer:
    """What the northbound asks for reaches the southbound, whichever host's ovn-northd carries it over.

    A client that changes something may increment ``nb_cfg``; ovn-northd has ``sb_cfg`` follow once the southbound
    has it, and ``hv_cfg`` once all chassis have (ovn-nb(5)). Asked for and not monitored: some count up with every
    change.
    """
    try:
        row = await node.served[NB.daemon].held().root("NB_Global", COUNTERS, timeout=node.settings.timeout)
    except OvsdbError as error:
        return not_used(f"The northbound cannot be read here: {error}")
    wanted, southbound, applied = (int(row.get(each, 0)) for each in COUNTERS)
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

AWAY = 10
"""Of ``broken_after``: a host that is restarted is away for minutes, and its chassis with it."""


@check("nb.chassis", daemon=NB.daemon, socket=Socket.DATABASE, needs=("nb.progress",), every=10, phase=0.25)
async def chassis(node: Node) -> Answer:
    """All chassis apply what the southbound holds, so that ``--wait=hv`` waits for none of them.

    The southbound is asked which one does not only when that has lasted.
    """
    timeout = node.settings.timeout
    try:
        row = await node.served[NB.daemon].held().root("NB_Global", COUNTERS, timeout=timeout)
    except OvsdbError as error:
        return not_used(f"The northbound cannot be read here: {error}")
    _, southbound, applied = (cast("int", row.get(each, 0)) for each in COUNTERS)
    behind = behind_for(node, "nb.chassis", southbound, applied)
    if behind <= AWAY * node.settings.broken_after:
        return ok(f"All chassis have {applied} of {southbound}.", behind_seconds=behind)
    found: list[Laggard] = []
    if central.is_here(node, SB):
        with contextlib.suppress(PeerError):  # the checks of the southbound judge it
            found = await laggards(await node.served[SB.daemon].session(timeout), applied, timeout=timeout)
    return judge_laggards(found, southbound, applied, behind=behind, now=time.time())


def judge_laggards(found: Sequence[Laggard], southbound: int, applied: int, *, behind: float, now: float) -> Answer:
    """What to say of those that lag, ``behind`` by so many seconds; nobody may be known. Pure."""
    numbers: dict[str, Number] = {"behind_seconds": behind}
    detail = f"The southbound is at {southbound}, and not all chassis have got beyond {applied} for {behind:.0f} s"
    facts: dict[str, str] = {}
    if found:
        first = found[0]
        others = f" and {len(found) - 1} more" if len(found) > 1 else ""
        ago = "" if first.applied_at is None else f", which got there {now - first.applied_at:.0f} s ago"
        host = first.host or "a host without a name"
        facts = {"chassis": first.chassis, "host": host} if first.registered else {"left": first.chassis}
        detail += f": {first.chassis}{f' on {host}' if first.registered else ''}{others}{ago}"
    return failed("chassis-behind", f"{detail}.", facts=facts, **numbers)


@check("nb.schema", daemon=NB.daemon, socket=Socket.DATABASE, needs=("nb.echo",), every=30, phase=0.5)
async def schema(node: Node) -> Answer:
    """The northbound has the schema that this host's ovn-northd was installed with, or a later one.

    With an older one, a CMS that uses what is new in this OVN is refused ("No column"), and ovn-northd leaves it out. A
    cluster is converted by hand or by `ovn-ctl` at one member, and not when it is restored from a copy.
    """
    return await databases.judged_once(node, NB, partial(_read_schema, node))


async def _read_schema(node: Node) -> Answer:
    northd, served = node.daemons[NORTHD.daemon].process(), node.served[NB.daemon].held()
    if northd is None:
        return not_used("No ovn-northd is seen here that wants a schema.")
    wanted = installed_schema(northd.pid, databases.schema_file(NB))
    try:
        found = await served.schema_version(timeout=node.settings.timeout)
    except OvsdbError as error:
        return not_used(f"The northbound cannot be read here: {error}")
    return databases.judge_schema(NB, found, wanted, str(served.address))
