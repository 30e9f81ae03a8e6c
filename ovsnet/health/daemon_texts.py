"""What is said of each daemon that is down, hung or slow."""

from __future__ import annotations

from dataclasses import dataclass


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
            "The southbound database cannot be reached from this node.",
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
