"""Rounds of checks over held connections: ``python -m bench.laps.checks RUNDIR WHICH COUNT``.

WHICH is ``all``, or ``fast`` for those that the agent asks every second by default, with those that they build on. The
rounds are 20 ms apart: back to back they would be cheaper than they are in the agent, with every cache warm.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

import uvloop

from bench.laps.report import Cost, Stopwatch, tell
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS, Check, Status
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.node.installation import find_rundir
from ovsnet.node.node import Node

PAUSE = 0.02
"""Seconds between two rounds."""


CHOICES = {
    "all": list(CHECKS.values()),
    "fast": with_needs(name for name, check in CHECKS.items() if check.every <= 1),
}


async def main(directory: str, which: str, count: int) -> None:
    rundir = find_rundir(directory, directory, os.environ)
    async with Node(Settings(), rundir, clock=time.monotonic, rng=random.Random()) as node:
        await one_round(node, CHOICES[which])
        tell([await one_round(node, CHOICES[which]) for _ in range(count)])


async def one_round(node: Node, checks: list[Check]) -> Cost:
    await asyncio.sleep(PAUSE)
    watch = Stopwatch()
    results = await ask_all(checks, node)
    cost = watch.cost(1)
    # The price of a broken node is another question.
    bad = [result for result in results.values() if result.status in (Status.FAILED, Status.SLOW)]
    assert not bad, bad
    return cost


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
