"""Threads of ovs-vswitchd: how many run, how many CPUs it may use, and whether the kernel decides how many handle.

With per-CPU dispatch (Open vSwitch 2.16 and kernel 5.15, both or newer) the kernel datapath wants one handler per CPU
and ``n-handler-threads`` is overridden (lib/dpif-netlink.c ``dpif_netlink_number_handlers_required``,
ofproto/ofproto-dpif-upcall.c ``udpif_set_threads``). ``n-revalidator-threads`` counts in either case. Unset, a quarter
of the CPUs plus one revalidate and the others handle.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import daemon_pid
from ovsnet.node.host_files import Host, count_cpus
from ovsnet.node.version import parse_version

PER_CPU_OVS = (2, 16)
PER_CPU_KERNEL = (5, 15)

NO_USERSPACE_HANDLERS = (3, 4)
"""Since then a userspace datapath makes no handler threads at all (f0d1beca6, lib/dpif-netdev.c)."""


@dataclass(frozen=True, slots=True)
class Threads:
    """How many threads of each kind run."""

    handlers: int
    revalidators: int


def usable_cpus(host: Host, live: Live) -> int:
    """CPUs that vswitchd may run on by its affinity and cpuset, else those online. Raises UnfitEnvironment."""
    pid = daemon_pid(host, live, "ovs-vswitchd")
    for line in (host.read(f"/proc/{pid}/status") or "").splitlines() if pid else ():
        if line.startswith("Cpus_allowed_list:"):
            return count_cpus(line.partition(":")[2])
    return host.cpus


def running_threads(host: Host, live: Live) -> Threads | None:
    """Counted by their names, or None when no vswitchd is seen. Raises UnfitEnvironment."""
    pid = daemon_pid(host, live, "ovs-vswitchd")
    if pid is None:
        return None
    names = [host.read(f"/proc/{pid}/task/{each}/comm") or "" for each in host.names(f"/proc/{pid}/task")]
    return Threads(
        sum(name.startswith("handler") for name in names), sum(name.startswith("revalidator") for name in names)
    )


def per_cpu_dispatch(host: Host, live: Live) -> bool | None:
    """Whether the kernel hands packets to one handler per CPU; None when nobody can tell. Raises UnfitEnvironment."""
    ovs, kernel = live.version("ovs-vswitchd"), parse_version(host.release)
    if live.kernel_datapath is False or (kernel and kernel < PER_CPU_KERNEL) or (ovs and ovs < PER_CPU_OVS):
        return False
    return True if live.kernel_datapath and ovs and kernel else None


def default_revalidators(cpus: int) -> int:
    """What vswitchd starts when nothing is set."""
    return max(cpus // 4 + 1, 1)


def why_handlers_are_fixed(host: Host, live: Live) -> str:
    """Why ``n-handler-threads`` has no effect on this node, as a sentence; empty when it has one, or may have.

    Raises UnfitEnvironment.
    """
    if per_cpu_dispatch(host, live):
        return "The kernel dispatches packets per CPU here, and ovs-vswitchd makes one handler for each of its cores."
    if live.kernel_datapath is False and (live.version("ovs-vswitchd") or ()) >= NO_USERSPACE_HANDLERS:
        return "The datapath is in userspace, and makes no handlers."
    return ""
