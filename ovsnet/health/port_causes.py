"""Causes that some ports, tunnels or networks show while the node as a whole works.

They stand behind what breaks the whole node, which they never explain, and before the slow daemons, which they may:
1600 dead ports make ovn-controller stall (vexxhost/atmosphere#3893).
"""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

PORTS = (
    Cause(
        code="ports-without-device",
        state=State.DEGRADED,
        summary="Ports stand in the database that ovs-vswitchd cannot make, mostly because their device is gone.",
        remedies=(
            "Find out who left them behind. When no pod or machine owns {first} any more: "
            "`ovs-vsctl --if-exists del-port {bridge} {first}`; the same for each of the {count}.",
            "Find out who left them behind, and delete those that nobody owns any more: `ovs-vsctl del-port NAME`.",
        ),
        reasons=frozenset({"ports-without-device"}),
        in_start=True,
    ),
)
