"""``ovsnet timeline``: a bar per stage of the agent's last start."""

from __future__ import annotations

import json

import anyio
import pytest
from click.testing import CliRunner, Result

from ovsnet.agent.agent import Agent
from ovsnet.cli.timeline import timeline
from ovsnet.config import load
from ovsnet.health.timeline import STAGES
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.web.server import serving


async def shown(node: Sandbox, *flags: str) -> Result:
    """What the command says of an agent on ``node``."""
    agent = Agent(load(), Rundir(node.rundir, node.rundir))
    async with serving(agent, ["127.0.0.1:0"]) as urls, anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        arguments = ["--listen", urls[0].removeprefix("http://"), *flags]
        result = await anyio.to_thread.run_sync(lambda: CliRunner().invoke(timeline, arguments))
        tasks.cancel_scope.cancel()
    return result


async def test_every_stage_has_its_bar_once_the_start_is_over(shared_node: Sandbox) -> None:
    result = await shown(shared_node)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == [stage.name for stage in STAGES]
    assert all("█" in line and " s  at " in line for line in lines)


async def test_json_is_the_timeline_of_the_status_document(shared_node: Sandbox) -> None:
    result = await shown(shared_node, "--json")
    assert [each["stage"] for each in json.loads(result.output)] == [stage.name for stage in STAGES]


@pytest.mark.restored
async def test_stage_that_was_not_reached_says_why(node: Sandbox) -> None:
    await node.stop("ovn-controller")
    result = await shown(node)
    assert result.exit_code == 1
    assert "controller  not reached: The start waits for the stage controller." in result.output
