"""Clients that connect, greet, ask and leave, again and again, while something else is measured.

They run in a process of their own: the measurement would otherwise measure how busy its own loop is.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import anyio
import msgspec

from ovsnet.bench.child import Companion, Orders, report, serve
from ovsnet.bench.harness import require_files
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.race import ClientCounts, Race, RaceMeasures, Racing, Strategy
from ovsnet.bench.result import Run
from ovsnet.io.address import Address

PAUSE = 0.010
"""Seconds that a client rests between two connections. Without it, clients of a socket that is gone would do nothing
but spin."""


class LoadPlan(msgspec.Struct, frozen=True):
    """``clients`` at once, by a ``strategy`` as a person writes it."""

    protocol: ProtocolName
    address: str
    clients: int
    strategy: str


class Started(msgspec.Struct, frozen=True):
    """They are at it."""


class _Endless:
    """There is always one more client to come, after a pause."""

    async def next(self) -> float | None:
        await asyncio.sleep(PAUSE)
        return time.monotonic()


class LoadClients(Companion[Started, ClientCounts]):
    """``async with LoadClients(…) as clients``: they connect again and again inside the block."""

    title = "The process of the load clients"

    def __init__(self, protocol: ProtocolName, address: Address, clients: int, strategy: Strategy) -> None:
        super().__init__(__name__, LoadPlan(protocol, str(address), clients, strategy.text), Started, ClientCounts)


async def connect_until_ended(plan: LoadPlan) -> ClientCounts:
    """The work of the process."""
    require_files(plan.clients)
    strategy = Strategy.parse(plan.strategy)
    race = Race(plan.protocol, Address.parse(plan.address), plan.clients, sys.maxsize, strategy)
    run = Run(kind="race", name=race.name, measures=RaceMeasures())
    orders = Orders[Started](Started, lambda order: None)
    report(Started())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Racing(race, run, random.Random()).race, _Endless())
        await orders.ended.wait()
        tasks.cancel_scope.cancel()
    return ClientCounts(**{field: getattr(run.measures, field) for field in ClientCounts.__struct_fields__})


if __name__ == "__main__":
    serve(LoadPlan, connect_until_ended)
