"""``ovsnet tune advise`` on what a running agent has measured of real daemons."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from ovsnet.cli.agent_client import fetch_status
from ovsnet.errors import OvsnetError
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.advise import ENOUGH
from tests.cli.conftest import Ovsnet, Program
from tests.patience import PATIENCE

STALL = 4.0
"""Seconds. Three times that is more than the least that is ever advised."""


async def measured(listen: str, fact: Callable[[dict[str, Any]], bool]) -> None:
    """Return when what the agent tells of the switch's stalls is so."""
    with anyio.fail_after(PATIENCE):
        while True:  # there is no event: it is another process
            try:
                stalls = (await fetch_status(listen, timeout=PATIENCE))["stalls"]
            except OvsnetError:
                stalls = {}
            if "ovs-vswitchd" in stalls and fact(stalls["ovs-vswitchd"]):
                return
            await anyio.sleep(0.1)


def test_advice_rests_on_what_the_agent_has_seen_of_a_switch_that_stood_still(
    ovsnet: Ovsnet, program: Program, tmp_path: Path
) -> None:
    listen = f"unix:{tmp_path}/agent.sock"

    async def live() -> tuple[str, Any]:
        async with Sandbox() as node:
            await node.wait_ready()
            program("serve", "--rundir", node.rundir, "--listen", listen, "--interval", "0.02")
            await measured(listen, lambda told: told["count"] > 0)
            few = await ask(node)
            await node.freeze("ovs-vswitchd")
            stopped = time.monotonic()
            await anyio.sleep(STALL)  # the fault is a duration
            await node.thaw("ovs-vswitchd")
            assert time.monotonic() - stopped >= STALL
            await measured(listen, lambda told: told["count"] >= ENOUGH and told["longest_seconds"] >= STALL - 0.1)
            return few, json.loads(await ask(node, "--json"))

    async def ask(node: Sandbox, *arguments: str) -> str:
        def call() -> str:
            ended = ovsnet("tune", "advise", "--agent", listen, "--rundir", node.rundir, *arguments)
            assert (ended.code, ended.err) == (0, "")
            return ended.out

        return await anyio.to_thread.run_sync(call)

    few, advices = anyio.run(live)
    assert f"{ENOUGH} answers are needed" in few
    openflow = next(each for each in advices if each["group"] == "openflow")
    assert openflow["arithmetic"].startswith("p99 stall of ov")
    # Of questions asked every 20 ms, far more than a hundredth would have met a stall of this length.
    assert openflow["values"]["bundle-idle-timeout"] >= 3 * (STALL - 0.1)
