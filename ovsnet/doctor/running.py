"""The daemons that run, for examinations of what bounds a process."""

from __future__ import annotations

from ovsnet.doctor.finding import Finding, unseen
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import ON_A_NODE, daemon_pid
from ovsnet.node.host_files import Host


def daemons(host: Host, live: Live) -> dict[str, int]:
    """The pids of those of this node that are seen, by name. Raises UnfitEnvironment."""
    return {name: pid for name in ON_A_NODE if (pid := daemon_pid(host, live, name)) is not None}


def arguments(host: Host, pid: int) -> list[str]:
    """A process's command line; empty when it is gone. Raises UnfitEnvironment."""
    return (host.read(f"/proc/{pid}/cmdline") or "").rstrip("\0").split("\0")


def nobody_runs(what: str) -> Finding:
    """None of them does, so it cannot be seen."""
    return unseen(
        f"{what} cannot be seen: no daemon of this run directory runs here.",
        "Start it, then run ovsnet doctor again.",
    )
