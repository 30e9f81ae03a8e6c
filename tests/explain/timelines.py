"""A start slowed by each cause of ``bench/README.md``: what the logs alone say of it, and what an agent saw.

``python -m tests.explain.timelines [NAME...]`` prints a line each, and ends with 1 when the cause is not named or the
seconds differ by more than ``NEAR``, and by what the logs say themselves that they cannot show. On a busy machine the
agent sees a start later than it was: run it on a quiet one.

The agent's timeline of a database that starts alone ends when the database answers. The logs' start goes on until the
switch has it again: of that one, the agent's seconds are those until ``openflow.echo`` is well again, and the stage
``database`` is compared besides.
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
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.explain.steps import (
    CONTROLLER,
    DATABASE,
    SOUTHBOUND,
    SWITCH,
    Step,
    away,
    hammered,
    kill,
    restart,
    sleep,
    start,
    stop,
)
from tests.patience import PATIENCE

NEAR = 0.2
"""Seconds by which the two may differ."""


ECHO = "openflow.echo"
"""Asked at each look while it fails: the agent asks at its turn what no start waits for."""

LOOK, CALM = 0.05, 3.0
"""Seconds from one look at the agent to the next, and for which it must be well: it may not have seen the start yet."""


@dataclass(frozen=True, slots=True)
class Slowed:
    """What is done, the last start being the one that counts, and to what most of its time went, or may have gone."""

    name: str
    cause: str
    steps: Sequence[Step]
    node: Callable[[], Sandbox] = Sandbox
    large: bool = False
    """So large that ovn-controller computes for long, and not long enough for a line of it."""
    kept_out: bool = False
    """The agent is, too: its seconds are not those of ovn-controller, and the cause alone is compared."""


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
    Slowed("hammer", "backoff socket", [hammered], kept_out=True),
    Slowed("many-ports", "switch", away(SWITCH, 0.5, 0), lambda: Sandbox(ports=1000), large=True),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The last start, by the agent: the seconds of each stage that it opened, and until OpenFlow was served again."""

    stages: dict[str, float]
    openflow: float

    @property
    def seconds(self) -> float:
        """Of the whole start."""
        return max(*self.stages.values(), self.openflow)


async def seen(node: Sandbox, steps: Sequence[Step]) -> Seen:
    """What an agent sees of ``steps``."""
    agent = Agent(load(), Rundir(node.rundir, node.rundir))
    served: list[float] = []

    def hear(change: Change) -> None:
        if change.result is not None and change.result.name == ECHO:
            if change.result.status is Status.OK:
                served.append(change.result.at)
            else:
                served.clear()

    agent.subscribe(hear)
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
                if agent.health.results[ECHO].status is not Status.OK:
                    answer = await run(CHECKS[ECHO], agent.node, agent.health.results)
                    served += [answer.at] * (answer.status is Status.OK)
                await asyncio.sleep(LOOK)
        timeline = agent.health.timeline
        began = timeline.began or 0.0
        stages = {each.stage: each.at - began for each in timeline.reached() if each.at >= began}
        tasks.cancel_scope.cancel()
    return Seen(stages, served[0] - began)


def _over(agent: Agent) -> bool:
    timeline = agent.health.timeline
    serves = agent.health.results[ECHO].status is Status.OK
    return timeline.began is not None and timeline.waiting_for() is None and agent.health.ready and serves


def told(node: Sandbox) -> Start:
    """The last start, by the logs."""
    names = [str(path) for path in sorted(Path(node.directory).rglob("*.log"))]
    return explain(names, io.BytesIO(), Zone(), lambda name, count: None).starts[-1]


def _near(start: Start, agent: Seen, unseen: float) -> bool:
    """Whether the two agree on the whole, but for what no line shows, and on each stage that both have."""
    took = {stage: at - start.began for stage, at in start.stages if stage != "flows"}
    stages = all(abs(took[stage] - agent.stages[stage]) <= NEAR for stage in took.keys() & agent.stages.keys())
    return stages and -NEAR <= agent.seconds - (start.seconds or 0.0) <= unseen + NEAR


async def main(names: Sequence[str]) -> int:
    wrong = 0
    for each in SLOWED:
        if names and each.name not in names:
            continue
        async with each.node() as node:
            await node.wait_ready()
            agent = await seen(node, each.steps)
            start = told(node)
        most = max(start.parts, key=lambda part: part.seconds, default=None)
        own = start.seconds or 0.0
        near = each.kept_out or _near(start, agent, start.unseen if each.large else 0.0)
        right = most is not None and most.cause in each.cause.split() and near
        wrong += not right
        parts = ", ".join(f"{part.cause} {part.seconds:.2f}" for part in start.parts)
        took = f"agent {agent.seconds:6.2f} s  logs {own:6.2f} s"
        took += "".join(
            f", {stage} {agent.stages.get(stage, 0.0):.2f}/{at - start.began:.2f}" for stage, at in start.stages
        )
        print(f"{'ok' if right else 'WRONG':6} {each.name:14} {took}: {parts}", flush=True)  # noqa: T201
    return wrong


if __name__ == "__main__":
    sys.exit(min(asyncio.run(main(sys.argv[1:])), 1))
