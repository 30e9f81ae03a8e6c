"""An ovsdb-server of the test's own: it answers as it is set up to, late, never, or with a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ovsnet.io.address import Address

TXN = "11111111-1111-4111-8111-111111111111"
ROW = "00000000-0000-4000-8000-000000000001"
SCHEMA: dict[str, Any] = {
    "name": "D",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"name": {"type": "string"}, "number": {"type": "integer"}}}},
}

Answer: TypeAlias = Callable[[Sequence[Any]], object]
"""Params -> the result; a Refusal, or None for no answer at all."""


async def requests_of(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """What a client asks, as its bytes come."""
    text, decoder = "", json.JSONDecoder()
    while data := await reader.read(1 << 16):
        text += data.decode()
        while text:
            try:
                request, end = decoder.raw_decode(text)
            except ValueError:
                break
            text = text[end:]
            yield request


class Refusal:
    """An error reply."""

    def __init__(self, error: str) -> None:
        self.error = {"error": error, "details": ""}


def results(params: Sequence[Any]) -> list[dict[str, Any]]:
    """Of a transaction that meets one row, whatever it does."""
    return [{"rows": [{"_uuid": ["uuid", ROW]}], "count": 1, "uuid": ["uuid", ROW]} for _ in params[1:]]


class Scripted:
    """One that serves the database D with an empty table T. It works like the real one: requests of a connection are
    answered in their order, each after the ``delays`` of its method. A request comes under ``asked`` as soon as it is
    read."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers: dict[str, Answer] = {
            "get_schema": lambda params: SCHEMA,
            "list_dbs": lambda params: ["D"],
            "set_db_change_aware": lambda params: {},
            "echo": lambda params: params,
            "monitor_cond": lambda params: {},
            "monitor_cond_since": lambda params: [False, TXN, {"T": {}}],
            "monitor_cond_change": lambda params: {},
            "monitor_cancel": lambda params: {},
            "transact": results,
            "lock": lambda params: {"locked": True},
            "unlock": lambda params: {},
            **answers,
        }
        self.delays: dict[str, float] = {}
        self.asked: list[tuple[str, Any]] = []
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._asked = asyncio.Event()

    def methods(self) -> list[str]:
        """What it was asked, in order."""
        return [method for method, _ in self.asked]

    async def heard(self, method: str, times: int = 1) -> None:
        """Return when it was asked this so often."""
        while self.methods().count(method) < times:
            self._asked.clear()
            await self._asked.wait()

    def send(self, method: str, *params: object) -> None:
        """Notify all clients."""
        self.write(json.dumps({"id": None, "method": method, "params": params}).encode())

    def write(self, data: bytes) -> None:
        """The same with bytes of the test's own."""
        for writer in self._writers:
            writer.write(data)

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        answering = asyncio.create_task(self._answer(requests, writer))
        try:
            async for request in requests_of(reader):
                self.asked.append((request["method"], request["params"]))
                self._asked.set()
                requests.put_nowait(request)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            answering.cancel()
            await asyncio.wait([answering])
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, requests: asyncio.Queue[dict[str, Any]], writer: asyncio.StreamWriter) -> None:
        while True:
            request = await requests.get()
            if request["id"] is None:
                continue
            await asyncio.sleep(self.delays.get(request["method"], 0))
            method = request["method"]
            answer = self.answers[method](request["params"]) if method in self.answers else Refusal("unknown method")
            if isinstance(answer, Refusal):
                writer.write(json.dumps({"id": request["id"], "result": None, "error": answer.error}).encode())
            elif answer is not None:
                writer.write(json.dumps({"id": request["id"], "result": answer, "error": None}).encode())


@contextlib.asynccontextmanager
async def scripted(**answers: Answer) -> AsyncIterator[tuple[Scripted, Address]]:
    """It runs as long as the block. ``answers`` are by method, in place of its own."""
    server = Scripted(answers)
    with tempfile.TemporaryDirectory(prefix="scripted-") as directory:
        listening = await asyncio.start_unix_server(server.serve, f"{directory}/sock")
        try:
            yield server, Address.unix(f"{directory}/sock")
        finally:
            listening.close()
            server.cut()
