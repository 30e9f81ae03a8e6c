"""What does the agent cost while nothing happens: default settings, each fast check once a second?

The peer's share is computed: what its commands use, every 5 s as Kube-OVN's chart has it (ovsovn-ds.yaml). Beside that,
what ten people cost who look at its page: each holds ``/events``, which brings a beat every two seconds.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import aiohttp
import anyio
import anyio.abc

from bench.comparison import Row, Target
from bench.processes import Memory, agent, cpu_seconds, memory, serving, spend
from bench.round_of_checks import healthcheck
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

SETTLE = 3.0
"""Seconds for the start to be over: first round of checks, first collection of garbage."""

WINDOW = 5.0
ROUNDS = 5
VIEWERS = 10
REFRESH = 30.0
"""Seconds: HISTORY_EVERY of page.js."""

PEER, PEER_PERIOD = "ovs-healthcheck.sh's commands, every 5 s", 5.0


async def measure(node: Sandbox) -> list[Row]:
    with serving(agent(node)) as server:
        await anyio.sleep(SETTLE)
        shares = [await cpu_share(server.pid, WINDOW) for _ in range(ROUNDS)]
        used = memory(server.pid)
        async with watched(server.url, VIEWERS):
            await anyio.sleep(SETTLE)
            viewed = [await cpu_share(server.pid, WINDOW) for _ in range(ROUNDS)]
    commands, environment = healthcheck(node)
    peers = [spend(commands, environment).cpu / PEER_PERIOD for _ in range(ROUNDS)]
    return rows(used, shares, peers, viewed)


@contextlib.asynccontextmanager
async def watched(url: str, viewers: int) -> AsyncIterator[None]:
    """So many pages are open for the length of the block; what they ask for as they open was answered before it."""
    async with (
        aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(viewers):
            await tasks.start(_look_on, client)
        yield
        tasks.cancel_scope.cancel()


async def _look_on(
    client: aiohttp.ClientSession, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """As ``page.js`` does: the stream, and now and then the whole document and the hour."""
    await _read(client, "/")
    async with client.get("/events", timeout=aiohttp.ClientTimeout(total=None)) as stream:
        refreshed = -REFRESH
        async for _ in stream.content.iter_any():
            if anyio.current_time() - refreshed > REFRESH:
                refreshed = anyio.current_time()
                await _read(client, "/status")
                await _read(client, "/history")
                task_status.started()


async def _read(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        answer.raise_for_status()
        await answer.read()


def rows(used: Memory, shares: Sequence[float], peers: Sequence[float], viewed: Sequence[float]) -> list[Row]:
    """``shares``, ``peers``, and ``viewed`` with the pages open, are parts of one core."""
    more = [(with_them - at_rest) * 100 for with_them, at_rest in zip(viewed, shares, strict=True)]
    ours, theirs = [share * 100 for share in shares], [share * 100 for share in peers]
    return [
        Row("Agent at rest: VmRSS", "MiB", [used.resident], target=Target("ours", at_most=50e6 / (1 << 20))),
        Row("Agent at rest: PSS", "MiB", [used.proportional]),
        Row("Agent at rest: CPU, of one core", "%", ours, theirs, PEER, Target("ours", at_most=0.5)),
        Row(f"{VIEWERS} pages open: CPU of the agent beyond that", "%", more, target=Target("ours", at_most=1.0)),
    ]


async def cpu_share(pid: int, seconds: float) -> float:
    """The part of one core that a process uses."""
    began, before = time.perf_counter(), cpu_seconds(pid)
    await anyio.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.perf_counter() - began)


if __name__ == "__main__":
    alone(measure)
