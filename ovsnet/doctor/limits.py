"""File limits: how many descriptors vswitchd and ovsnet may open, and need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.config import Settings
from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.doctor.running import nobody_runs
from ovsnet.errors import UnfitEnvironment
from ovsnet.io.nofile import nofile_needed
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import daemon_pid
from ovsnet.node.host_files import Host
from ovsnet.node.vswitchd_threads import default_revalidators, per_cpu_dispatch, running_threads, usable_cpus

BASE = 256
"""Descriptors of vswitchd besides threads and ports: sockets, logs, netlink, 100 clients of its service sockets."""
PER_THREAD = 2
"""A pipe: ``failed to create pipe (Too many open files)`` aborts vswitchd (lib/latch-unix.c)."""
NEARLY_ALL = 0.8

SOFT, HARD = 1, 2


@examination("limits.vswitchd-files")
def vswitchd_files(host: Host, live: Live) -> Iterator[Finding]:
    """ovs-vswitchd may open as many files as its ports and threads need."""
    pid = daemon_pid(host, live, "ovs-vswitchd")
    if pid is None:
        yield nobody_runs()
        return
    limit = file_limit(host, pid)
    needed, why = _needed(host, live)
    used = _used(host, pid)
    evidence = [f"/proc/{pid}/limits: {limit} files", why, *([f"{used} are open"] if used is not None else [])]
    remedy = "Set LimitNOFILE=65536 for its service, and restart it in a maintenance window."
    if used is not None and used > NEARLY_ALL * limit:
        yield warning(f"ovs-vswitchd has {used} of at most {limit} files open.", remedy, *evidence)
    elif needed > limit:
        yield warning(f"ovs-vswitchd may open {limit} files, and needs up to {needed}.", remedy, *evidence)
    else:
        yield ok(f"ovs-vswitchd may open {limit} files, and needs up to {needed}.", *evidence)


@examination("limits.own-files")
def own_files(host: Host, live: Live) -> Iterator[Finding]:
    """ovsnet itself may open as many files as its HTTP connections need."""
    limit = file_limit(host, "self", HARD)  # up to which the agent raises its own
    needed = nofile_needed(Settings().max_connections)
    if limit >= needed:
        yield ok(f"ovsnet may open {limit} files, and needs up to {needed}.")
    else:
        yield warning(
            f"ovsnet may open {limit} files, and its agent needs up to {needed}.",
            "Raise LimitNOFILE of its service, or lower --max-connections.",
            "/proc/self/limits",
        )


def file_limit(host: Host, pid: int | str, kind: int = SOFT) -> int:
    """RLIMIT_NOFILE of a process, the soft or the hard one. Raises UnfitEnvironment."""
    found = re.search(r"^Max open files\s+(\d+)\s+(\d+)", host.need(f"/proc/{pid}/limits"), re.MULTILINE)
    if found is None:
        raise UnfitEnvironment(f"/proc/{pid}/limits names no limit of open files.")
    return int(found.group(kind))


def _needed(host: Host, live: Live) -> tuple[int, str]:
    """Per-port dispatch opens a netlink socket for each port and handler, which has hit the limit in the field
    (crowbar #1672); per-CPU dispatch opens one for each handler."""
    cpus = usable_cpus(host, live)
    running = running_threads(host, live)
    handlers = running.handlers if running else cpus
    revalidators = running.revalidators if running else default_revalidators(cpus)
    ports = live.database.interfaces if live.database else 0
    per_port = live.kernel_datapath is True and per_cpu_dispatch(host, live) is False
    sockets = ports * handlers if per_port else ports
    kind = f"{ports} ports with a socket per handler" if per_port else f"{ports} ports"
    why = f"{kind}, {handlers} handlers, {revalidators} revalidators"
    return BASE + PER_THREAD * (handlers + revalidators) + sockets, why


def _used(host: Host, pid: int) -> int | None:
    try:
        return len(host.names(f"/proc/{pid}/fd"))
    except UnfitEnvironment:
        # Only root and the daemon's own user may list it; anyone may read the limit itself.
        return None
