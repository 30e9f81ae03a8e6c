"""A client that does nothing wrong, and suffers: one held connection that asks for an echo every few milliseconds.

It runs in a process of its own, or it would measure how busy the engine's own loop is. It asks by a plan and counts
from the planned moment, so that a stall of the daemon is felt by every echo that it delays.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from types import TracebackType
from typing import Literal, Self

import msgspec
import uvloop

from ovsnet import openflow, ovsdb
from ovsnet.bench import child
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.schedule import Schedule
from ovsnet.bench.timer import Timer
from ovsnet.errors import OvsnetError, PeerError, UnfitEnvironment
from ovsnet.io.address import Address

Resident = Literal["openflow", "ovsdb"]
"""What it can speak."""

PERIOD = 0.005
"""Seconds between two echoes."""

PATIENCE = 10.0
"""Seconds after which an echo is given up."""

CONNECTED = "\n"
"""What it says first."""


class Suffering(msgspec.Struct):
    """What it felt before the load, and under it; ``lost`` says why its connection ended, if it did."""

    idle: Histogram
    loaded: Histogram
    lost: str = ""


class Bystander:
    """Start it, say when the load begins, and ask it to end."""

    def __init__(self, protocol: Resident, address: Address) -> None:
        self._argv = [sys.executable, "-m", __name__, protocol, str(address)]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of its process, once started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Return when it is connected. Raises PeerError, with what it met, when it cannot."""
        self._process = await child.start(self._argv)
        assert self._process.stdout is not None
        said = (await self._process.stdout.readline()).decode()
        if said != CONNECTED:
            await self._process.wait()
            raise PeerError(said.strip() or "The bystander's process ended before it was connected.")

    def load_begins(self) -> None:
        """From now on it is the load that it feels."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await child.reap(self._process)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await child.reap(self._process)

    async def end(self) -> Suffering:
        """What it has felt. Raises UnfitEnvironment when something else has ended its process."""
        assert self._process is not None
        said, _ = await self._process.communicate(b"")  # without input, Python 3.11 leaves stdin open
        if self._process.returncode:
            raise UnfitEnvironment("The bystander's process was ended from outside.", remedy="Look for the OOM killer.")
        return msgspec.json.decode(said, type=Suffering)


async def suffer(protocol: Resident, address: Address) -> Suffering:
    """Ask and ask until stdin ends; a line on it means that the load has begun."""
    felt = Suffering(Histogram(), Histogram())
    connect = openflow.connect if protocol == "openflow" else ovsdb.connect
    async with await connect(address, timeout=PATIENCE) as session:
        orders = _Orders()
        sys.stdout.write(CONNECTED)
        sys.stdout.flush()
        try:
            await _ask(session, felt, orders)
        except PeerError as error:
            felt.lost = str(error)
            await orders.ended
        finally:
            orders.close()
    return felt


async def _ask(session: openflow.Session | ovsdb.Session, felt: Suffering, orders: _Orders) -> None:
    """Once more after the end: only an answer proves that the daemon was there until then."""
    plan = Schedule(lambda: PERIOD, 1 << 62, time.monotonic())
    with Timer() as timer:
        last = False
        while not last:
            last = orders.ended.done()
            await timer.until(plan.next_at or 0.0)
            for moment in plan.due(time.monotonic()):
                histogram = felt.loaded if orders.load_began else felt.idle
                await session.echo(timeout=PATIENCE)
                histogram.record(int((time.monotonic() - moment) * 1e9))


class _Orders:
    """What stdin says."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.load_began = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(0, self._told)

    def _told(self) -> None:
        if os.read(0, 100):
            self.load_began = True
        elif not self.ended.done():
            self.ended.set_result(None)
            self.close()

    def close(self) -> None:
        self._loop.remove_reader(0)


def main(protocol: str, address: str) -> None:
    """The program. When it cannot connect it says why, in one line."""
    assert protocol in ("openflow", "ovsdb")
    try:
        felt = uvloop.run(suffer("openflow" if protocol == "openflow" else "ovsdb", Address.parse(address)))
        sys.stdout.write(msgspec.json.encode(felt).decode())
    except OvsnetError as error:
        sys.stdout.write(f"{error} {error.remedy}".strip())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
