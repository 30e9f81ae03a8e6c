"""A copy of a table of very many rows: ``python -m bench.laps.ovsdb_large ADDRESS follow|sync|write ROWS UPDATES``.

``follow`` prints what the first copy, a reconnect and the updates cost; ``write`` makes those updates.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time

import uvloop

from bench.laps.memory import resident_mb
from bench.laps.report import tell_figures
from bench.laps.tables import LARGE, LARGE_DATABASE
from ovsnet.ovsdb import Client, LastingMonitor
from ovsnet.ovsdb.operations import update

PATIENCE = 600.0
MAX_BYTES = 1 << 30
RATE = 1000.0
"""Updates a second."""


class Passes:
    """The longest pass of the loop, in our thread's CPU, with the garbage collector and without."""

    def __init__(self) -> None:
        self.longest = self.without_collector = 0.0
        self._collecting = self._collected = 0.0
        self._at = time.thread_time()
        gc.callbacks.append(self._on_collection)

    async def watch(self) -> None:
        while True:
            now = time.thread_time()
            took, self._at = now - self._at, now
            self.longest = max(self.longest, took)
            self.without_collector = max(self.without_collector, took - self._collected)
            self._collected = 0.0
            await asyncio.sleep(0)

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        now = time.thread_time()
        if phase == "start":
            self._collecting = now
        else:
            self._collected += now - self._collecting


async def follow(address: str, rows: int, updates: int) -> dict[str, float]:
    found: dict[str, float] = {}
    before = resident_mb()
    async with Client(address, max_bytes=MAX_BYTES) as client:
        passes = Passes()
        watching = asyncio.create_task(passes.watch())
        monitor = client[LARGE_DATABASE].monitor({LARGE: None}, timeout=PATIENCE, longest=PATIENCE)
        async with monitor:
            watching.cancel()
            assert len(monitor.tables[LARGE]) == rows
            found["memory_mb"] = resident_mb() - before
            found["longest_ms"] = passes.longest * 1e3
            found["longest_without_collector_ms"] = passes.without_collector * 1e3
            found["resume_cpu_ms"] = await resume(client, monitor)
            found["share_of_a_core"] = await updated(address, monitor, updates)
    return found


async def sync(address: str, rows: int, updates: int) -> dict[str, float]:
    """The first copy's CPU alone: a loop that is watched never sleeps."""
    began = time.process_time()
    async with Client(address, max_bytes=MAX_BYTES) as client:
        monitor = await client.monitor(LARGE_DATABASE, {LARGE: None}, timeout=PATIENCE, longest=PATIENCE)
        assert len(monitor.tables[LARGE]) == rows
        return {"sync_cpu_s": time.process_time() - began}


async def resume(client: Client, monitor: LastingMonitor) -> float:
    """Milliseconds of CPU from a lost connection to a copy that goes on, when nothing was missed."""
    assert client.session is not None
    began = time.process_time()
    client.session.channel.abort()
    await monitor.until(lambda tables: not monitor.synced, timeout=PATIENCE)
    await monitor.resynced(timeout=PATIENCE)
    assert monitor.resyncs == 0
    return (time.process_time() - began) * 1e3


async def updated(address: str, monitor: LastingMonitor, updates: int) -> float:
    """Our share of a core while another process updates rows."""
    consumer = aiter(monitor)
    await anext(consumer)
    writer = (sys.executable, "-m", "bench.laps.ovsdb_large", address, "write", "0", str(updates))
    writing = await asyncio.create_subprocess_exec(*writer, stdout=asyncio.subprocess.DEVNULL)
    news = await anext(consumer)
    wall, cpu = time.perf_counter(), time.process_time()
    # They are not counted: a server that is behind puts several into one message.
    while not any(change.new and change.new["actions"] == written(updates - 1) for change in news):
        news = await anext(consumer)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    await writing.wait()
    return share


def written(number: int) -> str:
    """What an update leaves in its row."""
    return f"next; {number}"


async def write(address: str, rows: int, updates: int) -> dict[str, float]:
    """One transaction each, in the rhythm of RATE."""
    async with Client(address, probe=None) as client:
        table = await client.select(LARGE_DATABASE, LARGE, [("priority", "==", 0)], ["_uuid"], timeout=PATIENCE)
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as writing:
            for number in range(updates):
                row = table[number % len(table)]["_uuid"]
                change = update(LARGE, {"actions": written(number)}, [("_uuid", "==", row)])
                writing.create_task(client.transact(LARGE_DATABASE, change, timeout=PATIENCE))
                await asyncio.sleep(began + number / RATE - loop.time())
    return {}


WORK = {"follow": follow, "sync": sync, "write": write}


if __name__ == "__main__":
    address, work, *numbers = sys.argv[1:]
    tell_figures(uvloop.run(WORK[work](address, *map(int, numbers))))
