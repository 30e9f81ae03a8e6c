"""How soon does the agent notice that the switch serves, is gone, or hangs, beside the probes of today?

The peers' figures are computed from their periods, not measured; each is the kindest reading. Kube-OVN's chart
(ovsovn-ds.yaml): readiness every 5 s, 3 failures. Its script looks at pidfiles and asks ovsdb-server, so it never
notices a switch that hangs; it does not notice either whether the bridge serves, only that the pidfile is there.
ovn-kubernetes (ovnkube-node): readiness every 60 s, 3 failures; it asks the switch with a timeout of 5 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from statistics import median
from typing import Self
from urllib.parse import urlsplit

import msgspec

from bench.comparison import Row, Target, percentile
from bench.laps.agent import Noticed
from bench.processes import python
from bench.runner import alone
from ovsnet.config import Settings
from ovsnet.sandbox.node import Sandbox

ROUNDS = 30
PATIENCE = 60.0
"""Seconds for any one fact: then the bench is broken, not slow."""

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Probe:
    """A kubelet's probe: it looks every ``period`` seconds at a moment that nobody chose, and turns after
    ``failures``."""

    name: str
    period: float
    failures: int
    timeout: float = 0.0

    def up(self, share: float) -> float:
        """Seconds after which ``share`` of all successes were seen: the first look after it tells."""
        return share * self.period

    def down(self, share: float) -> float:
        """The same for a failure: the last of ``failures`` looks tells."""
        return (share + self.failures - 1) * self.period

    def hang(self, share: float) -> float:
        """The same for a switch that is silent: the last look takes its timeout. ``NEVER`` when it does not ask."""
        return self.down(share) + self.timeout if self.timeout else NEVER


KUBE_OVN = Probe("Kube-OVN's probe, computed", period=5, failures=3)
OVN_KUBERNETES = Probe("ovn-kubernetes' probe, computed", period=60, failures=3, timeout=5)


@dataclass(frozen=True, slots=True)
class Reactions:
    """Seconds, one each round. ``greeted`` is the switch's own: how long it takes to send HELLO once it accepts."""

    greeted: list[float]
    served: list[float]
    unready: list[float]
    down: list[float]
    hung: list[float]


class Agent:
    """The agent in its own process, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._said = process.stdout
        self.host = self.port = ""

    async def noticed(self, what: str) -> float:
        """When it noticed this; all that it said before is dropped."""
        async with asyncio.timeout(PATIENCE):
            while not (news := msgspec.json.decode(await self._said.readline(), type=Noticed)).what.startswith(what):
                pass
        if what == "serving":
            url = urlsplit(news.what.split()[1])
            self.host, self.port = str(url.hostname), str(url.port)
        return news.at

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, node: Sandbox) -> AsyncIterator[Self]:
        async with _process(*python("bench.laps.agent", str(node.rundir))) as process:
            agent = cls(process)
            await agent.noticed("serving")
            yield agent


async def measure(node: Sandbox) -> list[Row]:
    rng = random.Random(1)
    found = Reactions([], [], [], [], [])
    async with Agent.of(node) as agent:
        for _ in range(ROUNDS):
            await asyncio.sleep(rng.uniform(0, 1))  # no round at the same place between two polls as the last
            await restart(node, agent, found)
        for _ in range(ROUNDS):
            await asyncio.sleep(rng.uniform(0, 1))
            await freeze(node, agent, found)
    return rows(found)


async def restart(node: Sandbox, agent: Agent, found: Reactions) -> None:
    async with first("unready", agent.host, agent.port) as unready:
        killed = time.monotonic()
        await node.kill("ovs-vswitchd")
        found.down.append(await agent.noticed("vswitchd-down") - killed)
        found.unready.append((await moments(unready))[0] - killed)
    async with first("serve", str(node.rundir / "br-int.mgmt")) as serves:
        await node.start("ovs-vswitchd")
        noticed = await agent.noticed("openflow.echo ok")
        accepted, greeted = await moments(serves)
    found.greeted.append(greeted - accepted)
    found.served.append(noticed - accepted)
    await node.restart("ovn-controller")  # its backoff would take up to 8 s of each round
    await agent.noticed("healthy")


async def freeze(node: Sandbox, agent: Agent, found: Reactions) -> None:
    frozen = time.monotonic()
    await node.freeze("ovs-vswitchd")
    found.hung.append(await agent.noticed("vswitchd-hung") - frozen)
    await node.thaw("ovs-vswitchd")
    await agent.noticed("healthy")


@contextlib.asynccontextmanager
async def first(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """``bench.laps.first`` at work."""
    async with _process(*python("bench.laps.first", *arguments)) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"watching\n"
        yield process


async def moments(watcher: asyncio.subprocess.Process) -> list[float]:
    """When it saw its facts."""
    assert watcher.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return [float(word) for word in (await watcher.stdout.readline()).split()]


@contextlib.asynccontextmanager
async def _process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def rows(found: Reactions) -> list[Row]:
    deadline = Settings().hung_after + 0.5
    greeted = [percentile(found.greeted, 0.99) * 1e3]
    return [
        Row("Switch accepts → its own HELLO: p99, for comparison", "ms", greeted),
        *_rows("Switch accepts → stage openflow", "ms", found.served, Probe.up, at_most=20),
        *_rows("kill -9 of the switch → /readyz 503", "ms", found.unready, Probe.down, at_most=20),
        *_rows("kill -9 of the switch → vswitchd-down told", "ms", found.down, Probe.down, at_most=20),
        *_rows("Switch freezes → vswitchd-hung", "s", found.hung, Probe.hang, at_most=deadline),
    ]


UNITS = {"ms": 1e3, "s": 1.0}


def _rows(
    what: str, unit: str, seconds: list[float], probe: Callable[[Probe, float], float], at_most: float
) -> list[Row]:
    scale = UNITS[unit]
    middle, tail = [median(seconds) * scale], [percentile(seconds, 0.99) * scale]
    kube, ovn_k = ([probe(peer, 0.5) * scale] for peer in (KUBE_OVN, OVN_KUBERNETES))
    return [
        Row(f"{what}: median", unit, middle, kube, KUBE_OVN.name),
        Row(f"{what}: median", unit, middle, ovn_k, OVN_KUBERNETES.name),
        Row(
            f"{what}: p99", unit, tail, [probe(KUBE_OVN, 0.99) * scale], KUBE_OVN.name, Target("ours", at_most=at_most)
        ),
    ]


if __name__ == "__main__":
    alone(measure)
