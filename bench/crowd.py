"""How soon is a probe answered while 500 slow and 900 idle clients hold connections, and what do they cost?

Each probe opens a connection of its own, as a kubelet's does. Half of the slow clients send a byte of their request a
second, half read a byte of their answers a second; who is cut comes back a second later.
"""

from __future__ import annotations

import http.client
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import anyio

from bench.comparison import Row, Target, percentile
from bench.processes import Server, agent, memory, python, serving
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

SLOW, IDLE = 500, 900
PROBES = 1000
PAUSE = 0.02
"""Seconds between two probes, on average."""

ROUNDS = 3
PEER = "the agent alone"
PATIENCE = 60.0
SETTLE = 12.0
"""Seconds for memory to be given back: the agent looks twice."""


async def measure(node: Sandbox) -> list[Row]:
    quiet: list[list[float]] = []
    crowded: list[list[float]] = []
    held, left = [], []
    with serving(agent(node)) as server:
        await anyio.sleep(1)
        before = memory(server.pid).resident
        for _ in range(ROUNDS):
            quiet.append(await probe(server))
            with crowd(server):
                crowded.append(await probe(server))
                held.append(memory(server.pid).resident - before)
            await anyio.sleep(SETTLE)
            left.append(memory(server.pid).resident - before)
    return rows(quiet, crowded, held, left)


def rows(
    quiet: list[list[float]], crowded: list[list[float]], held: Sequence[float], left: Sequence[float]
) -> list[Row]:
    p99, p99_quiet = ([percentile(each, 0.99) for each in rounds] for rounds in (crowded, quiet))
    middle, middle_quiet = ([percentile(each, 0.5) for each in rounds] for rounds in (crowded, quiet))
    return [
        Row("GET /livez among 500 slow and 900 idle: p99", "ms", p99, p99_quiet, PEER, Target("ours", at_most=50)),
        Row("GET /livez among 500 slow and 900 idle: median", "ms", middle, middle_quiet, PEER),
        Row("GET /livez among 500 slow and 900 idle: slowest", "ms", [max(each) for each in crowded]),
        Row("Memory over that before, among them", "MiB", held),
        Row("Memory over that before, once they are gone", "MiB", left, target=Target("ours", at_most=16)),
    ]


async def probe(server: Server) -> list[float]:
    """Milliseconds of each probe. Raises OSError when one is refused or reset."""
    rng = random.Random(1)
    took = []
    for _ in range(PROBES):
        await anyio.sleep(rng.uniform(0, 2 * PAUSE))
        took.append(one(server))
    return took


def one(server: Server) -> float:
    began = time.perf_counter()
    client = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    client.request("GET", "/livez", headers={"Connection": "close"})
    response = client.getresponse()
    body = response.read()
    client.close()
    assert (response.status, body) == (200, b"ok\n")
    return (time.perf_counter() - began) * 1e3


@contextmanager
def crowd(server: Server) -> Iterator[None]:
    """It holds connections for the length of the block."""
    url = urlsplit(server.url)
    command = python("bench.laps.crowd", str(url.hostname), str(url.port), str(SLOW), str(IDLE))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        yield
        process.communicate()


if __name__ == "__main__":
    alone(measure)
