"""``ovsnet timeline``: a bar per stage of the agent's last start."""

from __future__ import annotations

import asyncio
import json

import anyio
import msgspec
import pytest
from click.testing import CliRunner, Result

from ovsnet.agent.agent import Agent
from ovsnet.cli.timeline import timeline
from ovsnet.config import load
from ovsnet.health.timeline import STAGES, START_ORDER
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.web.server import serving
from tests.patience import PATIENCE


async def shown(node: Sandbox, *flags: str, restart: bool = False, allowance: float = 60.0) -> Result:
    """What the command says of an agent on ``node``, which may have seen all daemons start."""
    settings = msgspec.structs.replace(load(), start_allowance=allowance)
    agent = Agent(settings, Rundir(node.rundir, node.rundir))
    async with serving(agent, ["127.0.0.1:0"]) as urls, anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        if restart:
            await restart_all(node, agent)
        arguments = ["--listen", urls[0].removeprefix("http://"), *flags]
        result = await anyio.to_thread.run_sync(lambda: CliRunner().invoke(timeline, arguments))
        tasks.cancel_scope.cancel()
    return result


async def restart_all(node: Sandbox, agent: Agent) -> None:
    for daemon in START_ORDER:
        await node.restart(daemon)
    async with asyncio.timeout(PATIENCE):
        while not _seen_from_start_to_end(agent):  # noqa: ASYNC110 - time alone changes some of it
            await asyncio.sleep(0.02)


def _seen_from_start_to_end(agent: Agent) -> bool:
    timeline = agent.health.timeline
    seen = all(each.took_seconds is not None for each in timeline.reached())
    return seen and timeline.waiting_for() is None and agent.health.ready


@pytest.mark.restored
async def test_every_stage_has_its_bar_once_the_start_is_over(node: Sandbox) -> None:
    result = await shown(node, restart=True)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == [stage.name for stage in STAGES]
    assert all("█" in line and " s  at " in line for line in lines)


async def test_stage_that_was_reached_before_the_agent_came_has_no_seconds(shared_node: Sandbox) -> None:
    result = await shown(shared_node)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [f"{stage.name:11} reached before this agent started" for stage in STAGES]


async def test_json_is_the_timeline_of_the_status_document(shared_node: Sandbox) -> None:
    result = await shown(shared_node, "--json")
    assert [each["stage"] for each in json.loads(result.output)] == [stage.name for stage in STAGES]


@pytest.mark.restored
@pytest.mark.parametrize(
    ("allowance", "why"),
    [(0.01, "ovn-controller is not running"), (86400.0, "The start waits for the stage controller.")],
)
async def test_stage_that_was_not_reached_says_why(node: Sandbox, allowance: float, why: str) -> None:
    await node.stop("ovn-controller")
    result = await shown(node, allowance=allowance)
    assert result.exit_code == 1
    assert f"controller  not reached: {why}" in result.output
