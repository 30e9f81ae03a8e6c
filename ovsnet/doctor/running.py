"""The daemons that run, for examinations of what bounds a process."""

from __future__ import annotations

from ovsnet.doctor.finding import Finding, unseen
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.chassis import SYSTEM_ID_OVERRIDE, chassis_name
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import ON_A_NODE, daemon_pid
from ovsnet.node.host_files import Host


def daemons(host: Host, live: Live) -> dict[str, int]:
    """The pids of those of this node that are seen, by name. Raises UnfitEnvironment."""
    return {name: pid for name in ON_A_NODE if (pid := daemon_pid(host, live, name)) is not None}


def arguments(host: Host, pid: int) -> list[str]:
    """A process's command line; empty when it is gone. Raises UnfitEnvironment."""
    return (host.read(f"/proc/{pid}/cmdline") or "").rstrip("\0").split("\0")


def chassis(host: Host, live: Live) -> str:
    """The name of this node's chassis, as far as can be seen; empty when it has none. Raises UnfitEnvironment."""
    pid = daemon_pid(host, live, "ovn-controller")
    words = [] if pid is None else arguments(host, pid)
    return chassis_name(live.need_database().external_ids, words, host.read(SYSTEM_ID_OVERRIDE) or "")


def in_the_switchs_network(host: Host, live: Live) -> bool:
    """Whether our network namespace is that of ovs-vswitchd, or of the host where none runs: what the kernel shows of
    the network is of ours. Where process 1 is that of our own container, neither is seen. Raises UnfitEnvironment."""
    process = daemon_pid(host, live, "ovs-vswitchd")
    if process is None and not host.sees_all_processes:
        return False
    process = process or 1
    return host.link("/proc/self/ns/net") == host.link(f"/proc/{process}/ns/net")


def has_the_hosts_files(host: Host, process: int) -> bool:
    """Whether it sees the same files as the host, as far as can be seen: it runs in no container."""
    try:
        return host.link(f"/proc/{process}/ns/mnt") == host.link("/proc/1/ns/mnt")
    except UnfitEnvironment:
        return False


def nobody_runs() -> Finding:
    """None of them does, and what is asked about is of one that does."""
    return unseen(
        "No daemon of this run directory runs here, so this cannot be seen.",
        "Start Open vSwitch, then run ovsnet doctor again.",
    )
