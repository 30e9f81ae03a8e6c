"""A proxy on a unix socket that cuts connections where it is told to, also in the middle of a message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from ovsnet.io.address import Address


class Proxy:
    """``seen`` is what the server sent over the last connection."""

    def __init__(self, path: str, upstream: str) -> None:
        self.address = Address.unix(path)
        self.connections = 0
        self.refusing = False
        self._upstream = upstream
        self._budget: int | None = None
        self._cut_at: bytes | None = None
        self._held_back: tuple[bytes, Callable[[], Awaitable[None]]] | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def has_made(self, connections: int) -> bool:
        """Whether it has made so many."""
        return self.connections >= connections

    def cut(self) -> None:
        """End all connections now, whatever is on the way."""
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, size: int) -> None:
        """End the connection when the server has sent so many more bytes."""
        self._budget = size

    def cut_at(self, text: bytes) -> None:
        """End it in the middle of the next chunk that holds this."""
        self._cut_at = text

    def hold_back(self, text: bytes, until: Callable[[], Awaitable[None]]) -> None:
        """Pass on the next chunk of a client that holds ``text`` once this was done."""
        self._held_back = text, until

    def pass_on(self) -> None:
        """Hold nothing back any more."""
        self._held_back = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            return
        down, up = await asyncio.open_unix_connection(self._upstream)
        self.connections += 1
        self._writers |= {writer, up}
        pumps = [asyncio.create_task(self._pump(reader, up, down=False))]
        pumps.append(asyncio.create_task(self._pump(down, writer, down=True)))
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._writers -= {writer, up}
            up.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
        while data := await reader.read(1 << 16):
            if not down and self._held_back is not None and self._held_back[0] in data:
                (_, until), self._held_back = self._held_back, None
                await until()
            kept = self._kept(data) if down else data
            writer.write(kept)
            if len(kept) < len(data):
                await writer.drain()
                return
            await writer.drain()

    def _kept(self, data: bytes) -> bytes:
        """What of it is still passed on."""
        if self._cut_at is not None and self._cut_at in data:
            self._cut_at = None
            return data[: len(data) // 2]
        if self._budget is not None:
            if len(data) > self._budget:
                data, self._budget = data[: self._budget], None
            else:
                self._budget -= len(data)
        return data

    async def aclose(self) -> None:
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def proxied(path: str, upstream: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(path, upstream)
    server = await asyncio.start_unix_server(proxy.handle, path)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
