"""``python -m tests.soak.crowded --minutes 30 --seed 1``: one fault right after the other, and everything else at once.

The agent is a service whose clocks run faster than usual. Fifty viewers look at it all the time. While the node is
broken, its configuration is read again, or fifty clients more connect to ``/events`` as fast as they can; and again and
again a daemon floods it. Exit code 0 when all that was said was true, and tasks, descriptors and memory are as before.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import logging
import math
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import anyio
import uvloop

from ovsnet.agent.agent import Agent
from ovsnet.io.sd_notify import Notifier
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.service.service import Service
from release.pins import SOURCE
from tests.faults.catalogue import FAULTS as CATALOGUE
from tests.faults.fault import Scene
from tests.soak.plan import Round, plan
from tests.soak.soak import MEMORY_TOLERANCE, SETTINGS, Outcome, Soak, Stuck, Witness

WATCHING, ASKING = 30, 20
"""Viewers of ``/events``, and of one document after the other."""

FLOOD = CATALOGUE["bridge-socket-floods"]

FLOODED = 4
"""After so many rounds a daemon floods."""

WARM = 10.0
"""Minutes: a shorter run is over before all memory was taken that stays, so nothing is said of it."""

ENDLESS = 100_000
"""Faults: more than there will be time for."""


def rounds(seed: int) -> Iterator[Round]:
    """Without end."""
    for number, faults in enumerate(plan(ENDLESS, seed), 1):
        yield faults
        if number % FLOODED == 0:
            yield (FLOOD,)


@dataclass(slots=True)
class Disturbances:
    """What happened while the node was broken, beside its faults, and what the viewers saw."""

    reloads: int = 0
    floods: int = 0
    answers: int = 0
    wrong: list[str] = field(default_factory=list)


class Served:
    """The service, and a witness of whichever agent answers for it."""

    def __init__(self, rundir: Rundir) -> None:
        self._service = Service(lambda: (SETTINGS, rundir), self._ready, Notifier(self._told))
        self._serves = asyncio.Event()
        self.url = ""
        self.witness: Witness

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """For as long as the block lasts."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._service.run)
            await self._serves.wait()
            yield
            tasks.cancel_scope.cancel()

    async def reload(self) -> None:
        """Have the configuration read again, and another agent answer."""
        before = self.witness.agent
        os.kill(os.getpid(), signal.SIGHUP)
        await self.witness.until(lambda: self.witness.agent is not before)

    async def _ready(self, agent: Agent, urls: list[str]) -> None:
        self.witness = Witness(agent)
        (self.url,) = urls
        self._serves.set()

    def _told(self, text: str) -> None:
        if text.startswith("READY=1") and self._serves.is_set() and self._service._agent is not self.witness.agent:
            self.witness.follow(self._service._agent)


class Disturber:
    """Calls on the agent while the node is broken; what it does follows from the seed."""

    def __init__(self, served: Served, seed: int) -> None:
        self._served = served
        self._rng = random.Random(seed)
        self._deck: list[Callable[[Round], Awaitable[None]]] = []
        self.done = Disturbances()

    async def __call__(self, faults: Round) -> None:
        """Each of its ways before any comes again."""
        ways = (self._reload, self._flood, self._nothing)
        self._deck = self._deck or self._rng.sample(ways, len(ways))
        await self._deck.pop()(faults)

    async def _reload(self, faults: Round) -> None:
        """If an agent that was not there before the faults must say the same of them."""
        if all("fresh" in fault.observers for fault in faults):
            await self._served.reload()
            self.done.reloads += 1

    async def _flood(self, faults: Round) -> None:
        port = urlsplit(self._served.url).port
        async with beside("bench.laps.visitors", "come-and-go", str(port), "/events"):
            await self._served.witness.round()
        self.done.floods += 1

    async def _nothing(self, faults: Round) -> None:
        pass


@contextlib.asynccontextmanager
async def beside(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module in a process of its own, from its word that it is there to the end of the block."""
    argv = [*die_with_parent(), sys.executable, "-m", module, *arguments]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, cwd=SOURCE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"there\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def viewers(url: str, seen: Disturbances) -> AsyncIterator[None]:
    """They are there; what they have seen is noted at the end."""
    async with beside("tests.soak.viewers", url, str(WATCHING), str(ASKING)) as process:
        yield
        said, _ = await process.communicate(b"")
        count, *seen.wrong = said.decode().splitlines()
        seen.answers = int(count)


async def crowded(
    faults: Iterable[Round],
    done: Callable[[int], float],
    seed: int,
    say: Callable[[str], None],
    tolerance: float = MEMORY_TOLERANCE,
) -> tuple[Outcome, Disturbances]:
    """Run it on a node of its own."""
    async with Sandbox() as node:
        await node.wait_ready()
        served = Served(Rundir(node.rundir, node.rundir))
        async with served.serving():
            disturber = Disturber(served, seed)
            with TemporaryDirectory(dir=node.directory) as scratch:
                scene = Scene.of(node, Path(scratch))
                run = Soak(scene, served.witness, say, disturber, tolerance)
                async with viewers(served.url, disturber.done):
                    with contextlib.suppress(Stuck):
                        await run.run(faults, done)
    run.outcome.mismatches += [f"a viewer: {sentence}" for sentence in disturber.done.wrong]
    return run.outcome, disturber.done


def say(line: str) -> None:
    """At once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.crowded", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.getLogger("ovsnet").addHandler(logging.NullHandler())  # a line per round says it
    began, seconds = time.monotonic(), 60.0 * float(arguments.minutes)

    def share(_: int = 0) -> float:
        return (time.monotonic() - began) / seconds

    timely = itertools.takewhile(lambda _: share() < 1, rounds(arguments.seed))
    tolerance = MEMORY_TOLERANCE if arguments.minutes >= WARM else math.inf
    outcome, seen = uvloop.run(crowded(timely, share, arguments.seed, say, tolerance))
    say(
        f"\n{outcome.faults} faults in {outcome.rounds} rounds and {time.monotonic() - began:.0f} s, seed "
        f"{arguments.seed}, with {seen.reloads} reloads, {seen.floods} floods of clients and {seen.answers} answers to "
        f"{WATCHING + ASKING} viewers: {len(outcome.mismatches)} mismatches; {outcome.tasks} tasks and "
        f"{outcome.descriptors} descriptors before and after; {outcome.warm_mib:.1f} MiB after the warm-up, "
        f"{outcome.end_mib:.1f} at the end"
    )
    for mismatch in outcome.mismatches:
        say(f"MISMATCH  {mismatch}")
    return 1 if outcome.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
