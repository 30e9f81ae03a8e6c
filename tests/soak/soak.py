"""Keep one agent running through one fault after the other, and hold what it says against what was done.

A round: break, wait for the diagnosis that must come, ask everything once more (it must still stand), undo, wait for
``healthy``, and have the node itself prove that it is well. Facts are waited for; ``LOST_HOPE`` ends a run that hangs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError
from ovsnet.health.checks import CHECKS
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.health.state import Change
from ovsnet.io.memory import give_back
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.faults.fault import Scene
from tests.matrix.expected import Expected, in_order
from tests.soak.faults import HELD_UP, HUNG_AFTER
from tests.soak.footprint import Footprint, resident
from tests.soak.plan import Round, plan

SETTINGS = Settings(
    listen=("127.0.0.1:0",),
    interval=0.2,
    timeout=0.5,
    hung_after=HUNG_AFTER,
    start_allowance=5.0,
    broken_after=1.0,
    restarts=1000,
    restarts_a_day=1000,
)

AT_ANY_TIME = frozenset({"healthy", "starting", "northd-not-connected"})
"""What is right in any round. ovn-northd may be in its backoff since an earlier one in which a database was away: up to
8 s, and it is asked so seldom that the node is healthy meanwhile (lib/reconnect.h, RECONNECT_DEFAULT_MAX_BACKOFF)."""

LOST_HOPE = 60.0
"""Seconds for any one fact. The longest regular one is 8 s of ovn-controller's backoff."""

WARM_UP = 1 / 3
"""Share of the run before memory is looked at: each code path was taken, each buffer has its size."""

MEMORY_TOLERANCE = 3.0
"""MiB by which the resident memory may end above its size after the warm-up."""


@dataclass(slots=True)
class Outcome:
    """What a soak found. ``mismatches`` are sentences; none means that it passed."""

    rounds: int = 0
    faults: int = 0
    mismatches: list[str] = field(default_factory=list)
    warm_mib: float = 0.0
    end_mib: float = 0.0
    tasks: int = 0
    descriptors: int = 0


class Witness:
    """Hears everything the agent tells."""

    def __init__(self, agent: Agent) -> None:
        self.said: list[Diagnosis] = []
        self._news = asyncio.Event()
        self.follow(agent)

    def follow(self, agent: Agent) -> None:
        """From now on this one; one that it takes the place of says nothing more."""
        self.agent = agent
        agent.subscribe(self._hear)
        self._news.set()

    def _hear(self, change: Change) -> None:
        if change.diagnosis is not None:
            self.said.append(change.diagnosis)
        self._news.set()

    @property
    def now(self) -> Diagnosis:
        return self.agent.health.diagnosis

    async def until(self, fact: Callable[[], bool]) -> None:
        """Return when ``fact`` holds. It is looked at with each news, and now and then: ``also`` changes silently."""
        async with asyncio.timeout(LOST_HOPE):
            while not fact():
                self._news.clear()
                with anyio.move_on_after(SETTINGS.interval / 4):
                    await self._news.wait()

    async def round(self) -> None:
        """Return when every fast check was asked again."""
        results = self.agent.health.results
        before = {name: results[name].at for name, check in CHECKS.items() if check.every <= 1.0}
        await self.until(lambda: all(results[name].at > at for name, at in before.items()))


def is_slow(code: str) -> bool:
    """A daemon may be so on a machine with much to do: only harder words must be true."""
    return code.endswith("-slow")


async def undisturbed(faults: Round) -> None:
    """Nothing else happens."""


