"""How many ``/readyz`` a second does the agent answer, beside a bare aiohttp handler?

wrk with 64 connections on one core, the server on another; both servers are up, and take turns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.comparison import Row, Target
from bench.processes import Server, agent, cpu_seconds, output, python, serving
from bench.runner import alone
from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import binaries
from ovsnet.sandbox.binaries import Binaries
from ovsnet.sandbox.node import Sandbox

ROUNDS = 6
SECONDS = 3
CONNECTIONS = 64
PEER = "bare aiohttp"
_REQUESTS = re.compile(r"(\d+) requests in")
_RATE = re.compile(r"Requests/sec:\s*([\d.]+)")
_BAD = re.compile(r"Non-2xx.*|Socket errors.*")


@dataclass(frozen=True, slots=True)
class Served:
    """Requests per second, and microseconds of the server's CPU for each."""

    rate: float
    cpu_us: float


async def measure(node: Sandbox) -> list[Row]:
    wrk = binaries.fetch_packages(["wrk"])
    server_core, wrk_core = cores()
    ours: list[Served] = []
    peers: list[Served] = []
    aiohttp = python("bench.laps.aiohttp_server")
    with serving(agent(node), core=server_core) as our, serving(aiohttp, core=server_core) as bare:
        for _ in range(ROUNDS):
            ours.append(load(our, wrk, wrk_core))
            peers.append(load(bare, wrk, wrk_core))
    return rows(ours, peers)


def rows(ours: Sequence[Served], peers: Sequence[Served]) -> list[Row]:
    rates, peer_rates = [served.rate for served in ours], [served.rate for served in peers]
    cpu, peer_cpu = [served.cpu_us for served in ours], [served.cpu_us for served in peers]
    return [
        Row("GET /readyz, 64 connections", "1/s", rates, peer_rates, PEER, Target("ratio", at_least=0.9)),
        Row("GET /readyz: the server's CPU", "µs", cpu, peer_cpu, PEER),
    ]


def load(server: Server, wrk: Binaries, core: int) -> Served:
    """One run of wrk."""
    before = cpu_seconds(server.pid)
    pinned = ["taskset", "--cpu-list", str(core), str(wrk.path("wrk"))]
    said = output([*pinned, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"{server.url}/readyz"], wrk.environment())
    requests, rate = parse(said)
    return Served(rate, (cpu_seconds(server.pid) - before) / requests * 1e6)


def parse(said: str) -> tuple[int, float]:
    """Requests, and requests per second, from what wrk prints. Raises UnfitEnvironment if any went wrong."""
    requests, rate = _REQUESTS.search(said), _RATE.search(said)
    if requests is None or rate is None or _BAD.search(said):
        raise UnfitEnvironment(f"wrk was not served well: {said.strip()}")
    return int(requests[1]), float(rate[1])


def cores() -> tuple[int, int]:
    """Two cores that we may use, for a server and its client; the same one twice on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


if __name__ == "__main__":
    alone(measure)
