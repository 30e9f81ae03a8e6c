"""The causes that a named reason shows, in causal order within each group."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.health.cause import ABSENT, Cause, State
from ovsnet.health.controller_causes import CONTROLLER
from ovsnet.health.southbound_causes import SOUTHBOUND
from ovsnet.node.components import Socket

SEE_OWNER = "See which process owns the socket (`ss -xlp`) and point ovsnet at the right run directory."

ACCESS = (
    Cause(
        code="permission-denied",
        state=State.NOT_READY,
        summary="ovsnet lacks the right to open a socket, so it cannot ask.",
        remedies=(
            "{advice}",
            "Run ovsnet as the user that owns the sockets (root or openvswitch), or join its group.",
        ),
        reasons=frozenset({"permission-denied"}),
        exit_code=3,
        lasting=True,
    ),
    Cause(
        code="misconfigured",
        state=State.NOT_READY,
        summary="A setting of ovsnet is wrong, so it cannot ask.",
        remedies=("{advice}", "Correct the setting that the evidence names."),
        reasons=frozenset({"config", "address", "usage"}),
        exit_code=2,
        lasting=True,
    ),
    Cause(
        code="tls-failed",
        state=State.NOT_READY,
        summary="TLS between ovsnet and a database fails. This says nothing about the daemons.",
        remedies=("Check the key, the certificate and the CA on both sides, and their dates.",),
        reasons=frozenset({"tls"}),
        exit_code=3,
    ),
    Cause(
        code="name-unresolved",
        state=State.NOT_READY,
        summary="The host name in a database's address cannot be resolved. This says nothing about the daemons.",
        remedies=("Correct the host name, or check the resolver of this host.",),
        reasons=frozenset({"name-unresolved"}),
        exit_code=3,
    ),
    Cause(
        code="not-visible",
        state=State.NOT_READY,
        summary="Neither a socket nor a process of a daemon can be seen from here, so nothing is known about it.",
        remedies=(
            "Start Open vSwitch if it is stopped: its sockets are expected in {directory}. In a container, mount it "
            "and share the host's pid namespace (`hostPID: true`). If they are elsewhere, name their directory with "
            "--rundir.",
            "Start Open vSwitch if it is stopped. In a container, mount its run directory and share its pid "
            "namespace (`hostPID: true`); otherwise name the directory with --rundir.",
        ),
        reasons=frozenset({"not-visible"}),
        in_start=True,
        exit_code=3,
    ),
    Cause(
        code="socket-mounted",
        state=State.NOT_READY,
        summary="A socket was mounted here as a file, and has been dead since its daemon restarted. "
        "The node may still work.",
        remedies=(
            "Mount the directory {directory} instead of {socket}, then restart this container.",
            "Mount the run directory instead of the socket, then restart this container.",
        ),
        reasons=frozenset({"socket-mounted"}),
        exit_code=3,
        lasting=True,
    ),
    Cause(
        code="southbound-wrong-address",
        state=State.DEGRADED,
        summary="external_ids:ovn-remote names an address that serves no southbound database.",
        remedies=("Correct external_ids:ovn-remote.",),
        reasons=frozenset({"no-address", "no-southbound", "unknown-database", "protocol"}),
        daemon="southbound",
    ),
    Cause(
        code="database-foreign",
        state=State.NOT_READY,
        summary="The server at the database's address does not serve Open_vSwitch.",
        remedies=("Point ovsnet at the right run directory (--rundir) or database (--database).",),
        reasons=frozenset({"unknown-database"}),
        daemon="ovsdb-server",
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

DATABASE = (
    Cause(
        code="descriptors-exhausted",
        state=State.NOT_READY,
        summary="A daemon has as many files open as it may, and accepts no new connection.",
        remedies=(
            "Raise the limit of process {pid} (`prlimit --pid {pid} --nofile={doubled}`, later `LimitNOFILE=`), and "
            "find what holds its {descriptors} descriptors (`ls -l /proc/{pid}/fd`).",
            "Raise its limit (`LimitNOFILE=`), and find what holds its descriptors (`ls -l /proc/PID/fd`).",
        ),
        reasons=frozenset({"no-descriptors"}),
    ),
    Cause(
        code="socket-missing",
        state=State.NOT_READY,
        summary="ovsdb-server runs, and the name of its socket does not lead to it: no new client can connect.",
        remedies=(
            "Restart ovsdb-server (process {pid}), which creates the socket; find out what removed it.",
            "Restart ovsdb-server, which creates the socket; find out what removed it.",
        ),
        reasons=ABSENT,
        daemon="ovsdb-server",
        socket=Socket.DATABASE,
        in_start=True,
    ),
    Cause(
        code="ovsdb-backlog-full",
        state=State.NOT_READY,
        summary="The accept queue of db.sock is full: no new client can connect.",
        remedies=("Find the clients that flood it (`ss -xp | grep db.sock`).",),
        reasons=frozenset({"backlog-full"}),
        daemon="ovsdb-server",
        socket=Socket.DATABASE,
    ),
    Cause(
        code="database-unreachable",
        state=State.NOT_READY,
        summary="The database's address cannot be reached. Whether ovsdb-server runs is not known.",
        remedies=("Check the address, the route and the firewall.",),
        reasons=frozenset({"unreachable"}),
        daemon="ovsdb-server",
    ),
)

CONVERT = (
    "Convert the database, with the schema of this ovs-vswitchd: `ovsdb-client convert {address} "
    "/usr/share/openvswitch/vswitch.ovsschema`. The database says: {refused}."
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
        remedies=(
            "Read ovs-vswitchd's log. {missing} is missing with every other bridge: for lack of the kernel module "
            "(`modprobe openvswitch`), or because another ovs-vswitchd took the database lock.",
            "Read ovs-vswitchd's log: a missing kernel module (`modprobe openvswitch`) is the usual reason.",
        ),
        reasons=frozenset({"datapath-missing"}),
        in_start=True,
    ),
    Cause(
        code="flow-restore-wait",
        state=State.NOT_READY,
        summary="The switch was told to wait until its flows are restored, and still waits: it forwards nothing.",
        remedies=(
            "ovn-controller set it {by_ovn}, as OVN 24.03.8, 25.03.3, 25.09.3 and 26.03.1 do on HA gateways, and may "
            "never clear it. Remove it (`ovs-vsctl --no-wait remove Open_vSwitch . other_config flow-restore-wait`), "
            "and move to another release.",
            "Once the flows are back: `ovs-vsctl --no-wait remove Open_vSwitch . other_config flow-restore-wait`.",
        ),
        reasons=frozenset({"flow-restore-wait"}),
        in_start=True,
    ),
    Cause(
        code="vswitchd-not-connected",
        state=State.DEGRADED,
        summary="ovs-vswitchd has not reconnected to the database, and serves no OpenFlow until it has.",
        remedies=(
            CONVERT,
            "Wait {retry_seconds} s: its backoff ends by itself.",
            "Wait: its backoff ends by itself, after eight seconds at most.",
        ),
        daemon="ovs-vswitchd",
        reasons=frozenset({"no-database"}),
        in_start=True,
    ),
    Cause(
        code="vswitchd-not-connected",
        state=State.NOT_READY,
        summary="ovs-vswitchd has configured nothing: its database has another schema than it was made for.",
        remedies=(
            CONVERT,
            "Convert the database, with the schema of this ovs-vswitchd (`ovsdb-client convert`).",
        ),
        daemon="ovs-vswitchd",
        reasons=frozenset({"schema-refused"}),
    ),
    Cause(
        code="mgmt-socket-missing",
        state=State.NOT_READY,
        summary="The bridge exists, and its management socket is gone: ovn-controller cannot reconnect.",
        remedies=("Restart ovs-vswitchd, which creates the socket; find out what removed it.",),
        reasons=ABSENT,
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

CONSEQUENCES = (
    Cause(
        code="connection-closed",
        state=State.NOT_READY,
        summary="A daemon accepts connections and closes them without an answer.",
        remedies=("Read its log for the reason.",),
        reasons=frozenset({"closed"}),
        in_start=True,
    ),
    Cause(
        code="socket-missing",
        state=State.DEGRADED,
        summary="A daemon runs, and the name of its control socket does not lead to it: `ovs-appctl` cannot reach it.",
        remedies=(
            "Restart process {pid} when it suits: it creates the socket. Find out what removed it.",
            "Restart the daemon when it suits: it creates the socket. Find out what removed it.",
        ),
        reasons=ABSENT,
        socket=Socket.CONTROL,
        in_start=True,
    ),
    Cause(
        code="controller-not-connected",
        state=State.DEGRADED,
        summary="ovn-controller runs without a southbound or an OpenFlow session.",
        flows_stay=True,
        remedies=(
            "Have ovs-vswitchd listen at {remote} (`ovs-vsctl set-controller {bridge} ...`), or remove "
            "external_ids:ovn-bridge-remote: without it, ovn-controller uses the bridge's own socket.",
            "Wait {retry_seconds} s: its backoff ends by itself. Next time start ovn-controller after "
            "`ovsnet wait --for openflow`, which saves the backoff.",
            "Check external_ids:ovn-remote and that the southbound database can be reached; a backoff ends by itself. "
            "If ovn-controller's log says that a server has stale data: "
            "`ovn-appctl -t ovn-controller sb-cluster-state-reset`.",
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
            "This node has no OVN: have the controller or script that owns {without_ovn} install its flows.",
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
    "ovsdb-server": DATABASE,
    "ovs-vswitchd": SWITCH,
    "ovn-controller": CONTROLLER,
    "southbound": SOUTHBOUND,
}
"""The named reasons that belong below a daemon's own rows."""
