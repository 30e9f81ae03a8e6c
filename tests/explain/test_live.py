"""The same start, as the agent saw it and as the logs tell it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import anyio
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import load
from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

NEAR = 0.2
"""Seconds by which the logs may say more than the agent saw. A busy machine has the agent see it later."""

DAEMONS = ("ovs-vswitchd", "ovsdb-server", "ovn-controller")


def told(node: Sandbox) -> Answer:
    names = [str(path) for path in sorted(Path(node.directory).rglob("*.log")) if path.stem in DAEMONS]
    return explain(names, io.BytesIO(), Zone(), lambda name, count: None)


async def restarted(node: Sandbox, daemon: str, away: float) -> float:
    """Seconds of the start of ``daemon``, after it was away, by the agent's timeline."""
    agent = Agent(load(), Rundir(node.rundir, node.rundir))
    async with anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        async with asyncio.timeout(PATIENCE):
            while not agent.health.ready:  # noqa: ASYNC110 - time alone changes some of it
                await asyncio.sleep(0.02)
            await node.stop(daemon)
            await asyncio.sleep(away)
            before = agent.health.timeline.began
            await node.start(daemon)
            while not _over(agent, before):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        reached = max(each.took_seconds or 0.0 for each in agent.health.timeline.reached())
        tasks.cancel_scope.cancel()
    return reached


def _over(agent: Agent, before: float | None) -> bool:
    timeline = agent.health.timeline
    return timeline.began not in (None, before) and timeline.waiting_for() is None and agent.health.ready


@pytest.mark.restored
async def test_start_of_a_switch_that_was_away_takes_as_long_as_the_agent_saw(node: Sandbox) -> None:
    seconds = await restarted(node, "ovs-vswitchd", 1.3)
    found = told(node)
    start = found.starts[-1]
    assert start.daemons == ["ovs-vswitchd"]
    assert start.seconds is not None
    assert start.seconds < seconds + NEAR
    assert 0 < start.share("backoff") < seconds + NEAR
    assert found.outages[-1].code == "vswitchd-down"


@pytest.mark.restored
async def test_database_that_was_away(node: Sandbox) -> None:
    await restarted(node, "ovsdb-server", 1.2)
    async with asyncio.timeout(PATIENCE):
        while told(node).starts[-1].ended is None:  # noqa: ASYNC110 - a log tells nobody that it grew
            await asyncio.sleep(0.1)
    found = told(node)
    assert found.outages[-1].code == "ovsdb-down"
    assert found.starts[-1].share("backoff-database") > 0
