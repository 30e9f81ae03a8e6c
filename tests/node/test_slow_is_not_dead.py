"""What is slow and alive on a real node never fails ``/ovs/livez``, and never makes ``/readyz`` fail.

Default settings. Every diagnosis and every answer of both paths is recorded, many times a second, and the record is
judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.web.server import serving
from tests.patience import PATIENCE

pytestmark = pytest.mark.heavy

SLOW = {"healthy", "vswitchd-slow", "ovsdb-slow", "controller-slow", "southbound-slow"}

Recording = Callable[[Sandbox], AbstractAsyncContextManager["Record"]]

MANY_FLOWS = 50_000
HOGS = 8


class Record:
    """``codes`` are the diagnoses in order; ``readyz`` and ``livez`` are the answers in order, each with the first word
    of its body: ``ok``, or the diagnosis that makes it fail."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.codes: list[str] = []
        self.readyz: list[tuple[int, str]] = []
        self.livez: list[tuple[int, str]] = []

    def begin(self) -> None:
        """From now on; what came before was the agent's own start, which waits for a slow daemon, too."""
        self.agent.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        if change.diagnosis is not None:
            self.codes.append(change.diagnosis.code)

    async def poll(self, url: str) -> None:
        async with aiohttp.ClientSession() as client:
            while True:
                for path, answers in (("/readyz", self.readyz), ("/ovs/livez", self.livez)):
                    async with client.get(url + path) as response:
                        answers.append((response.status, re.split(r"[:\s]", await response.text())[0]))
                await asyncio.sleep(0.05)

    async def until_healthy(self, more: int = 40) -> None:
        """Return after so many polls at the end of which the node is healthy: long enough for what comes late."""
        async with asyncio.timeout(PATIENCE):
            seen = len(self.livez)
            while len(self.livez) < seen + more or self.agent.health.diagnosis.code != "healthy":  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def shows_nothing_but_slowness(self) -> None:
        assert set(self.codes) <= SLOW
        assert set(self.readyz) == set(self.livez) == {(200, "ok")}
        assert self.agent.health.dead_since is None


@pytest.fixture
def recording() -> Recording:
    """``async with recording(node) as record``: the node is healthy at the start of the block."""

    @contextlib.asynccontextmanager
    async def record(node: Sandbox) -> AsyncIterator[Record]:
        agent = Agent(Settings(), Rundir(node.rundir, node.rundir))
        made = Record(agent)
        async with serving(agent, ["127.0.0.1:0"]) as urls:
            running = asyncio.create_task(agent.run())
            async with asyncio.timeout(PATIENCE):
                while agent.health.diagnosis.code != "healthy":  # noqa: ASYNC110 - a task of its own sees to it
                    await asyncio.sleep(0.02)
            made.begin()
            polling = asyncio.create_task(made.poll(urls[0]))
            try:
                yield made
            finally:
                polling.cancel()
                running.cancel()
                await asyncio.wait([polling, running])

    return record


@contextlib.asynccontextmanager
async def hogs(count: int) -> AsyncIterator[None]:
    """Processes that take all the CPU they get, at a lower priority than the daemons, so that the machine lives."""
    loop = (*die_with_parent(), "nice", "-n", "5", sys.executable, "-c", "while True: pass")
    processes = [await asyncio.create_subprocess_exec(*loop) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process in processes))


async def test_eight_hogs_beside_the_daemons(node: Sandbox, recording: Recording) -> None:
    async with recording(node) as record:
        async with hogs(HOGS):
            await asyncio.sleep(5)  # the load has to last
        await record.until_healthy()
        record.shows_nothing_but_slowness()


async def test_fifty_thousand_flows_in_one_bundle(node: Sandbox, recording: Recording, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.write_text("".join(f"table=100,reg0={number},actions=drop\n" for number in range(MANY_FLOWS)))
    async with recording(node) as record:
        await node.run("ovs-ofctl", "--protocols=OpenFlow14", "--bundle", "add-flows", "br-int", str(flows))
        await record.until_healthy()
        record.shows_nothing_but_slowness()


async def test_compaction_of_a_database_of_megabytes(node: Sandbox, recording: Recording) -> None:
    blob = "x" * 100_000  # a word of a command line may be 128 KiB long
    for number in range(60):
        setting = f"external_ids:blob{number}={blob}"
        await node.run("ovs-vsctl", "--no-wait", "set", "Interface", "br-int", setting)
    control = node.rundir / f"ovsdb-server.{node.pid('ovsdb-server')}.ctl"
    async with recording(node) as record:
        for _ in range(5):
            await node.run("ovs-appctl", "-t", str(control), "ovsdb-server/compact")
        await record.until_healthy()
        record.shows_nothing_but_slowness()


@pytest.mark.parametrize("seconds", [0.5, 1, 2])
async def test_switch_that_stands_still_for_a_moment(node: Sandbox, recording: Recording, seconds: float) -> None:
    async with recording(node) as record:
        await node.freeze("ovs-vswitchd")
        await asyncio.sleep(seconds)  # the fault is a duration
        await node.thaw("ovs-vswitchd")
        await record.until_healthy()
        record.shows_nothing_but_slowness()


async def test_restart_of_a_controller_of_five_hundred_ports(recording: Recording) -> None:
    """It is truly gone for a moment: that is told, once, as down and starting, and the node stays ready all the
    while."""
    async with Sandbox(ports=500) as node:
        await node.wait_ready()
        async with recording(node) as record:
            await record.until_healthy(1)
            await node.restart("ovn-controller")
            await record.until_healthy()
            assert set(record.livez) == {(200, "ok")}
            assert set(record.codes) <= SLOW | {"controller-down", "starting", "controller-not-connected"}
            assert set(record.readyz) == {(200, "ok")}
