"""Memory limits of the daemons' cgroups, and what the kernel killed for them.

Threads are what ovs-vswitchd's memory grows with, for it locks their stacks (``--mlockall``): with a limit that was
made for four CPUs it is killed again after each restart (kube-ovn #5007, ovn-kubernetes #3842).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.running import daemons, nobody_runs
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.memory import NEAR, Memory, memories

RAISE = "Raise the memory limit of its container, or MemoryMax= of its service; fewer threads need less."


@examination("memory.limit")
def limit(host: Host, live: Live) -> Iterator[Finding]:
    """No daemon is near the memory limit of its cgroup."""
    found = _memories(host, live)
    if found is None:
        yield nobody_runs()
        return
    limited = {name: one for name, one in found.items() if one.limit}
    evidence = [f"{name}: {_mib(one.used)} of {_mib(one.limit)} by {one.setting}" for name, one in limited.items()]
    near = [name for name, one in found.items() if one.share >= NEAR]
    if near:
        worst = max(one.share for one in found.values())
        yield warning(f"{', '.join(near)} uses {worst:.0%} of its memory limit.", RAISE, *evidence)
    else:
        yield ok("No daemon is near a memory limit.", *evidence)


@examination("memory.killed")
def killed(host: Host, live: Live) -> Iterator[Finding]:
    """The kernel killed no process for lack of memory."""
    found = _memories(host, live) or {}
    hit = {name: one for name, one in found.items() if one.kills}
    everywhere = re.search(r"^oom_kill (\d+)$", host.read("/proc/vmstat") or "", re.MULTILINE)
    if hit:
        yield warning(
            f"The kernel killed in the cgroup of {', '.join(hit)} for lack of memory.",
            RAISE,
            *(f"{name}: {one.kills} times, {_bounds(one)}" for name, one in hit.items()),
        )
    elif everywhere is not None and int(everywhere[1]):
        yield note(
            f"The kernel has killed {everywhere[1]} processes of this host for lack of memory since it was booted.",
            "See which: journalctl -k --grep 'Out of memory|oom-kill'.",
            f"/proc/vmstat: oom_kill {everywhere[1]}",
        )
    else:
        yield ok("The kernel killed no process for lack of memory, as far as can be seen.")


def _memories(host: Host, live: Live) -> dict[str, Memory] | None:
    """By daemon whose memory is counted; None when none runs. Raises UnfitEnvironment."""
    pids = daemons(host, live)
    proc, cgroups = host.locate("/proc"), host.locate("/sys/fs/cgroup")
    found = memories(pids, proc, cgroups)
    return {name: one for name, one in found.items() if one is not None} if pids else None


def _bounds(one: Memory) -> str:
    return f"limit {_mib(one.limit)} by {one.setting}" if one.limit else "without a limit: the host ran out of memory"


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"
