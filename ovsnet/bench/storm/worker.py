"""The process that runs many simulated chassis: ``python -m ovsnet.bench.storm.worker``."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from random import Random

from ovsnet.bench.child import Orders, report, serve
from ovsnet.bench.harness import require_files
from ovsnet.bench.memory import own_peak_bytes
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.storm.chassis import Chassis
from ovsnet.bench.storm.connection import ChassisConnection
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.messages import TICK, Fault, Join, Order, WorkerFindings, WorkerPlan, WorkerProgress
from ovsnet.bench.storm.subscription import subscribe
from ovsnet.io.address import Address
from ovsnet.io.tls import HeldTls

PULSE = 0.02
"""Seconds between two measurements of how late our own loop is."""

RARELY = (100_000, 50, 1000)
"""For the collector: each full collection walks all chassis, and holds them up."""

BATCH = 20
"""Chassis that begin before the loop turns once more."""


class Worker:
    """Runs the chassis of one plan, and obeys orders."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._measures = StormMeasures(chassis=plan.chassis)
        self._remotes = [Address.parse(remote) for remote in plan.remotes]
        self._connections: list[ChassisConnection] = []
        self._orders = 0
        self._joined_at = 0.0
        self._fault: Fault | None = None
        self._feeding: asyncio.Task[None] | None = None

    def obey(self, order: Order) -> None:
        """Do what the coordinator says."""
        self._orders += 1
        match order:
            case Join():
                self._joined_at = order.at
                self._feeding = self._loop.create_task(self._feed())
            case Fault():
                self._fault = order

    async def pulse(self) -> None:
        """Measure how late our own loop is, and report the progress, until cancelled."""
        lag = self._measures.generator_lag
        reported_at = 0.0
        while True:
            due = time.monotonic() + PULSE
            await asyncio.sleep(PULSE)
            now = time.monotonic()
            lag.record(int((now - due) * 1e9))
            if now - reported_at >= TICK:
                reported_at = now
                report(self._progress())

    def finish(self) -> WorkerFindings:
        """Close every connection, and return what was found."""
        if self._feeding is not None:
            self._feeding.cancel()
        measures = self._measures
        measures.done = sum(each.chassis.synced_at is not None for each in self._connections)
        measures.lost = self._plan.chassis - measures.done
        if self._fault is not None:
            self._record_return(self._fault.at)
        for connection in self._connections:
            connection.end()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return WorkerFindings(measures, usage.ru_utime + usage.ru_stime, own_peak_bytes())

    def _record_return(self, fault_at: float) -> None:
        for connection in self._connections:
            at = connection.chassis.synced_at
            if at is not None and at > fault_at:
                self._measures.fault_to_synced.record(int((at - fault_at) * 1e9))

    async def _feed(self) -> None:
        """Let the chassis come by the plan: those that are late through our own fault come at once."""
        plan = self._plan
        schedule = Schedule(lambda: plan.ramp_seconds / plan.chassis, plan.chassis, self._joined_at)
        datapaths = plan.datapaths or (None,)
        subscriptions = [subscribe(plan.tables, each, monitor_all=plan.monitor_all) for each in datapaths]
        tls = HeldTls(plan.tls.key, plan.tls.certificate, plan.tls.ca) if plan.tls else None
        rng = Random(plan.seed)
        number = plan.first
        while (at := schedule.next_at) is not None:
            await asyncio.sleep(max(at - time.monotonic(), 0.0))
            for moment in schedule.due(time.monotonic()):
                subscription = subscriptions[number % len(subscriptions)]
                chassis = Chassis(number, len(self._remotes), plan.probe_interval, subscription, rng, moment)
                connection = ChassisConnection(
                    chassis, self._remotes, self._measures, self._joined_at, tls=tls, register=plan.register
                )
                self._connections.append(connection)
                connection.begin()
                number += 1
                if number % BATCH == 0:
                    await asyncio.sleep(0)

    def _progress(self) -> WorkerProgress:
        synced = sum(self._is_synced(each.chassis) for each in self._connections)
        return WorkerProgress(self._orders, synced, self._measures.gave_up)

    def _is_synced(self, chassis: Chassis) -> bool:
        if chassis.synced_at is None:
            return False
        fault = self._fault
        return fault is None or chassis.remote != fault.remote or chassis.synced_at > fault.at


async def work(plan: WorkerPlan) -> WorkerFindings:
    """The work of the process."""
    require_files(plan.chassis)
    gc.set_threshold(*RARELY)
    worker = Worker(plan)
    orders = Orders(Order, worker.obey)
    pulse = asyncio.ensure_future(worker.pulse())
    report(WorkerProgress(0, 0, 0))
    await orders.ended.wait()
    pulse.cancel()
    findings = worker.finish()
    await asyncio.sleep(0)  # for the sockets that were closed
    return findings


if __name__ == "__main__":
    serve(WorkerPlan, work)
