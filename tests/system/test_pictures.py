"""The pictures of the README: a real node whose switch has just been stopped, in a real browser.

``make pictures`` saves them in ``docs/images``.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import anyio
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.agent.past import SLOTS, STEP, Past
from ovsnet.config import Settings
from ovsnet.health.cause import State
from ovsnet.health.causes import codes
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.diagnosis import HEALTHY, Diagnosis
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.web.server import serving
from tests.system.browser import chromium

COMPONENTS = ("host", "ovsdb", "vswitchd", "openflow", "controller", "southbound")


def remember(past: Past, now: float) -> None:
    """An hour in which the node was well, but for a southbound that was away for a while: made up, for nobody waits so
    long for a picture."""
    took = random.Random(7)
    for number in range(SLOTS - 1, 0, -1):
        at = now - number * STEP
        away = 140 < number < 150
        past.tick(at, State.DEGRADED if away else State.READY, {})
        for name in COMPONENTS:
            failed = away and name == "southbound"
            rtt = None if failed or name == "host" else 0.0003 * took.lognormvariate(0, 0.6)
            past.answers([Result(f"{name}.x", Status.FAILED if failed else Status.OK, at, rtt_seconds=rtt)])
    summary = codes()["southbound-down"].summary
    past.turn(HEALTHY, now - 3590)
    past.turn(Diagnosis("southbound-down", State.DEGRADED, summary, "", (), (), False, True, 0.0), now - 150 * STEP)
    past.turn(HEALTHY, now - 140 * STEP)


@pytest.mark.parametrize(("scheme", "width", "height"), [("light", 1200, 800), ("dark", 360, 780)])
async def test_pictures_of_the_readme(node: Sandbox, tmp_path: Path, scheme: str, width: int, height: int) -> None:
    agent = Agent(Settings(), Rundir(node.rundir, node.rundir))
    agent.name = "node-17"
    agent.past = Past(agent.clock() - SLOTS * STEP)
    remember(agent.past, agent.clock())
    picture = Path(os.environ.get("PICTURES") or tmp_path) / f"page-{scheme}.png"
    async with anyio.create_task_group() as tasks, serving(agent, ["127.0.0.1:0"]) as urls, chromium() as browser:
        await tasks.start(agent.run)
        await node.restart("ovs-vswitchd")
        tab = await browser.tab(f"{urls[0]}/", width=width, height=height, scheme=scheme)
        await tab.until("document.title.startsWith('✔ ready')", "a node that is ready")
        await tab.until("document.querySelectorAll('#start tr').length === 3", "the start")
        await node.freeze("ovs-vswitchd")
        await tab.until("document.title.startsWith('✖ not ready: vswitchd-hung')", "the diagnosis")
        await tab.until("document.getElementById('evidence').innerText.startsWith('vswitchd.ofproto')", "its evidence")
        await tab.until("document.querySelectorAll('#happened tr').length > 6", "what happened")
        await tab.screenshot(picture)
        tasks.cancel_scope.cancel()
    assert 10_000 < (await asyncio.to_thread(picture.stat)).st_size < 150_000
