"""What the southbound database shows to be wrong: it degrades a node whose flows are in, and no more."""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

SOUTHBOUND = (
    Cause(
        code="southbound-stale",
        state=State.DEGRADED,
        summary="The southbound server has old data, or has lost its cluster: ovn-controller refuses it.",
        remedies=(
            "See `cluster/status OVN_Southbound` on the database's hosts, and find the member that was restored. "
            "If its data is right, have ovn-controller take it: `ovn-appctl -t ovn-controller sb-cluster-state-reset`.",
        ),
        reasons=frozenset({"stale"}),
    ),
    Cause(
        code="relay-cut-off",
        state=State.DEGRADED,
        summary="The southbound relay that this node uses has lost its source: its data is old, and ovn-controller "
        "leaves it.",
        remedies=(
            "See the log of the relay at {address} for the servers that it reads from, and whether these are up and "
            "can be reached from its host. Until they are, external_ids:ovn-remote may name them, or another relay.",
            "See the relay's log for the servers that it reads from, and whether these are up and can be reached.",
        ),
        reasons=frozenset({"relay-cut-off"}),
    ),
    Cause(
        code="northd-version-mismatch",
        state=State.DEGRADED,
        summary="ovn-northd and ovn-controller differ in version, and ovn-match-northd-version is set: ovn-controller "
        "ignores southbound updates until they match.",
        remedies=("Finish the upgrade, or remove external_ids:ovn-match-northd-version.",),
        reasons=frozenset({"northd-version-mismatch"}),
        in_start=True,
    ),
    Cause(
        code="chassis-conflict",
        state=State.DEGRADED,
        summary="Another node has this chassis' name or its tunnel address: one of the two has no working tunnels.",
        remedies=(
            "{other} has the name {chassis} too, as a cloned machine has. Give one of the two another: "
            "`ovs-vsctl set open_vswitch . external_ids:system-id=$(uuidgen)`, and the same in "
            "/etc/openvswitch/system-id.conf; then restart its ovn-controller.",
            "Chassis {holder} has {address} already. Give this node an address of its own (external_ids:ovn-encap-ip). "
            "If that chassis no longer exists: `ovn-sbctl chassis-del {holder}`.",
            "Give each node a system-id and a tunnel address (external_ids:ovn-encap-ip) of its own.",
        ),
        reasons=frozenset({"chassis-conflict"}),
    ),
    Cause(
        code="chassis-left-behind",
        state=State.DEGRADED,
        summary="The chassis of an earlier name of this host has its tunnel address still: under its present name it "
        "cannot be registered, and has no working tunnels.",
        remedies=(
            "Unless another ovn-controller of this host is called {left}: `ovn-sbctl chassis-del {left}`. Then "
            "ovn-controller registers {chassis} by itself.",
            "Remove the chassis of the earlier name, which `ovn-sbctl show` lists: `ovn-sbctl chassis-del NAME`.",
        ),
        reasons=frozenset({"chassis-left-behind"}),
    ),
)
