"""The sentences and rows of every cause, in causal order within each group. Data for ``health.causes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovsnet.health.cause import GONE, Cause, State
from ovsnet.node.components import Socket


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences of one daemon's rows: a summary and remedies each."""

    down: tuple[str, ...]
    hung: tuple[str, ...]
    slow: tuple[str, ...]


RESUME = "Process {stopped} is stopped: resume it with `kill -CONT {stopped}`."
INSPECT = (
    "Save `cat /proc/{pid}/stack` and the log of {title} for a bug report, then restart it.",
    "Find its process and save `cat /proc/PID/stack` for a bug report, then restart it; resume it if it is stopped.",
)
ELSEWHERE = "Restarting anything on this node does not help."

TEXTS = {
    "ovsdb-server": Texts(
        down=(
            "ovsdb-server is not running. ovs-vswitchd serves no OpenFlow without it; installed flows stay.",
            "Start it (`systemctl start ovsdb-server`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovsdb-server accepts connections, answers nothing and makes no progress.", RESUME, *INSPECT),
        slow=(
            "ovsdb-server responds slowly but is still making progress, or is starved.",
            RESUME,
            "Give it CPU and a disk that syncs faster, or wait until it has finished.",
        ),
    ),
    "ovs-vswitchd": Texts(
        down=(
            "ovs-vswitchd is not running.",
            "Start it (`systemctl start ovs-vswitchd`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovs-vswitchd accepts connections, answers nothing and makes no progress.", RESUME, *INSPECT),
        slow=(
            "ovs-vswitchd responds slowly but is still making progress, or is starved of CPU. Do not restart it.",
            RESUME,
            "Raise its CPU quota (see `cpu.throttled` in `ovsnet doctor`) or reduce the load on the host; "
            "otherwise wait.",
        ),
    ),
    "ovn-controller": Texts(
        down=(
            "ovn-controller is not running: new pods on this node get no network.",
            "Start it (`systemctl start ovn-controller`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovn-controller answers nothing and makes no progress.", RESUME, *INSPECT),
        slow=(
            "ovn-controller responds slowly but is still making progress, or is starved of CPU. "
            "On a large network it computes for seconds.",
            RESUME,
            "Wait until it has finished; if it never does, give it CPU.",
        ),
    ),
    "southbound": Texts(
        down=(
            "The southbound database cannot be reached from this node. Installed flows stay.",
            f"Start it, or correct external_ids:ovn-remote. {ELSEWHERE}",
        ),
        hung=(
            "The southbound server accepts connections and answers nothing; ovn-controller may still call itself "
            "connected.",
            RESUME,
            f"Inspect the server's process on its host. {ELSEWHERE}",
        ),
        slow=(
            "The southbound server responds slowly.",
            RESUME,
            f"Check the load on its host. {ELSEWHERE}",
        ),
    ),
}


SEE_OWNER = "See which process owns the socket (`ss -xlp`) and point ovsnet at the right run directory."

ACCESS = (
    Cause(
        code="permission-denied",
        state=State.NOT_READY,
        summary="A socket exists, and this user may not open it.",
        remedies=("Run ovsnet as the user that owns the sockets (root or openvswitch), or join its group.",),
        reasons=frozenset({"permission-denied"}),
    ),
    Cause(
        code="protocol-error",
        state=State.NOT_READY,
        summary="The process listening on this socket speaks a different protocol.",
        remedies=(SEE_OWNER,),
        reasons=frozenset({"protocol"}),
    ),
    Cause(
        code="host-unfit",
        state=State.DEGRADED,
        summary="Something on this host makes Open vSwitch impossible.",
        remedies=("`ovsnet doctor` says what and what to do; `ovsnet doctor --fix` fixes what is safe to fix.",),
        reasons=frozenset({"unfit"}),
    ),
)

