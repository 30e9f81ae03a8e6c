"""Listen in on what daemons say to one another: a tap on a socket of the node, and peers that keep silent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts

ECHO_REQUEST = 2
FLOW_MESSAGES = {14, 33, 34}
"""OFPT_FLOW_MOD, OFPT_BUNDLE_CONTROL, OFPT_BUNDLE_ADD_MESSAGE of OpenFlow 1.5."""

MANY = 20

LONGEST = 40.0
"""Seconds after which a fact that is waited for is given up. No test is decided by it."""


class Said:
    """What one side of one connection has said so far, and when it began."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.data = bytearray()
        self.heard: list[tuple[float, int]] = []

    def add(self, data: bytes) -> None:
        self.data += data
        self.heard.append((time.monotonic(), len(self.data)))

    def openflow(self) -> list[tuple[float, bytes]]:
        """Messages with the seconds since the connection began at which each was complete."""
        found, start = [], 0
        while len(self.data) >= start + 8:
            end = start + int.from_bytes(self.data[start + 2 : start + 4], "big")
            if end > len(self.data):
                break
            at = next(at for at, total in self.heard if total >= end)
            found.append((at - self.began, bytes(self.data[start:end])))
            start = end
        return found

    def json(self) -> list[dict[str, Any]]:
        text, found, decoder = self.data.decode(), [], json.JSONDecoder()
        while text:
            try:
                message, end = decoder.raw_decode(text)
            except ValueError:
                break
            found.append(message)
            text = text[end:]
        return found

    def types(self) -> list[int]:
        return [message[1] for _, message in self.openflow()]

    def openflow_echoes(self) -> int:
        return self.types().count(ECHO_REQUEST)

    def rpc_echoes(self) -> int:
        return sum(message.get("method") == "echo" for message in self.json())


class Listener:
    """News of bytes, for a test that waits for a fact about them."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def told(self) -> None:
        self._news.set()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(LONGEST):
            while not fact():
                self._news.clear()
                await self._news.wait()


class Tap(Listener):
    """``said`` has what each client of the socket said, in order of their connections."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []

    async def probed(self) -> None:
        """Return when some client asked by JSON-RPC whether its server lives."""
        await self.until(lambda: any(said.rpc_echoes() for said in self.said))

    def flow_writers(self) -> Iterator[Said]:
        """The connections over which flows are written; to find out features, OVN writes one or two on another."""
        return (said for said in self.said if sum(each in FLOW_MESSAGES for each in said.types()) > MANY)


def moved(path: Path) -> Path:
    """A listening socket under another name; its owner does not notice."""
    return path.rename(path.with_suffix(".real"))


@asynccontextmanager
async def tapped(path: Path) -> AsyncIterator[Tap]:
    """While it lasts, who connects to ``path`` reaches its owner through us. Only new connections do."""
    real = moved(path)
    tap, pumps = Tap(), set[asyncio.Task[None]]()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: Said | None) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                if said is not None:
                    said.add(data)
                    tap.told()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, here = await asyncio.open_unix_connection(real)
        except ConnectionError:
            writer.close()
            return
        tap.said.append(Said())
        for task in (pump(reader, here, tap.said[-1]), pump(there, writer, None)):
            pumps.add(asyncio.ensure_future(task))

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield tap
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


class Mute(Listener):
    """A peer that says ``greeting``, keeps what it hears, and never answers."""

    def __init__(self, greeting: bytes = b"") -> None:
        super().__init__()
        self.greeting = greeting
        self.said = Said()
        self.connections = 0

    async def probed(self) -> None:
        """Return when the peer asked by JSON-RPC whether we live."""
        await self.until(lambda: self.said.rpc_echoes())

    async def listen_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.said = Said()
        self.told()
        writer.write(self.greeting)
        try:
            while data := await reader.read(1 << 16):
                self.said.add(data)
                self.told()
        except ConnectionError:
            pass
        finally:
            writer.close()


HELLO = bytes([6, 0, 0, 8, 0, 0, 0, 1])
"""OpenFlow 1.5."""


@asynccontextmanager
async def mute_controller() -> AsyncIterator[tuple[Mute, str]]:
    """A controller that greets and then keeps silent; its target for a Controller row."""
    mute = Mute(HELLO)
    server = await asyncio.start_server(mute.listen_to, "127.0.0.1", 0)
    try:
        yield mute, f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def mute_client(connect: Callable[[], Any], greeting: bytes = b"") -> AsyncIterator[Mute]:
    """A client that never answers; ``connect`` opens its streams."""
    mute = Mute(greeting)
    reader, writer = await connect()
    task = asyncio.ensure_future(mute.listen_to(reader, writer))
    try:
        yield mute
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()


def unix(path: Path) -> Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    return lambda: asyncio.open_unix_connection(path)


async def until(fact: Callable[[], Awaitable[object]]) -> None:
    """There is no event to wait for: it lies in another process."""
    async with asyncio.timeout(LONGEST):
        while not await fact():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)


def acts(facts: Facts, knob: str) -> bool:
    """Whether it does something on the versions that run here, by the catalogue."""
    acting = facts.acts(KNOBS[knob])
    assert acting is not None
    return acting
