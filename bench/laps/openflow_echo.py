"""OpenFlow echoes on one connection: ``python -m bench.laps.openflow_echo ADDRESS MODE COUNT``.

MODE ``pipeline:N`` is ``session.pipeline_echo`` with N in flight; ``tasks:N`` is ``await session.echo()`` in N tasks.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.laps.report import WARM_UP, Stopwatch, tell
from ovsnet.io.address import Address
from ovsnet.openflow import Session, connect

PAYLOAD = bytes(8)


async def main(address: str, mode: str, count: int) -> None:
    kind, _, width = mode.partition(":")
    work = {"pipeline": pipeline, "tasks": tasks}[kind]
    async with await connect(Address.parse(address)) as session:
        await work(session, int(count * WARM_UP), int(width))
        watch = Stopwatch()
        await work(session, count, int(width))
        tell([watch.cost(count)])


async def pipeline(session: Session, count: int, width: int) -> None:
    await session.pipeline_echo(count, window=width, payload=PAYLOAD)


async def tasks(session: Session, count: int, width: int) -> None:
    async def echo_in_turn() -> None:
        for _ in range(count // width):
            await session.echo(PAYLOAD)

    await asyncio.gather(*(echo_in_turn() for _ in range(width)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
