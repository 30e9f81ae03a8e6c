"""How often the event loop lets another task run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Turns:
    """``count`` is how many turns a task got that only yields."""

    def __init__(self) -> None:
        self.count = 0

    async def take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@contextlib.contextmanager
def counted_turns() -> Iterator[Turns]:
    """Count them while the block runs."""
    turns = Turns()
    other = asyncio.create_task(turns.take())
    try:
        yield turns
    finally:
        other.cancel()
