"""Clients that connect, greet, ask and leave, again and again, while something else is measured.

They run in a process of their own, or whoever measures would measure how busy his own loop is.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from types import TracebackType
from typing import Self

import anyio
import msgspec
import uvloop

from ovsnet.bench import child
from ovsnet.bench.harness import require_files
from ovsnet.bench.probe_protocol import Name
from ovsnet.bench.race import Race, Racing, Strategy
from ovsnet.bench.result import Run
from ovsnet.errors import UnfitEnvironment
from ovsnet.io.address import Address

PAUSE = 0.010
"""Seconds that a client rests between two visits. Without it, clients of a socket that is gone would do nothing but
spin."""


class Endless:
    """There is always one more client to come, after a pause."""

    async def next(self) -> float | None:
        await asyncio.sleep(PAUSE)
        return time.monotonic()


class Hammer:
    """``async with Hammer(…) as hammer``: they hammer inside the block. ``end`` tells what became of them."""

    def __init__(self, protocol: Name, address: Address, clients: int, strategy: Strategy) -> None:
        self._argv = [sys.executable, "-m", __name__, protocol, str(address), str(clients), strategy.text]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await child.start(self._argv)
        assert self._process.stdout is not None
        try:
            began = await self._process.stdout.readline()
        except BaseException:
            await child.reap(self._process)
            raise
        if not began:
            await self._process.wait()
            raise UnfitEnvironment("The clients that hammer could not be started.")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await child.reap(self._process)

    async def end(self) -> dict[str, int]:
        """How many of their visits were done, how many lost, and by which errno."""
        assert self._process is not None
        said, _ = await self._process.communicate(b"")  # without input, Python 3.11 leaves stdin open
        return msgspec.json.decode(said, type=dict[str, int])


async def hammer(race: Race) -> dict[str, int]:
    """Hammer until stdin ends."""
    run = Run(kind="race", name=race.name)
    ended = asyncio.Event()

    def told() -> None:
        if not os.read(0, 100):
            ended.set()

    asyncio.get_running_loop().add_reader(0, told)
    sys.stdout.write("\n")
    sys.stdout.flush()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Racing(race, run, random.Random()).race, Endless())
        await ended.wait()
        asyncio.get_running_loop().remove_reader(0)
        tasks.cancel_scope.cancel()
    return run.counts


def main(protocol: Name, address: str, clients: str, strategy: str) -> None:
    """The program."""
    require_files(int(clients))
    race = Race(protocol, Address.parse(address), int(clients), sys.maxsize, Strategy.parse(strategy))
    counts = uvloop.run(hammer(race))
    sys.stdout.write(msgspec.json.encode(counts).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
