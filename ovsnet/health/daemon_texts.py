"""What is said of each daemon that is down, hung, slow, or starts again and again."""

from __future__ import annotations

import msgspec


class Texts(msgspec.Struct, frozen=True):
    """Sentences of one daemon's rows: a summary and remedies each; of its restarts, what each of them does."""

    down: tuple[str, ...]
    hung: tuple[str, ...]
    slow: tuple[str, ...]
    restarting: str = "each restart interrupts what depends on it"


HELD = (
    "Process {stopped} is stopped: resume it with `kill -CONT {stopped}`.",
    "Thread {thread} of process {pid} is stopped by {debugger}: detach that debugger, or end it (`kill {tracer}`).",
    "Process {pid} is stopped by {debugger}: detach that debugger, or end it (`kill {tracer}`).",
    "Process {pid} is frozen by the cgroup {frozen}: `{thaw}`, or resume its container.",
    "Thread {thread} of process {pid} is stopped: find out by whom, and save `cat /proc/{pid}/task/*/stack`.",
)
"""What keeps a process from running at all, and how to end that."""
STARVED = (
    "Its cgroup {cgroup} throttles it: raise the quota in {quota} (in Kubernetes, the pod's CPU limit).",
    "The host is short of CPU ({cpu_pressure} of the time some task waits for a core): add cores, or reduce its load.",
    "The disk is too slow ({io_pressure} of the time some task waits for it): find what writes, or use a faster one.",
    "The host is short of memory ({memory_pressure} of the time some task waits for it): find what uses it up.",
)
"""What takes the time of a process that would go on."""
INSPECT = (
    "Save `cat /proc/{pid}/stack` and the log of {title} for a bug report, then restart it.",
    "Find its process and save `cat /proc/PID/stack` for a bug report, then restart it; resume it if it is stopped.",
)
MADE_ANEW = (
    "Its database file {database} {damage}, so no start succeeds. Restore a backup, or have a member of a cluster join "
    "it again (`ovsdb-tool join-cluster`)."
)
BUSY_DATABASE = "See who writes so much (`ovsdb-server/perf-counters-show` on its control socket), or give it CPU."
RECONNECT = "its clients lose it each time, and reconnect to it or to another one"
ELSEWHERE = "Restarting anything on this node does not help."

TEXTS = {
    "ovsdb-server": Texts(
        down=(
            "ovsdb-server is not running. ovs-vswitchd serves no OpenFlow without it; installed flows stay.",
            "Its database file {database} {damage}, so no start succeeds. Restore a backup, or move it away: "
            "`ovs-ctl start` makes a new one. Then set external_ids again (system-id, hostname, ovn-remote, "
            "ovn-encap-type, ovn-encap-ip, ovn-bridge-mappings).",
            "Start it (`systemctl start ovsdb-server`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovsdb-server accepts connections, answers nothing and makes no progress.", *HELD, *INSPECT),
        slow=(
            "ovsdb-server responds slowly but is still making progress, or is starved.",
            *HELD,
            *STARVED,
            "Give it CPU and a disk that syncs faster, or wait until it has finished.",
        ),
    ),
    "ovs-vswitchd": Texts(
        down=(
            "ovs-vswitchd is not running.",
            "Start it (`systemctl start ovs-vswitchd`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovs-vswitchd accepts connections, answers nothing and makes no progress.", *HELD, *INSPECT),
        slow=(
            "ovs-vswitchd responds slowly but is still making progress, or is starved of CPU. Do not restart it.",
            *HELD,
            *STARVED,
            "Raise its CPU quota (see `cpu.throttled` in `ovsnet doctor`) or reduce the load on the host; "
            "otherwise wait.",
        ),
    ),
    "ovn-controller": Texts(
        down=(
            "ovn-controller is not running: new pods on this node get no network.",
            "Start it (`systemctl start ovn-controller`, or the ovs-ovn pod) and read its log.",
        ),
        hung=("ovn-controller answers nothing and makes no progress.", *HELD, *INSPECT),
        slow=(
            "ovn-controller responds slowly but is still making progress, or is starved of CPU. "
            "On a large network it computes for seconds.",
            *HELD,
            *STARVED,
            "Wait until it has finished; if it never does, give it CPU.",
        ),
    ),
    "ovnnb_db": Texts(
        down=(
            "This host's northbound server is not running: nothing new can be asked of the network through it.",
            MADE_ANEW,
            "Start it (`systemctl start ovn-ovsdb-server-nb`, or the ovn-central pod) and read its log.",
        ),
        hung=(
            "This host's northbound server accepts connections, answers nothing and makes no progress.",
            *HELD,
            *INSPECT,
        ),
        slow=("This host's northbound server responds slowly.", *HELD, *STARVED, BUSY_DATABASE),
        restarting=RECONNECT,
    ),
    "ovnsb_db": Texts(
        down=(
            "This host's southbound server is not running: no ovn-controller gets updates from it.",
            MADE_ANEW,
            "Start it (`systemctl start ovn-ovsdb-server-sb`, or the ovn-central pod) and read its log.",
        ),
        hung=(
            "This host's southbound server accepts connections, answers nothing and makes no progress.",
            *HELD,
            *INSPECT,
        ),
        slow=("This host's southbound server responds slowly.", *HELD, *STARVED, BUSY_DATABASE),
        restarting=RECONNECT,
    ),
    "ovn-northd": Texts(
        down=(
            "ovn-northd is not running. If no other host has one, nothing that is new in the northbound reaches any "
            "node.",
            "Start it (`systemctl start ovn-northd`, or the ovn-central pod) and read its log. If it is to run on "
            "other hosts only, remove the pidfile that it left.",
        ),
        hung=(
            "ovn-northd answers nothing and makes no progress: while it holds its lock, nothing that is new in the "
            "northbound reaches any node.",
            *HELD,
            *INSPECT,
        ),
        slow=(
            "ovn-northd responds slowly but is still making progress, or is starved. "
            "On a large network it computes for seconds.",
            *HELD,
            *STARVED,
            "Wait until it has finished; if it never does, see `ovn-appctl -t ovn-northd inc-engine/show-stats`.",
        ),
        restarting="what is new in the northbound waits each time, until one has computed everything again",
    ),
    "southbound": Texts(
        down=(
            "The southbound database cannot be reached from this node.",
            MADE_ANEW,
            f"Start it, or correct external_ids:ovn-remote. {ELSEWHERE}",
        ),
        hung=(
            "The southbound server accepts connections and answers nothing; ovn-controller may still call itself "
            "connected.",
            *HELD,
            *STARVED,
            f"Inspect the server's process on its host. {ELSEWHERE}",
        ),
        slow=(
            "The southbound server responds slowly.",
            *HELD,
            *STARVED,
            f"Check the load on its host. {ELSEWHERE}",
        ),
    ),
}
