"""OpenFlow echoes on one connection: ``python -m bench.laps.openflow_echo ADDRESS MODE COUNT``.

MODE ``pipeline:N`` is ``bench.laps.pipeline`` with N in flight; ``tasks:N`` is ``await session.echo()`` in N tasks.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import uvloop

from bench.laps.pipeline import EchoPipeline
from bench.laps.report import WARM_UP, Stopwatch, tell
from ovsnet.io.address import Address
from ovsnet.openflow import Session, connect

PAYLOAD = bytes(8)

Work = Callable[[int], Awaitable[None]]


async def main(address: str, mode: str, count: int) -> None:
    kind, _, width = mode.partition(":")
    await {"pipeline": pipeline, "tasks": tasks}[kind](Address.parse(address), count, int(width))


async def timed(work: Work, count: int) -> None:
    await work(int(count * WARM_UP))
    watch = Stopwatch()
    await work(count)
    tell([watch.cost(count)])


async def pipeline(address: Address, count: int, width: int) -> None:
    async with aclosing(EchoPipeline(address)) as connection:
        await connection.connect()
        await timed(lambda number: connection.run(number, window=width, payload=PAYLOAD), count)


async def tasks(address: Address, count: int, width: int) -> None:
    async def echo_in_turn(session: Session, number: int) -> None:
        for _ in range(number):
            await session.echo(PAYLOAD)

    async def echo(number: int) -> None:
        await asyncio.gather(*(echo_in_turn(session, number // width) for _ in range(width)))

    async with connect(address) as session:
        await timed(echo, count)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
