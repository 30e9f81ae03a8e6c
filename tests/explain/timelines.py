"""A start slowed by each cause of ``bench/README.md``: what the logs alone say of it, and what an agent saw.

``python -m tests.explain.timelines [NAME...]`` prints a line each, and ends with 1 when the cause is not named or the
seconds differ by more than ``NEAR``. On a busy machine the agent sees a start later than it was: run it on a quiet one.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from ovsnet.agent.agent import Agent
from ovsnet.config import load
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from ovsnet.explain.verdicts import Start
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.explain.steps import CONTROLLER, DATABASE, SOUTHBOUND, SWITCH, Step, away, kill, restart, sleep, start, stop
from tests.patience import PATIENCE

NEAR = 0.2
"""Seconds by which the two may differ."""


LOOK, CALM = 0.05, 3.0
"""Seconds from one look at the agent to the next, and for which it must be well: it may not have seen the start yet."""


@dataclass(frozen=True, slots=True)
class Slowed:
    """What is done, the last start being the one that counts, and to what most of its time went."""

    name: str
    cause: str
    steps: Sequence[Step]
    node: Callable[[], Sandbox] = Sandbox


SLOWED = (
    Slowed("backoff", "backoff", away(SWITCH, 4.2, 0)),
    Slowed(
        "carried-over",
        "backoff",
        [*(step for wait in (1.05, 2.05, 4.05) for step in (restart(SWITCH), sleep(wait))), restart(SWITCH)],
    ),
    Slowed("order", "order", [stop(CONTROLLER), stop(SWITCH), start(SWITCH), sleep(3), start(CONTROLLER)]),
    Slowed("first-start", "backoff", [*map(stop, (SWITCH, CONTROLLER)), start(CONTROLLER), start(SWITCH)]),
    Slowed("database", "backoff-database", [kill(DATABASE), sleep(3.5), start(DATABASE)]),
    Slowed(
        "southbound",
        "southbound",
        [
            stop(SOUTHBOUND),
            stop(CONTROLLER),
            stop(SWITCH),
            start(SWITCH),
            start(CONTROLLER),
            sleep(5),
            start(SOUTHBOUND),
        ],
    ),
    Slowed("many-ports", "switch", away(SWITCH, 0.5, 0), lambda: Sandbox(ports=1000)),
)


async def seen(node: Sandbox, steps: Sequence[Step]) -> float:
    """Seconds of the last start, by the agent's timeline."""
    agent = Agent(load(), Rundir(node.rundir, node.rundir))
    async with anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        async with asyncio.timeout(PATIENCE):
            while not agent.health.ready:  # noqa: ASYNC110 - time alone changes some of it
                await asyncio.sleep(0.02)
        for step in steps:
            await step(node)
        async with asyncio.timeout(PATIENCE):
            over = 0
            while over < CALM / LOOK:
                over = over + 1 if _over(agent) else 0
                await asyncio.sleep(LOOK)
        reached = max(each.took_seconds or 0.0 for each in agent.health.timeline.reached())
        tasks.cancel_scope.cancel()
    return reached


def _over(agent: Agent) -> bool:
    timeline = agent.health.timeline
    return timeline.began is not None and timeline.waiting_for() is None and agent.health.ready


def told(node: Sandbox) -> Start:
    """The last start, by the logs."""
    names = [str(path) for path in sorted(Path(node.directory).rglob("*.log"))]
    return explain(names, io.BytesIO(), Zone(), lambda name, count: None).starts[-1]


async def main(names: Sequence[str]) -> int:
    wrong = 0
    for each in SLOWED:
        if names and each.name not in names:
            continue
        async with each.node() as node:
            await node.wait_ready()
            seconds = await seen(node, each.steps)
            start = told(node)
        most = max(start.parts, key=lambda part: part.seconds, default=None)
        own = start.seconds or 0.0
        right = most is not None and most.cause == each.cause and abs(own - seconds) <= NEAR
        wrong += not right
        parts = ", ".join(f"{part.cause} {part.seconds:.2f}" for part in start.parts)
        took = f"agent {seconds:6.2f} s  logs {own:6.2f} s"
        print(f"{'ok' if right else 'WRONG':6} {each.name:14} {took}: {parts}", flush=True)  # noqa: T201
    return wrong


if __name__ == "__main__":
    sys.exit(min(asyncio.run(main(sys.argv[1:])), 1))
