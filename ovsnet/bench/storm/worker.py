"""The process that runs many simulated chassis: ``python -m ovsnet.bench.storm.worker``. See ``messages``."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import sys
import time
from random import Random

import msgspec
import uvloop

from ovsnet.bench.harness import require_files
from ovsnet.bench.memory import own_peak_bytes
from ovsnet.bench.result import ENGINE, Run
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.storm.chassis import Chassis
from ovsnet.bench.storm.connection import Station
from ovsnet.bench.storm.messages import TICK, End, Fault, Findings, Join, Order, Plan, Progress, Word
from ovsnet.bench.storm.subscription import subscribe
from ovsnet.errors import OvsnetError
from ovsnet.io.address import Address
from ovsnet.io.tls import HeldTls

PULSE = 0.02
"""Seconds between two looks at how late our own loop is."""

RARELY = (100_000, 50, 1000)
"""For the collector: each full collection walks all chassis, and holds them up."""

BATCH = 20
"""Chassis that begin before the loop turns once more."""


class Worker:
    """Runs the stations of one plan, and obeys orders."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._run = Run(kind="storm", name="")
        self._remotes = [Address.parse(remote) for remote in plan.remotes]
        self._stations: list[Station] = []
        self._orders = 0
        self._joined_at = 0.0
        self._fault: Fault | None = None
        self._feeding: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()

    def obey(self, order: Order) -> None:
        """Do what the conductor says."""
        self._orders += 1
        match order:
            case Join():
                self._joined_at = order.at
                self._feeding = self._loop.create_task(self._feed())
            case Fault():
                self._fault = order
            case End():
                self.ended.set()

    async def pulse(self) -> None:
        """Measure how late our own loop is, and tell of the progress, until cancelled."""
        lag = self._run.latency("generator lag")
        told_at = 0.0
        while True:
            due = time.monotonic() + PULSE
            await asyncio.sleep(PULSE)
            now = time.monotonic()
            lag.record(int((now - due) * 1e9))
            if now - told_at >= TICK:
                told_at = now
                say(self._progress())

    def finish(self) -> Findings:
        """Close every connection, and tell what was found."""
        if self._feeding is not None:
            self._feeding.cancel()
        counts = self._run.counts
        counts["chassis"] = self._plan.chassis
        counts["done"] = sum(station.chassis.synced_at is not None for station in self._stations)
        counts["lost"] = self._plan.chassis - counts["done"]
        if self._fault is not None:
            self._record_return(self._fault.at)
        for station in self._stations:
            station.end()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._run.cpu_seconds[ENGINE] = usage.ru_utime + usage.ru_stime
        self._run.peak_bytes[ENGINE] = own_peak_bytes()
        return Findings(self._run)

    def _record_return(self, struck_at: float) -> None:
        for station in self._stations:
            at = station.chassis.synced_at
            if at is not None and at > struck_at:
                self._run.latency("fault to synced").record(int((at - struck_at) * 1e9))

    # What a station tells.

    def count(self, what: str) -> None:
        self._run.count(what)

    def synced(self, outage: float | None) -> None:
        if outage is None:
            self._run.latency("join to synced").record(int((time.monotonic() - self._joined_at) * 1e9))
        else:
            self._run.latency("outage").record(int(outage * 1e9))

    def probed(self, seconds: float) -> None:
        self._run.latency("probe").record(int(seconds * 1e9))

    async def _feed(self) -> None:
        """Let the chassis come by the plan: those that are late through our own fault come at once."""
        plan = self._plan
        schedule = Schedule(lambda: plan.over / plan.chassis, plan.chassis, self._joined_at)
        datapaths = plan.datapaths or (None,)
        subscriptions = [subscribe(plan.tables, each, everything=plan.everything) for each in datapaths]
        tls = HeldTls(plan.tls.key, plan.tls.certificate, plan.tls.ca) if plan.tls else None
        rng = Random(plan.seed)
        number = plan.first
        while (at := schedule.next_at) is not None:
            await asyncio.sleep(max(at - time.monotonic(), 0.0))
            for moment in schedule.due(time.monotonic()):
                subscription = subscriptions[number % len(subscriptions)]
                chassis = Chassis(number, len(self._remotes), plan.probe_interval, subscription, rng, moment)
                station = Station(chassis, self._remotes, self, tls=tls, register=plan.register)
                self._stations.append(station)
                station.begin()
                number += 1
                if number % BATCH == 0:
                    await asyncio.sleep(0)

    def _progress(self) -> Progress:
        synced = sum(self._is_synced(station.chassis) for station in self._stations)
        return Progress(self._orders, synced, self._run.counts.get("gave up", 0))

    def _is_synced(self, chassis: Chassis) -> bool:
        if chassis.synced_at is None:
            return False
        fault = self._fault
        return fault is None or chassis.remote != fault.remote or chassis.synced_at > fault.at


def say(word: Word) -> None:
    """One line to the conductor. It reads all the time: this never waits for long."""
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


async def work(plan: Plan) -> None:
    """Until the order to end, or the end of stdin."""
    require_files(plan.chassis)
    gc.set_threshold(*RARELY)
    worker = Worker(plan)
    orders = _Orders(worker)
    asyncio.get_running_loop().add_reader(0, orders.readable)
    pulse = asyncio.ensure_future(worker.pulse())
    say(Progress(0, 0, 0))
    await worker.ended.wait()
    asyncio.get_running_loop().remove_reader(0)
    pulse.cancel()
    findings = worker.finish()
    await asyncio.sleep(0)  # for the sockets that were closed
    say(findings)


class _Orders:
    """Lines of stdin, as they come."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._pending = b""

    def readable(self) -> None:
        read = os.read(0, 65536)
        if not read:
            self._worker.obey(End())
            return
        *lines, self._pending = (self._pending + read).split(b"\n")
        for line in lines:
            self._worker.obey(_order.decode(line))


_order: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


def main() -> None:
    """The program: its first line of input is the plan."""
    plan = b""
    while not plan.endswith(b"\n"):  # not through a buffer, which would take orders with it
        if not (byte := os.read(0, 1)):
            return
        plan += byte
    with contextlib.suppress(BrokenPipeError):  # whoever started us is gone: nobody wants to know
        try:
            uvloop.run(work(msgspec.json.decode(plan, type=Plan)))
        except OvsnetError as error:
            sys.exit(f"ovsnet: A worker of the storm: {error}")


if __name__ == "__main__":
    main()
