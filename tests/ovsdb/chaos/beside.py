"""What goes on beside the copy, over the same client: a second monitor whose conditions change, a lock, a consumer that
lags, and callers that give up."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ovsnet.errors import PeerError
from ovsnet.ovsdb import Changes, Client, LastingMonitor, Lock, Row, Uuid
from ovsnet.ovsdb.errors import LockReleased
from tests.ovsdb import shapes
from tests.ovsdb.chaos.followed import Followed, difference
from tests.patience import PATIENCE

COLUMN, VALUES = "one_integer", (0, 1, -1, 7)
"""What the conditions are about: rows that hold one of some values."""

LOCK = "chaos"

DRAINED = 0.3
"""At this share of the pauses the consumer that lags takes what waits for it."""

Tables = Mapping[str, Mapping[Uuid, Row]]


class Beside:
    """Entered while the client is. All that is random follows from ``rng``."""

    def __init__(self, client: Client, rng: random.Random) -> None:
        self._client = client
        self._rng = rng
        self._values: tuple[int, ...] = (0,)
        self._told = Followed("Shape", "Counter")
        self._late = Followed("Shape", "Counter")
        self._changing: list[asyncio.Task[None]] = []
        self._holding: asyncio.Task[None] | None = None
        self._locks: list[Lock] = []

    @contextlib.asynccontextmanager
    async def over(self, monitor: LastingMonitor) -> Any:
        """``monitor`` is the one that the consumer lags behind."""
        self._feed = aiter(monitor)
        async with self._client.monitor(
            shapes.NAME,
            {"Shape": None, "Counter": None},
            where=self._where(),
            on_change=self._told.fold,
            timeout=PATIENCE,
        ) as self.monitor:
            try:
                yield
            finally:
                await self.give_the_lock_up()
                for task in self._changing:
                    task.cancel()
                await asyncio.gather(*self._changing, return_exceptions=True)

    # What happens at random.

    def happenings(self) -> Mapping[str, tuple[int, Callable[[], Awaitable[None]]]]:
        """With their weights, as faults."""
        return {
            "other conditions": (4, self._change_conditions),
            "conditions that nobody waits for": (2, self._change_conditions_and_give_up),
            "a lock": (3, self._take_the_lock),
            "no lock": (2, self.give_the_lock_up),
        }

    async def _change_conditions(self) -> None:
        self._values = tuple(self._rng.sample(VALUES, self._rng.randrange(1, 3)))
        self._changing.append(asyncio.create_task(self.monitor.set_conditions(self._where(), timeout=PATIENCE)))

    async def _change_conditions_and_give_up(self) -> None:
        await self._change_conditions()
        await asyncio.sleep(self._rng.choice((0, 0.001, 0.01)))
        self._changing.pop().cancel()

    async def _take_the_lock(self) -> None:
        """Or wait for it: another may hold it yet, and then the connection may break."""
        if self._holding is None:
            self._holding = asyncio.create_task(self._hold())
            await asyncio.sleep(self._rng.choice((0, 0.001, 0.01)))

    async def give_the_lock_up(self) -> None:
        """Held or not."""
        holding, self._holding = self._holding, None
        if holding is not None:
            holding.cancel()
            await asyncio.wait([holding])
            if not holding.cancelled() and (error := holding.exception()) is not None:
                raise error

    async def _hold(self) -> None:
        with contextlib.suppress(PeerError):  # its connection broke
            async with self._client.lock(LOCK, timeout=PATIENCE) as lock:
                self._locks.append(lock)
                await lock.lost

    # What must hold.

    async def settle(self) -> None:
        """Before a comparison: nothing is under way."""
        changing, self._changing = self._changing, []
        await asyncio.gather(*changing)
        await self.give_the_lock_up()
        await self.monitor.resynced(timeout=PATIENCE)

    async def compare(self, dumped: Tables, told: Followed, *, last: bool) -> None:
        """Raises AssertionError for what must not be."""
        chosen = {uuid: row for uuid, row in dumped["Shape"].items() if row[COLUMN] in self._values}
        wanted = {**dumped, "Shape": chosen}
        assert self.monitor.tables == wanted, f"with conditions: {difference(self.monitor.tables, wanted)}"
        assert self._told.tables == wanted, f"told with conditions: {difference(self._told.tables, wanted)}"
        if last or self._rng.random() < DRAINED:
            await asyncio.wait_for(self._drain(told), PATIENCE)
        for lock in self._locks:
            assert not lock.held
            assert isinstance(lock.lost.result(), PeerError | LockReleased)
        self._locks.clear()

    async def _drain(self, told: Followed) -> None:
        while self._late.tables != told.tables:
            changes: Changes = await anext(self._feed)
            self._late.fold(changes)

    def _where(self) -> dict[str, list[tuple[str, str, object]]]:
        """Any of several conditions is enough."""
        return {"Shape": [(COLUMN, "==", value) for value in self._values]}
