"""What does the agent cost while nothing happens: default settings, each fast check once a second?

The peer's share is computed: what its commands use, every 5 s as Kube-OVN's chart has it (ovsovn-ds.yaml).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio

from bench.comparison import Row, Target
from bench.processes import Memory, agent, cpu_seconds, memory, serving, spend
from bench.round_of_checks import healthcheck
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

SETTLE = 3.0
"""Seconds for the start to be over: first round of checks, first collection of garbage."""

WINDOW = 5.0
ROUNDS = 5
PEER, PEER_PERIOD = "ovs-healthcheck.sh's commands, every 5 s", 5.0


async def measure(node: Sandbox) -> list[Row]:
    with serving(agent(node)) as server:
        await anyio.sleep(SETTLE)
        shares = [await cpu_share(server.pid, WINDOW) for _ in range(ROUNDS)]
        used = memory(server.pid)
    commands, environment = healthcheck(node)
    peers = [spend(commands, environment).cpu / PEER_PERIOD for _ in range(ROUNDS)]
    return rows(used, shares, peers)


def rows(used: Memory, shares: Sequence[float], peers: Sequence[float]) -> list[Row]:
    """``shares`` and ``peers`` are parts of one core."""
    ours, theirs = [share * 100 for share in shares], [share * 100 for share in peers]
    return [
        Row("Agent at rest: VmRSS", "MiB", [used.resident], target=Target("ours", at_most=45)),
        Row("Agent at rest: PSS", "MiB", [used.proportional]),
        Row("Agent at rest: CPU, of one core", "%", ours, theirs, PEER, Target("ours", at_most=0.5)),
    ]


async def cpu_share(pid: int, seconds: float) -> float:
    """The part of one core that a process uses."""
    began, before = time.perf_counter(), cpu_seconds(pid)
    await anyio.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.perf_counter() - began)


if __name__ == "__main__":
    alone(measure)