class Soak:
    """One run. ``say`` takes a line for each round; ``disturb`` is called while the node is broken by these faults."""

    def __init__(
        self,
        scene: Scene,
        witness: Witness,
        say: Callable[[str], None],
        disturb: Callable[[Round], Awaitable[None]] = undisturbed,
        tolerance: float = MEMORY_TOLERANCE,
    ) -> None:
        self._scene = scene
        self._witness = witness
        self._disturb = disturb
        self._tolerance = tolerance
        self._footprint = Footprint()
        self._say = say
        self.outcome = Outcome()

    async def run(self, rounds: Iterable[Round], done: Callable[[int], float]) -> None:
        """All of these. ``done`` says which share of the run so many faults are."""
        await self._settle_down()
        await self._footprint.take(self._witness.round)
        for faults in rounds:
            began = time.monotonic()
            with self._noting(faults):
                await self._meet(faults)
            self.outcome.rounds += 1
            self.outcome.faults += len(faults)
            said = " ".join(dict.fromkeys(diagnosis.code for diagnosis in self._witness.said))
            names = " + ".join(fault.name for fault in faults)
            share, took = done(self.outcome.faults), time.monotonic() - began
            # Cycles of errors and tracebacks wait long for their collector, and the allocator keeps what a flood
            # took: what grows now is held.
            give_back()
            self.outcome.end_mib = resident()
            self._say(
                f"{self.outcome.faults} ({share:.0%})  {names}: {said}  {took:.1f} s, {self.outcome.end_mib:.1f} MiB"
            )
            if share >= WARM_UP and not self.outcome.warm_mib:
                self.outcome.warm_mib = self.outcome.end_mib
        self._judge_memory()

    async def _meet(self, faults: Round) -> None:
        self._witness.said.clear()
        self._scene.remembered.clear()
        expected = Expected.of(faults)

        def settled() -> bool:
            return self._witness.now.code in expected.codes and expected.also.issubset(self._witness.now.also)

        async with AsyncExitStack() as happening:
            for fault in in_order(faults):
                await happening.enter_async_context(fault.happens(self._scene))
            await self._witness.until(settled)
            await self._disturb(faults)
            await self._witness.until(settled)
            await self._witness.round()
            if is_slow(self._witness.now.code):
                await self._witness.until(settled)
            if not settled():
                self._fail(f"{' or '.join(sorted(expected.codes))} did not stand: it was {self._witness.now.code}")
        await self._settle_down()
        self._judge(faults, expected)
        if grown := await self._footprint.grown(self._witness.until):
            self._fail(grown)

    async def _settle_down(self) -> None:
        """The agent says so, and the node proves it: every port has its flows."""
        await self._witness.until(lambda: self._witness.now.code == "healthy")
        await self._scene.node.wait_ready()
        await self._witness.round()
        await self._witness.until(lambda: self._witness.now.code == "healthy")

    def _judge(self, faults: Round, expected: Expected) -> None:
        allowed = expected.codes | expected.passing | expected.also | AT_ANY_TIME
        if HELD_UP in self._scene.remembered:
            allowed |= {f"{part}-hung" for fault in faults for part in fault.breaks}
        for diagnosis in self._witness.said:
            if diagnosis.code not in allowed and not is_slow(diagnosis.code):
                self._fail(f"said {diagnosis.code}: {'; '.join(diagnosis.evidence)}")

    def _judge_memory(self) -> None:
        self.outcome.warm_mib = self.outcome.warm_mib or self.outcome.end_mib
        self.outcome.tasks, self.outcome.descriptors = self._footprint.tasks, self._footprint.descriptors
        if (grown := self.outcome.end_mib - self.outcome.warm_mib) > self._tolerance:
            self._fail(f"the memory grew by {grown:.1f} MiB after the warm-up")

    @contextmanager
    def _noting(self, faults: Round) -> Iterator[None]:
        """A fact that never came ends the run: after it the node is not what the plan takes it for."""
        self._names = " + ".join(fault.name for fault in faults)
        try:
            yield
        except (TimeoutError, OvsnetError) as error:
            now = self._witness.now
            why = str(error) or f"waited {LOST_HOPE:.0f} s in vain"
            self._fail(f"{why}, with {now.code} (also {', '.join(now.also) or 'nothing'})")
            raise Stuck from error

    def _fail(self, sentence: str) -> None:
        self.outcome.mismatches.append(f"{self._names}: {sentence}")
        self._say(f"MISMATCH  {self.outcome.mismatches[-1]}")


class Stuck(Exception):
    """The run cannot go on."""


async def soak(faults: int, seed: int, say: Callable[[str], None]) -> Outcome:
    """Run it on a node of its own."""
    async with Sandbox() as node:
        await node.wait_ready()
        agent = Agent(SETTINGS, Rundir(node.rundir, node.rundir))
        async with anyio.create_task_group() as tasks:
            await tasks.start(agent.run)
            with suppress(Stuck), TemporaryDirectory(dir=node.directory) as scratch:
                run = Soak(Scene.of(node, Path(scratch)), Witness(agent), say)
                await run.run(plan(faults, seed), lambda met: met / faults)
            tasks.cancel_scope.cancel()
    return run.outcome


def replay(faults: int, seed: int) -> str:
    """The command that does the same again."""
    return f"python -m tests.soak --faults {faults} --seed {seed}"
