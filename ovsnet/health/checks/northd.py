"""ovn-northd, where it runs on this host: it makes the southbound out of the northbound."""

from __future__ import annotations

from collections.abc import Hashable

from ovsnet.errors import UnixctlRefused
from ovsnet.health.checks import central
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.lasting import lasting
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.components import NORTHD, Socket
from ovsnet.node.node import Node


@check("northd.status", daemon=NORTHD.daemon, socket=Socket.CONTROL, every=10, phase=0.25)
async def status(node: Node) -> Answer:
    """ovn-northd is at work, or ready to take over from the one that is.

    Of several, the one with the lock ``ovn_northd`` of the southbound is active, and the others are on standby
    (northd/ovn-northd.c, ``ovn_northd_status``).
    """
    if not central.is_here(node, NORTHD):
        return central.not_here(NORTHD)
    control = await node.control[NORTHD.daemon].session(node.settings.timeout)
    started = node.clock()
    try:
        said = await control.call("status", timeout=node.settings.timeout)
    except UnixctlRefused:
        return ok("It answers, and is too old to say whether it is active.")
    role = said.partition(":")[2].strip()
    if role == "paused":
        return failed("northd-paused", "ovn-northd is paused.", facts={"pid": str(control.peer_pid or "PID")})
    return ok(f"ovn-northd is {role}.", rtt_seconds=node.clock() - started, active=role == "active")


@check("northd.connection", daemon=NORTHD.daemon, socket=Socket.CONTROL, needs=("northd.status",), every=20, phase=0.5)
async def connection(node: Node) -> Answer:
    """ovn-northd is connected to both databases, to a leader of each.

    It looks for one again after up to eight seconds, so only what lasts is reported.
    """

    async def look() -> dict[Hashable, str]:
        said = {which: await central.northd_says(node, f"{which}-connection-status") for which in ("nb", "sb")}
        return {which: DATABASES[which] for which, state in said.items() if state == "not connected"}

    broken, old = await lasting(node, "northd.connection", look)
    if old:
        missing = " and ".join(old)
        return failed("northd-not-connected", f"ovn-northd is not connected to {missing}.", facts={"missing": missing})
    return ok(f"ovn-northd is connecting to {' and '.join(broken)}." if broken else "ovn-northd is connected to both.")


DATABASES = {"nb": "the northbound", "sb": "the southbound"}