SWITCH = (
    Cause(
        code="vswitchd-locked-out",
        state=State.NOT_READY,
        summary="ovs-vswitchd runs and has configured nothing: it does not hold the database lock.",
        remedies=(
            "Stop the other ovs-vswitchd: `kill {holder}`.",
            "See which other ovs-vswitchd runs (`pgrep -a ovs-vswitchd`), and stop one of them.",
        ),
        daemon="ovs-vswitchd",
        reasons=frozenset({"locked-out"}),
        in_start=True,
    ),
    Cause(
        code="vswitchd-locked-out",
        state=State.DEGRADED,
        summary="A second ovs-vswitchd runs and waits for the database lock, while the first still serves.",
        remedies=(
            "Stop the second one (`kill {second}`), and find out what started it.",
            "Stop the second one, and find out what started it.",
        ),
        daemon="ovs-vswitchd",
        reasons=frozenset({"second-vswitchd"}),
    ),
    Cause(
        code="bridge-missing",
        state=State.NOT_READY,
        summary="The database has no such bridge.",
        remedies=("Start ovn-controller, which creates br-int, or name the right bridge with --bridge.",),
        reasons=frozenset({"bridge-missing"}),
        in_start=True,
    ),
    Cause(
        code="datapath-missing",
        state=State.NOT_READY,
        summary="The bridge is in the database, and ovs-vswitchd could not create it.",
        remedies=("Read ovs-vswitchd's log: a missing kernel module (`modprobe openvswitch`) is the usual reason.",),
        reasons=frozenset({"datapath-missing"}),
        in_start=True,
    ),
    Cause(
        code="flow-restore-wait",
        state=State.NOT_READY,
        summary="The switch was told to wait until its flows are restored, and still waits: it forwards nothing.",
        remedies=(
            "Once the flows are back: `ovs-vsctl --no-wait remove Open_vSwitch . other_config flow-restore-wait`.",
        ),
        reasons=frozenset({"flow-restore-wait"}),
        in_start=True,
    ),
    Cause(
        code="vswitchd-not-connected",
        state=State.DEGRADED,
        summary="ovs-vswitchd has not reconnected to the database, and serves no OpenFlow until it has. "
        "Installed flows stay.",
        remedies=(
            "Wait {retry_seconds} s: its backoff ends by itself.",
            "Wait: its backoff ends by itself, after eight seconds at most.",
        ),
        daemon="ovs-vswitchd",
        reasons=frozenset({"no-database"}),
        in_start=True,
    ),
    Cause(
        code="mgmt-socket-missing",
        state=State.NOT_READY,
        summary="The bridge exists, and its management socket is gone: ovn-controller cannot reconnect.",
        remedies=("Restart ovs-vswitchd, which creates the socket; find out what removed it.",),
        reasons=GONE,
        socket=Socket.MGMT,
        in_start=True,
    ),
    Cause(
        code="mgmt-backlog-full",
        state=State.NOT_READY,
        summary="The accept queue of the bridge's management socket is full (65 connections waiting).",
        remedies=(
            "Find the clients that flood it (`ss -xp | grep mgmt`), and check that ovs-vswitchd has descriptors left.",
        ),
        reasons=frozenset({"backlog-full"}),
        socket=Socket.MGMT,
    ),
)

CONTROLLER = (
    Cause(
        code="controller-paused",
        state=State.NOT_READY,
        summary="ovn-controller is paused: it installs no changes.",
        remedies=("Resume it with `ovn-appctl -t ovn-controller debug/resume`.",),
        daemon="ovn-controller",
        reasons=frozenset({"controller-paused"}),
    ),
)

SOUTHBOUND = (
    Cause(
        code="southbound-stale",
        state=State.DEGRADED,
        summary="The southbound server has old data, or has lost its cluster: ovn-controller refuses it.",
        remedies=(
            "See `cluster/status OVN_Southbound` on the database's hosts, and find the member that was restored.",
        ),
        daemon="southbound",
        reasons=frozenset({"stale"}),
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
)

CONSEQUENCES = (
    Cause(
        code="controller-not-connected",
        state=State.DEGRADED,
        summary="ovn-controller runs without a southbound or an OpenFlow session. Installed flows stay.",
        remedies=(
            "Wait {retry_seconds} s: its backoff ends by itself. Next time start ovn-controller after "
            "`ovsnet wait --for openflow`, which saves the backoff.",
            "Check external_ids:ovn-remote and that the southbound database can be reached; a backoff ends by itself.",
        ),
        daemon="ovn-controller",
        reasons=frozenset({"controller-not-connected", "controller-no-openflow"}),
        in_start=True,
    ),
    Cause(
        code="flows-missing",
        state=State.NOT_READY,
        summary="The switch answers and holds no flows: it forwards nothing.",
        remedies=(
            "Check that ovn-controller is connected. If it is, restart it: `recompute` does not reinstall wiped flows.",
        ),
        reasons=frozenset({"flows-missing"}),
        in_start=True,
    ),
    Cause(
        code="process-unseen",
        state=State.DEGRADED,
        summary="A daemon is silent, and its process cannot be seen from here, so slow and hung look the same.",
        remedies=("Run ovsnet in the daemons' pid namespace (`hostPID: true` in Kubernetes).",),
        reasons=frozenset({"process-unseen"}),
    ),
)

UNEXPLAINED = Cause(
    code="check-failed",
    state=State.NOT_READY,
    summary="A check failed in a way that no cause explains.",
    remedies=("Read the check's own sentence.",),
)

NAMED: Mapping[str, tuple[Cause, ...]] = {
    "ovs-vswitchd": SWITCH,
    "ovn-controller": CONTROLLER,
    "southbound": SOUTHBOUND,
}
"""The named reasons that belong below a daemon's own rows."""
