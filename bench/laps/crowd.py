"""Clients that hold an HTTP server's connections: idle ones, slow talkers and slow readers.

``python -m bench.laps.crowd HOST PORT SLOW IDLE``: says "there" once all have been connected, and holds on until its
standard input ends. Who is cut comes back, a second later.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import uvloop

from ovsnet.io.nofile import OWN, raise_nofile
from ovsnet.sandbox.waiting import until

STEP = 1.0
"""Seconds for a byte of who is slow, and until who was cut comes back."""

HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 3600

PATIENCE = 180.0
"""Seconds for all to be connected. It decides nothing."""

RECEIVE_BUFFER = 4096

PIPELINED = 16
"""Scrapes that a slow reader asks for: their answers are more than the kernel buffers for it."""

Client = Callable[[socket.socket], Awaitable[None]]


class Crowd:
    """``slow`` clients, of which every second reads slowly and the others talk slowly, and ``idle`` ones."""

    def __init__(self, host: str, port: int, *, slow: int, idle: int) -> None:
        self._place = (host, port)
        slow_ones: list[Client] = [_talk_slowly, _read_slowly]
        self._clients: list[Client] = [*[_idle] * idle, *slow_ones * (slow // 2)]
        self.came = [0] * len(self._clients)
        """How often each of them was connected."""

    @contextlib.asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        """All have been connected, and come back for the length of the block."""
        raise_nofile(OWN + len(self._clients))
        tasks = [asyncio.ensure_future(self._stay(number)) for number in range(len(self._clients))]
        try:
            await until(lambda: all(self.came), PATIENCE, "The crowd never was there.")
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _stay(self, number: int) -> None:
        while True:
            with socket.socket() as sock, contextlib.suppress(ConnectionError):
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                await asyncio.get_running_loop().sock_connect(sock, self._place)
                self.came[number] += 1
                await self._clients[number](sock)
            await asyncio.sleep(STEP)


async def _idle(sock: socket.socket) -> None:
    await asyncio.get_running_loop().sock_recv(sock, 1)


async def _talk_slowly(sock: socket.socket) -> None:
    for byte in HEAD:
        await asyncio.get_running_loop().sock_sendall(sock, bytes([byte]))
        await asyncio.sleep(STEP)


async def _read_slowly(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * PIPELINED)
    while await loop.sock_recv(sock, 1):
        await asyncio.sleep(STEP)
        # What has come stays readable after a reset: the bytes alone would not tell for an hour.
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return


async def main(host: str, port: str, slow: str, idle: str) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Crowd(host, int(port), slow=int(slow), idle=int(idle)).around():
        print("there", flush=True)
        await reader.read()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
