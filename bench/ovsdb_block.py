"""How long one transaction of many rows holds up our event loop: ``python -m bench.ovsdb_block ROWS``.

Our thread's CPU between two passes of the loop, the longest, in milliseconds: what other processes take is not in it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from ovsnet.ovsdb import Client, LiveDatabase
from ovsnet.sandbox.node import Sandbox

PATIENCE = 300.0


class Passes:
    """The longest pass of the loop since ``begin``."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._at = time.thread_time()

    def begin(self) -> None:
        self.longest, self._at = 0.0, time.thread_time()

    async def watch(self) -> None:
        while True:
            now = time.thread_time()
            self.longest, self._at = max(self.longest, now - self._at), now
            await asyncio.sleep(0)


async def insert(db: LiveDatabase, rows: int) -> None:
    """All in one transaction. Building it is another's work, and not measured."""
    async with db.transaction(timeout=PATIENCE) as t:
        for number in range(rows):
            t.insert("Address_Set", name=f"set{number}", addresses=[f"192.0.2.{number % 250}"])


async def main(rows: int, tell: Callable[[str], object]) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        remote = node.southbound
        async with Client(remote) as reading, Client(remote) as writing:
            db = writing["OVN_Southbound"]
            for way in ("a callback", "a loop", "nobody"):
                await _measure(way, reading["OVN_Southbound"], db, rows, tell)


async def _measure(way: str, read: LiveDatabase, db: LiveDatabase, rows: int, tell: Callable[[str], object]) -> None:
    passes = Passes()
    heard: list[int] = []
    on_change = (lambda changes: heard.append(len(changes))) if way == "a callback" else None
    async with read.monitor({"Address_Set": None}, on_change=on_change, timeout=PATIENCE) as monitor:
        consumer = aiter(monitor) if way == "a loop" else None
        before = len(monitor.tables["Address_Set"])
        writing = asyncio.create_task(insert(db, rows))
        await asyncio.wait([writing])
        watching = asyncio.create_task(passes.watch())
        await monitor.until(lambda tables: len(tables["Address_Set"]) >= before + rows, timeout=PATIENCE)
        while consumer is not None and sum(heard) < before + rows:
            heard.append(len(await anext(consumer)))
        watching.cancel()
        async with db.transaction(timeout=PATIENCE) as t:
            t.delete("Address_Set", [])
    tell(f"{rows} rows, told to {way}: {passes.longest * 1000:.1f} ms\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, sys.stdout.write))
