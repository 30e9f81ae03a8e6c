"""Threads of ovs-vswitchd: how many run, how many CPUs it may use, and whether the kernel decides how many handle.

With per-CPU dispatch, which Open vSwitch 2.16 and later asks the kernel for, ``n-handler-threads`` is overridden
(lib/dpif-netlink.c ``dpif_netlink_number_handlers_required``, ofproto/ofproto-dpif-upcall.c ``udpif_set_threads``).
Whether a kernel grants it, its version does not show: Linux does since 5.15, and vendors' kernels from 4.18 on
(openvswitch/ovs-issues #318). The handlers that run do show it. ``n-revalidator-threads`` counts in either case.
"""

from __future__ import annotations

import math

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import daemon_pid
from ovsnet.node.host_files import Host, count_cpus

PER_CPU_OVS = (2, 16)

NO_USERSPACE_HANDLERS = (3, 4)
"""Since then a userspace datapath makes no handler threads at all (f0d1beca6, lib/dpif-netdev.c)."""


class Threads(msgspec.Struct, frozen=True):
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
    """Whether the kernel hands packets to a handler of each CPU, by the handlers that run; None when they do not
    show it.

    Raises UnfitEnvironment.
    """
    ovs = live.version("ovs-vswitchd")
    if live.kernel_datapath is False or (ovs and ovs < PER_CPU_OVS):
        return False
    try:
        running = running_threads(host, live)
    except UnfitEnvironment:
        return None
    if not live.kernel_datapath or running is None:
        return None
    return told_by(running.handlers, usable_cpus(host, live), host.cpus, asked_threads(live))


class Asked(msgspec.Struct, frozen=True):
    """What is set of n-handler-threads and n-revalidator-threads; 0 for what is not."""

    handlers: int = 0
    revalidators: int = 0


def asked_threads(live: Live) -> Asked:
    """As ``smap_get_int`` reads them; nothing where no database was asked."""
    settings = live.database.other_config if live.database else {}
    return Asked(*(_count(settings.get(f"n-{kind}-threads", "")) for kind in ("handler", "revalidator")))


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and int(text) < 2**31 else 0


def told_by(handlers: int, cpus: int, online: int, asked: Asked) -> bool | None:
    """What so many handlers mean: more can be the kernel's number, or the one that is set, or both."""
    of_kernel = {cpus, kernels_handlers(cpus, online)}
    of_setting = asked.handlers or default_handlers(cpus, asked.revalidators)
    if handlers in of_kernel and handlers != of_setting:
        return True
    return False if handlers == of_setting and handlers not in of_kernel else None


def kernels_handlers(cpus: int, online: int) -> int:
    """How many there are under per-CPU dispatch: with fewer CPUs than the host has, the next prime, for fairness
    (lib/dpif-netlink.c ``dpif_netlink_calculate_n_handlers``; a5cacea5f, in the tags 2.16.5, 2.17.3 and 3.0.0)."""
    if cpus < online and online > 2:
        number = cpus + 1
        while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
            number += 1
        return min(number, online)
    return max(cpus, 1)


def default_handlers(cpus: int, revalidators: int = 0) -> int:
    """What vswitchd starts where nothing is set of handlers and the kernel leaves it the choice."""
    threads = max(cpus, 2)
    return max(threads - (revalidators or threads // 4 + 1), 1)


def default_revalidators(cpus: int, handlers: int = 0) -> int:
    """What vswitchd starts where nothing is set of revalidators. ``handlers`` is n-handler-threads, where that counts:
    the rest of the CPUs then revalidates."""
    threads = max(cpus, 2)
    return max(threads - handlers, 1) if handlers else threads // 4 + 1


def why_handlers_are_fixed(host: Host, live: Live) -> str:
    """Why ``n-handler-threads`` has no effect on this node, as a sentence; empty when it has one, or may have.

    Raises UnfitEnvironment.
    """
    if per_cpu_dispatch(host, live):
        running = running_threads(host, live)
        count = running.handlers if running else 0
        return f"The kernel dispatches packets per CPU here: {count} handlers run on {usable_cpus(host, live)} CPUs."
    if live.kernel_datapath is False and (live.version("ovs-vswitchd") or ()) >= NO_USERSPACE_HANDLERS:
        return "The datapath is in userspace, and makes no handlers."
    return ""
