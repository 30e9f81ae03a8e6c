"""Clients that connect, greet, ask and leave, again and again, while something else is measured.

They run in a process of their own: the measurement would otherwise measure how busy its own loop is.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from types import TracebackType
from typing import Self

import anyio
import msgspec

from ovsnet.bench.child import Child, Orders, report, serve
from ovsnet.bench.harness import require_files
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.race import ClientCounts, Race, RaceMeasures, Racing, Strategy
from ovsnet.bench.result import Run
from ovsnet.errors import UnfitEnvironment
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


class LoadClients:
    """``async with LoadClients(…) as clients``: they connect again and again inside the block."""

    def __init__(self, protocol: ProtocolName, address: Address, clients: int, strategy: Strategy) -> None:
        plan = LoadPlan(protocol, str(address), clients, strategy.text)
        self._child = Child(__name__, plan, Started, ClientCounts)

    async def __aenter__(self) -> Self:
        try:
            await self._child.start()
            if not await self._child.ready():
                raise UnfitEnvironment(f"The load clients could not be started. {self._child.failure}".strip())
        except BaseException:
            await self._child.dismiss()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._child.dismiss()

    async def end(self) -> ClientCounts:
        """What became of them. Raises UnfitEnvironment when something else has ended their process."""
        if (findings := await self._child.end()) is None:
            raise UnfitEnvironment("The load clients were ended from outside.", remedy="Look for the OOM killer.")
        return findings


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
