"""OVSDB echoes with ``session.echo()``: ``python -m bench.laps.ovsdb_echo ADDRESS TASKS COUNT``."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.laps.report import WARM_UP, Stopwatch, tell
from ovsnet.io.address import Address
from ovsnet.ovsdb import Session, connect


async def main(address: str, width: int, count: int) -> None:
    async with await connect(Address.parse(address)) as session:
        await echo(session, width, int(count * WARM_UP))
        watch = Stopwatch()
        await echo(session, width, count)
        tell([watch.cost(count)])


async def echo(session: Session, width: int, count: int) -> None:
    async def echo_in_turn() -> None:
        for _ in range(count // width):
            await session.echo()

    await asyncio.gather(*(echo_in_turn() for _ in range(width)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
