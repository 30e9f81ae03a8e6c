"""``python -m tests.soak.pauses --minutes 10 --busy 8 --seed 1``: freezes below ``dead_after`` on a busy machine.

One ``ovsnet serve`` with its default settings is asked as a kubelet asks. Exit code 0 when ``/livez`` and
``/ovs/livez`` never failed and no code was shown that was not true.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import uvloop

from ovsnet.config import Settings
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent
from tests.faults.daemons import COMPONENTS, RESTARTED
from tests.faults.fault import Scene
from tests.matrix.agents import Agent, agent

DEFAULTS = Settings()

SHORTEST, LONGEST = 0.2, 0.9 * DEFAULTS.dead_after
"""Seconds of a freeze. Even one that a busy machine ends late stays below ``dead_after``."""

PATIENCE = 5.0
"""Seconds a probe waits for its answer."""

SETTLED = 120.0
"""Seconds in which the agent must call the node healthy after a freeze."""


@dataclass(slots=True)
class Outcome:
    """What was asked, what was done, and sentences on what was wrong."""

    probes: int = 0
    freezes: int = 0
    frozen: float = 0.0
    wrong: list[str] = field(default_factory=list)


async def probe(path: Path, outcome: Outcome) -> None:
    """Ask each second, on a connection of its own, for as long as the task lives."""
    patience = aiohttp.ClientTimeout(total=PATIENCE)
    while True:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=patience) as client:
            for endpoint in ("/livez", "/ovs/livez"):
                outcome.probes += 1
                try:
                    async with client.get(f"http://localhost{endpoint}") as response:
                        if response.status != 200:
                            outcome.wrong.append(f"{endpoint} said {response.status}: {await response.text()}")
                except (aiohttp.ClientError, TimeoutError) as error:
                    outcome.wrong.append(f"{endpoint}: {error or type(error).__name__}")
        await asyncio.sleep(1.0)


async def freeze(scene: Scene, observer: Agent, daemon: str, seconds: float, outcome: Outcome) -> None:
    """One freeze and its way back; what was shown meanwhile must be true."""
    component = COMPONENTS[daemon]
    began = time.monotonic()
    await scene.node.freeze(daemon)
    await asyncio.sleep(seconds)
    await scene.node.thaw(daemon)
    frozen = time.monotonic() - began
    outcome.freezes, outcome.frozen = outcome.freezes + 1, outcome.frozen + frozen
    await scene.node.wait_ready(timeout=SETTLED)
    await observer.until_says("healthy", SETTLED)
    true = {"healthy", *RESTARTED[component].split()}
    if frozen >= DEFAULTS.hung_after:
        true.add(f"{component}-hung")
    for told in observer.codes:
        # Slow is what a daemon may be on a machine with much to do.
        if told.at >= began and told.what not in true and not told.what.endswith("-slow"):
            outcome.wrong.append(f"{daemon} frozen for {frozen:.1f} s: said {told.what} ({told.why})")


@contextlib.asynccontextmanager
async def busy(loops: int) -> AsyncIterator[None]:
    """So many processes that only compute."""
    loop = [*die_with_parent(), sys.executable, "-c", "while True: pass"]
    processes = [await asyncio.create_subprocess_exec(*loop) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            await process.wait()


async def soak(minutes: float, loops: int, seed: int) -> Outcome:
    """Random freezes of random daemons, short ones more often than long ones."""
    rng, outcome = random.Random(seed), Outcome()
    async with Sandbox() as node, busy(loops):
        await node.wait_ready(timeout=SETTLED)
        with TemporaryDirectory(dir=node.directory) as scratch:
            scene = Scene.of(node, Path(scratch))
            async with agent(scene, "held", {}) as observer:
                await observer.until_says("healthy", SETTLED)
                probing = asyncio.create_task(probe(Path(scratch) / "held.sock", outcome))
                until = time.monotonic() + 60 * minutes
                while time.monotonic() < until:
                    seconds = SHORTEST * (LONGEST / SHORTEST) ** rng.random()
                    daemon = rng.choice(list(COMPONENTS))
                    await freeze(scene, observer, daemon, seconds, outcome)
                    say(f"{daemon} {seconds:.1f} s; load {os.getloadavg()[0]:.1f}; {len(outcome.wrong)} wrong")
                probing.cancel()
                outcome.wrong += [f"printed {line}" for line in observer.errors]
    return outcome


def say(line: str) -> None:
    """At once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.pauses", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--busy", type=int, default=8, help="processes that only compute, default 8")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = uvloop.run(soak(arguments.minutes, arguments.busy, arguments.seed))
    say(
        f"\n{outcome.freezes} freezes, {outcome.frozen:.0f} s together, {outcome.probes} probes, "
        f"seed {arguments.seed}: {len(outcome.wrong)} wrong"
    )
    for sentence in outcome.wrong:
        say(f"WRONG  {sentence}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
