"""One storm from its beginning to its end: let all join, watch, strike, and wait until all are back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from ovsnet.bench.result import ENGINE, Run, together
from ovsnet.bench.storm.messages import TICK, Join, Plan
from ovsnet.bench.storm.pool import Crew
from ovsnet.bench.storm.target import Victim
from ovsnet.errors import OvsnetError

if TYPE_CHECKING:
    from ovsnet.bench.storm.storm import Storm

SLACK_SHARE = 0.5
"""Of a probe interval, that our own loop may be late: beyond, a probe that was answered in time may be found late."""

SLACK_WITHOUT_PROBES = 1.0


class Conductor:
    """Conducts ``storm`` with ``chassis`` of our own; what it finds is in ``run``, also when it is cut short."""

    def __init__(self, storm: Storm, chassis: int, run: Run, victim: Victim) -> None:
        self._storm = storm
        self._chassis = chassis
        self._run = run
        self._victim = victim
        self._fell = ""

    async def conduct(self, plans: Sequence[Plan]) -> None:
        """Raises UnfitEnvironment when the workers cannot be run. Whatever else goes wrong is a problem of the run."""
        own = time.process_time()
        async with Crew(plans) as crew:
            self._victim.look()
            self._run.began, since = time.time(), time.monotonic()
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch, crew, tasks.cancel_scope)
                    await self._phases(crew)
                    tasks.cancel_scope.cancel()
            finally:
                self._victim.look()
                self._run.ended = self._run.began + time.monotonic() - since
                with anyio.CancelScope(shield=True):
                    self._collect(await crew.end(), len(plans))
        self._run.cpu_seconds[ENGINE] = self._run.cpu_seconds.get(ENGINE, 0.0) + time.process_time() - own

    async def _phases(self, crew: Crew) -> None:
        try:
            crew.order(Join(time.monotonic()))
            allowed = self._storm.over + self._storm.patience
            await self._all_synced(crew, allowed, f"joined after {allowed:g} s")
            await anyio.sleep(self._storm.held)
            if self._storm.blow != "none":
                await self._strike(crew)
            await self._calm(crew)
        except OvsnetError as error:
            self._problem(str(error))

    async def _strike(self, crew: Crew) -> None:
        assert self._storm.blow != "none"
        crew.order(await self._victim.strike(self._storm.blow))
        await anyio.sleep(self._storm.blow_seconds)
        await self._victim.relent()

    async def _calm(self, crew: Crew) -> None:
        """Return when all were synced, and none gave up, for as long as it takes to give up."""
        deadline = time.monotonic() + self._storm.patience
        what = f"come back after {self._storm.patience:g} s"
        while await self._all_synced(crew, deadline - time.monotonic(), what):
            gave_up = crew.gave_up
            await anyio.sleep(self._storm.held)
            if (crew.gave_up, crew.synced) == (gave_up, self._chassis):
                return

    async def _all_synced(self, crew: Crew, patience: float, what: str) -> bool:
        deadline = time.monotonic() + patience
        while crew.synced < self._chassis:
            crew.require_whole()
            if time.monotonic() >= deadline:
                self._problem(f"{self._chassis - crew.synced} of {self._chassis} chassis had not {what}.")
                return False
            await anyio.sleep(TICK / 4)
        return True

    async def _watch(self, crew: Crew, scope: anyio.CancelScope) -> None:
        """Read the meters and the progress. In a sandbox, a server that dies by itself ends the storm; a real
        southbound may be struck by somebody, which is told."""
        while True:
            self._run.counts |= {"done": crew.synced, "gave up": crew.gave_up}
            if (gone := self._victim.look()) and not self._fell:
                self._fell = gone
                sandbox = self._storm.address is None
                self._problem(
                    f"{gone} died during the run." if sandbox else f"{gone} closed a connection that was held."
                )
                if sandbox:
                    scope.cancel()
            await anyio.sleep(TICK)

    def _collect(self, found: Sequence[Run], workers: int) -> None:
        if len(found) < workers:
            self._problem(f"{workers - len(found)} of {workers} workers told nothing of what they found.")
        if not found:
            return
        whole = together(found)
        # Who gives up on a server that is gone is right: then nobody can tell which of them were not.
        whole.counts["gave up" if self._fell else "false disconnects"] = whole.counts.pop("gave up", 0)
        self._run.counts, self._run.latencies = whole.counts, whole.latencies
        self._run.cpu_seconds, self._run.peak_bytes = whole.cpu_seconds, whole.peak_bytes
        for name, meter in self._victim.meters.items():
            self._run.cpu_seconds[name], self._run.peak_bytes[name] = meter.cpu_seconds, meter.peak_bytes
        self._judge_lag()

    def _judge_lag(self) -> None:
        lag = self._run.latencies["generator lag"].highest / 1e9
        slack = self._storm.probe_interval * SLACK_SHARE or SLACK_WITHOUT_PROBES
        if lag > slack:
            self._problem(
                f"The engine did not keep up: its own loop was {lag:.2f} s late, which is more than {slack:g} s, half "
                "of what a probe waits."
            )

    def _problem(self, what: str) -> None:
        self._run.problems.append(f"{self._storm.name}: {what}")
