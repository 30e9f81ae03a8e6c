"""A copy of tables, or one write after the other: ``python -m bench.laps.ovsdb_rows ADDRESS copy|write COUNT``."""

from __future__ import annotations

import sys

import uvloop

from bench.laps.report import Cost, Stopwatch, tell
from bench.laps.tables import DATABASE, TABLES
from ovsnet.io.address import Address
from ovsnet.ovsdb import connect
from ovsnet.ovsdb.operations import update


async def copy(address: Address, count: int) -> Cost:
    """Connect, and be done when all rows are there."""
    watch = Stopwatch()
    for _ in range(count):
        async with await connect(address) as session:
            monitor = await session.monitor(DATABASE, dict.fromkeys(TABLES))
            assert len(monitor.tables["Interface"]) > 1
    return watch.cost(count)


async def write(address: Address, count: int) -> Cost:
    async with await connect(address) as session:
        watch = Stopwatch()
        for number in range(count):
            await session.transact(DATABASE, update("Open_vSwitch", {"system_version": f"ours {number}"}))
        return watch.cost(count)


WORK = {"copy": copy, "write": write}


if __name__ == "__main__":
    tell([uvloop.run(WORK[sys.argv[2]](Address.parse(sys.argv[1]), int(sys.argv[3])))])
