"""What follows from a code: the node's state, whether ``/ovs/livez`` fails, and the exit code of ``ovsnet check``."""

from __future__ import annotations

from dataclasses import dataclass

from ovsnet.health.cause import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """``dead``: the code is proof, after ``dead_after``."""

    state: State
    exit: int
    dead: bool = False


READY = Verdict(State.READY, 0)
DEGRADED = Verdict(State.DEGRADED, 0)
NOT_READY = Verdict(State.NOT_READY, 1)
DEAD = Verdict(State.NOT_READY, 1, dead=True)
COULD_NOT_TELL = Verdict(State.NOT_READY, 3)

VERDICTS: dict[str, Verdict] = {
    "healthy": READY,
    **dict.fromkeys(("ovsdb-down", "ovsdb-hung", "vswitchd-down", "vswitchd-hung"), DEAD),
    **dict.fromkeys(
        ("permission-denied", "not-visible", "socket-mounted", "tls-failed", "name-unresolved"), COULD_NOT_TELL
    ),
    "misconfigured": Verdict(State.NOT_READY, 2),
    "self-out-of-descriptors": Verdict(State.DEGRADED, 3),
    **dict.fromkeys(
        (
            "protocol-error", "socket-missing", "database-foreign", "descriptors-exhausted", "ovsdb-backlog-full",
            "vswitchd-locked-out", "bridge-missing", "datapath-missing", "flow-restore-wait", "mgmt-socket-missing",
            "mgmt-backlog-full", "controller-down", "controller-hung", "controller-paused", "flows-missing",
            "connection-closed", "database-unreachable",
        ),
        NOT_READY,
    ),
    **dict.fromkeys(
        (
            "host-unfit", "vswitchd-not-connected", "southbound-down", "southbound-hung", "southbound-stale",
            "southbound-slow", "southbound-wrong-address", "northd-version-mismatch", "controller-not-connected",
            "chassis-unconfigured", "wrong-bridge", "process-unseen", "vswitchd-slow", "ovsdb-slow", "controller-slow",
            "ports-without-device", "tunnels-failed", "tunnels-down",
            "bridge-mapping-wrong", "encap-address-missing",
            "protocol-flood", "database-not-writable", "database-incomplete",
            "certificate-expired", "certificate-expires",
            "memory-short", "log-not-compacted",
            "nb-down", "nb-hung", "nb-slow", "northd-down", "northd-hung", "northd-slow", "northd-paused",
            "northd-not-connected", "northd-behind", "controller-behind", "schema-old", "sb-slow", "client-stalled",
            "chassis-behind",
            "database-socket-missing", "nb-joining", "sb-joining", "sb-member-away", "sb-leaderless",
            "nb-leaderless", "nb-member-away", "nb-elections", "sb-elections", "sb-down", "sb-hung",
            "certificate-not-loaded", "relay-cut-off", "bridge-protocols-wrong",
            "memory-short", "chassis-conflict", "chassis-left-behind", "device-taken", "ports-left-behind",
            "vswitchd-restarting", "ovsdb-restarting", "controller-restarting", "nb-restarting",
            "sb-restarting", "northd-restarting",
            "conntrack-full", "flow-limit-reached", "upcalls-lost", "datapaths-differ", "bridge-fails-open",
        ),
        DEGRADED,
    ),
}  # fmt: skip
"""By code. A fault overrides the state where it hangs on which socket or which database is concerned."""

UNMADE = {
    "host-unfit": "It takes a kernel without the module or with a known defect, and a bridge that needs it.",
    "bridge-fails-open": "A controller that a bridge lacks is the root of it.",
    "upcalls-lost": "It takes the kernel's datapath and its queues. In user space the thread that receives a packet "
    "makes the upcall itself (lib/dpif-netdev.c, handle_packet_upcall): no handler is ever too busy.",
    **dict.fromkeys(
        ("controller-slow", "nb-slow", "sb-slow", "northd-slow"),
        "One row serves all daemons (ovsnet.health.causes, slow), and the throttled ones make it.",
    ),
    "self-out-of-memory": "A limit on its memory ends an agent somewhere else each time.",
    "ovsnet-fault": "It takes a bug.",
}
"""Codes that no fault makes on the daemons of a sandbox, and why. Their own tests feed the checks with the answers."""
