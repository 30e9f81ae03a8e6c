"""What does the agent cost while nothing happens: default settings, each fast check once a second?"""

from __future__ import annotations

import time

import anyio

from bench.comparison import Row, Target
from bench.processes import agent, cpu_seconds, memory, serving
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

SETTLE = 3.0
"""Seconds for the start to be over: first round of checks, first collection of garbage."""

WINDOW = 5.0
ROUNDS = 5


async def measure(node: Sandbox) -> list[Row]:
    with serving(agent(node)) as server:
        await anyio.sleep(SETTLE)
        shares = [await cpu_share(server.pid, WINDOW) * 100 for _ in range(ROUNDS)]
        used = memory(server.pid)
    return [
        Row("Agent at rest: VmRSS", "MiB", [used.resident], target=Target("ours", at_most=45)),
        Row("Agent at rest: PSS", "MiB", [used.proportional]),
        Row("Agent at rest: CPU, of one core", "%", shares, target=Target("ours", at_most=0.5)),
    ]


async def cpu_share(pid: int, seconds: float) -> float:
    """The part of one core that a process uses."""
    began, before = time.perf_counter(), cpu_seconds(pid)
    await anyio.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.perf_counter() - began)


if __name__ == "__main__":
    alone(measure)
