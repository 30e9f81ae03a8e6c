"""At most so many at once.

``asyncio.Semaphore`` does the same, but each release walks along all tasks that were let in and have not run yet: with
a limit of 64 that costs as much CPU time as the connect.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Limiter:
    """``async with limiter``: at most ``size`` tasks are inside, and the one that has waited longest is next.

    A task that waits is only ever cancelled along with all others.
    """

    def __init__(self, size: int) -> None:
        self._room = size
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._room:
            self._room -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    async def __aexit__(self, *_: object) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # the room passes on to it
                return
        self._room += 1
