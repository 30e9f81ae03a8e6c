"""Fifty clients of an agent: ``python -m bench.laps.visitors come-and-go|hold PORT PATH``, until it is ended.

Says "there" once each of them has had an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial

VISITORS = 50

HEAD = 100
"""Bytes of an answer that are read: that there is one."""


async def come_and_go(port: int, path: str, answered: Callable[[], None]) -> None:
    """Hear the beginning of an answer, go, and come back at once, without end."""
    while True:
        with contextlib.suppress(OSError):
            async with answer(port, path):
                answered()


async def hold(port: int, path: str, answered: Callable[[], None]) -> None:
    """Stay on the connection, and read no more of the answer than its beginning."""
    async with answer(port, path):
        answered()
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def answer(port: int, path: str) -> AsyncIterator[None]:
    """The beginning of it was read; the connection lasts as long as the block, and ends with a reset."""
    # The limit: asyncio stops to read at twice that, and the rest stays with the kernel and the agent.
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        if not await reader.read(HEAD):
            raise ConnectionResetError
        yield
    finally:
        writer.transport.abort()


WAYS: dict[str, Callable[[int, str, Callable[[], None]], Coroutine[None, None, None]]] = {
    "come-and-go": come_and_go,
    "hold": hold,
}


async def visit(way: str, port: int, path: str) -> None:
    """All of them at once."""
    waited_for = set(range(VISITORS))

    def answered(number: int) -> None:
        if number in waited_for:
            waited_for.remove(number)
            if not waited_for:
                print("there", flush=True)

    await asyncio.gather(*(WAYS[way](port, path, partial(answered, number)) for number in range(VISITORS)))


if __name__ == "__main__":
    asyncio.run(visit(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
