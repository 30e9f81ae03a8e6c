"""One storm from beginning to end: let all join, watch, inject the fault, heal it, and wait until all are back."""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio

from ovsnet.bench.result import ENGINE, Run
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.messages import TICK, Join, WorkerFindings, WorkerPlan
from ovsnet.bench.storm.pool import Pool
from ovsnet.bench.storm.storm import Storm
from ovsnet.bench.storm.target import FaultKind, Target
from ovsnet.errors import OvsnetError

SLACK_SHARE = 0.5
"""Of a probe interval, that our own loop may be late: beyond, a probe that was answered in time may be found late."""

SLACK_WITHOUT_PROBES = 1.0


class Coordinator:
    """Conducts ``storm`` with ``chassis`` of our own; what it finds is in ``run``, also when it is cut short."""

    def __init__(self, storm: Storm, chassis: int, run: Run[StormMeasures], target: Target) -> None:
        self._storm = storm
        self._chassis = chassis
        self._run = run
        self._target = target
        self._fell = ""

    async def conduct(self, plans: Sequence[WorkerPlan]) -> None:
        """Raises UnfitEnvironment when the workers cannot be run. Whatever else goes wrong is a problem of the run."""
        own = time.process_time()
        async with Pool(plans) as pool:
            self._target.check()
            self._run.began, since = time.time(), time.monotonic()
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch, pool, tasks.cancel_scope)
                    await self._phases(pool)
                    tasks.cancel_scope.cancel()
            finally:
                self._target.check()
                self._run.ended = self._run.began + time.monotonic() - since
                with anyio.CancelScope(shield=True):
                    self._collect(await pool.end(), len(plans))
        self._run.cpu_seconds[ENGINE] = self._run.cpu_seconds.get(ENGINE, 0.0) + time.process_time() - own

    async def _phases(self, pool: Pool) -> None:
        try:
            pool.order(Join(time.monotonic()))
            allowed = self._storm.ramp_seconds + self._storm.sync_timeout
            await self._all_synced(pool, allowed, f"joined after {allowed:g} s")
            await anyio.sleep(self._storm.hold_seconds)
            if self._storm.fault != "none":
                await self._inject(pool, self._storm.fault)
            await self._calm(pool)
        except OvsnetError as error:
            self._problem(str(error))

    async def _inject(self, pool: Pool, fault: FaultKind) -> None:
        pool.order(await self._target.inject(fault))
        await anyio.sleep(self._storm.fault_seconds)
        await self._target.heal()

    async def _calm(self, pool: Pool) -> None:
        """Return when all were synced, and none gave up, for as long as it takes to give up."""
        deadline = time.monotonic() + self._storm.sync_timeout
        what = f"come back after {self._storm.sync_timeout:g} s"
        while await self._all_synced(pool, deadline - time.monotonic(), what):
            gave_up = pool.gave_up
            await anyio.sleep(self._storm.hold_seconds)
            if (pool.gave_up, pool.synced) == (gave_up, self._chassis):
                return

    async def _all_synced(self, pool: Pool, timeout: float, what: str) -> bool:
        deadline = time.monotonic() + timeout
        while pool.synced < self._chassis:
            pool.require_whole()
            if time.monotonic() >= deadline:
                self._problem(f"{self._chassis - pool.synced} of {self._chassis} chassis had not {what}.")
                return False
            await anyio.sleep(TICK / 4)
        return True

    async def _watch(self, pool: Pool, scope: anyio.CancelScope) -> None:
        """Read the meters and the progress. In a sandbox, a server that dies by itself ends the storm; a real
        southbound may be restarted by its operator, which is a problem of the run."""
        while True:
            self._run.measures.done, self._run.measures.gave_up = pool.synced, pool.gave_up
            if (gone := self._target.check()) and not self._fell:
                self._fell = gone
                sandbox = self._storm.address is None
                self._problem(f"{gone} died during the run." if sandbox else f"{gone} closed a held connection.")
                if sandbox:
                    scope.cancel()
            await anyio.sleep(TICK)

    def _collect(self, found: Sequence[WorkerFindings], workers: int) -> None:
        if len(found) < workers:
            self._problem(f"{workers - len(found)} of {workers} workers did not report their results.")
        if not found:
            return
        whole = StormMeasures.added(findings.measures for findings in found)
        if not self._fell:  # to give up on a server that is gone is right, and which were false is unknown
            whole.false_disconnects, whole.gave_up = whole.gave_up, 0
        self._run.measures = whole
        self._run.cpu_seconds[ENGINE] = sum(findings.cpu_seconds for findings in found)
        self._run.peak_bytes[ENGINE] = sum(findings.peak_bytes for findings in found)
        for name, meter in self._target.meters.items():
            self._run.cpu_seconds[name], self._run.peak_bytes[name] = meter.cpu_seconds, meter.peak_bytes
        self._judge_lag()

    def _judge_lag(self) -> None:
        lag = self._run.measures.generator_lag.highest / 1e9
        slack = self._storm.probe_interval * SLACK_SHARE or SLACK_WITHOUT_PROBES
        if lag > slack:
            self._problem(
                f"The engine did not keep up: its own loop was {lag:.2f} s late, more than {slack:g} s, which "
                "is half of what a probe waits."
            )

    def _problem(self, what: str) -> None:
        self._run.problems.append(f"{self._storm.name}: {what}")
