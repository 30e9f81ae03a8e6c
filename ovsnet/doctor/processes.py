"""What bounds the threads and the locked memory of ovs-vswitchd, and whether it is the only one of its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ovsnet.doctor.cpu import MOUNT
from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.running import arguments, daemons, nobody_runs
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

NEARLY_ALL = 0.8

IPC_LOCK = 1 << 14
"""CAP_IPC_LOCK, for which RLIMIT_MEMLOCK does not count (mm/mlock.c, ``can_do_mlock``)."""

PARENT = 1
"""Index of the parent's pid behind the name in /proc/PID/stat, whose first is the state."""


@examination("limits.vswitchd-memlock")
def memlock(host: Host, live: Live) -> Iterator[Finding]:
    """ovs-vswitchd may lock as much memory as ``--mlockall`` asks for."""
    pid = daemons(host, live).get("ovs-vswitchd")
    if pid is None:
        yield nobody_runs()
        return
    if "--mlockall" not in arguments(host, pid):
        yield ok("ovs-vswitchd was not asked to lock its memory.")
        return
    limits = re.search(r"^Max locked memory\s+(\S+)", host.need(f"/proc/{pid}/limits"), re.MULTILINE)
    limit = limits[1] if limits else "unlimited"
    held = re.search(r"^CapEff:\s*([0-9a-f]+)$", host.read(f"/proc/{pid}/status") or "", re.MULTILINE)
    if limit == "unlimited" or (held is not None and int(held[1], 16) & IPC_LOCK):
        yield ok("ovs-vswitchd may lock all its memory.", f"/proc/{pid}/limits: {limit}")
        return
    yield warning(
        f"ovs-vswitchd locks all its memory, and may lock {int(limit) >> 20} MiB: beyond that no thread can be made "
        "(`pthread_create failed`).",
        "Set LimitMEMLOCK=infinity for its service, give its container CAP_IPC_LOCK, or leave out --mlockall.",
        f"/proc/{pid}/limits: Max locked memory {limit}",
    )


@examination("limits.pids")
def pids(host: Host, live: Live) -> Iterator[Finding]:
    """The daemons may make more threads."""
    found = daemons(host, live)
    if not found:
        yield nobody_runs()
        return
    counts = {
        name: [each for group in _groups(host, pid) if (each := _count(host, group))] for name, pid in found.items()
    }
    evidence = [f"{name}: {used} of {most} by {group}" for name, each in counts.items() for group, used, most in each]
    tight = [name for name, each in counts.items() if any(used > NEARLY_ALL * most for _, used, most in each)]
    if tight:
        yield warning(
            f"The cgroup of {', '.join(tight)} has nearly as many threads and processes as it may have.",
            "Raise TasksMax= of its service, or the kubelet's podPidsLimit.",
            *evidence,
        )
    else:
        yield ok("The daemons may make more threads.", *evidence)


def _groups(host: Host, pid: int) -> Iterator[PurePosixPath]:
    """The group that counts a process's threads, and those above it."""
    for line in (host.read(f"/proc/{pid}/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        inner = PurePosixPath(path.lstrip("/"))
        if controllers in ("", "pids") and ".." not in inner.parts:
            mount = MOUNT / controllers
            yield from (mount / each for each in (inner, *inner.parents))


def _count(host: Host, group: PurePosixPath) -> tuple[str, int, int] | None:
    used, most = ((host.read(str(group / f"pids.{name}")) or "").strip() for name in ("current", "max"))
    return (str(group), int(used), int(most)) if used.isdigit() and most.isdigit() else None


@examination("switch.alone")
def alone(host: Host, live: Live) -> Iterator[Finding]:
    """One ovs-vswitchd runs on this host."""
    switches = list(_switches(host))
    spaces = [host.link(f"/proc/{pid}/ns/net") for pid in switches]
    shared = [
        f"process {pid}" for pid, space in zip(switches, spaces, strict=True) if space and spaces.count(space) > 1
    ]
    if not shared:
        yield ok("No two ovs-vswitchd share a network namespace, as far as can be seen.")
        return
    what = f"{len(shared)} ovs-vswitchd run in one network namespace"
    if live.kernel_datapath:
        # Each removes what it does not know from "ovs-system" (ofproto/ofproto-dpif.c, open_dpif_backer).
        yield warning(
            f"{what}: they share its kernel datapath, and each removes the other's ports.",
            "Stop one: a package's service beside a pod's, mostly (`systemctl disable --now openvswitch-switch`).",
            *shared,
        )
    else:
        yield note(
            f"{what}; that works only while the bridges of all but one forward in userspace.",
            "Keep it so, or stop the others.",
            *shared,
        )


def _switches(host: Host) -> Iterator[int]:
    """Without the monitors that ``--monitor`` makes, which are the parents of what they watch."""
    found = {pid: _parent(host, pid) for pid, name in host.processes.items() if name == "ovs-vswitchd"}
    yield from (pid for pid in found if pid not in found.values())


def _parent(host: Host, pid: int) -> int:
    fields = (host.read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return int(fields[PARENT]) if len(fields) > PARENT else 0
