"""How long the end of the server takes, by the clock of its loop alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ovsnet.config import Settings
from ovsnet.deadlines import DRAIN, SHUTDOWN
from ovsnet.io.listen import listen
from ovsnet.node.rundir import Rundir
from ovsnet.web.server import WebServer
from tests.virtual_time import VirtualLoop
from tests.web.conftest import BoardedAgent

AT_MOST = 2.0
"""Seconds from SIGTERM to the agent's end, as docs/security.md promises."""


def ask(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


CLIENTS = {
    "idle": b"",
    "half a request": ask("/status")[:-2],
    "a stream": ask("/events"),
    "answers that nobody reads": ask("/metrics") * 200,
}
"""What each says, and then nothing more: it reads nothing and never closes."""


def test_no_client_holds_up_the_end(tmp_path: Path) -> None:
    async def drained() -> float:
        loop = asyncio.get_running_loop()
        agent = BoardedAgent(Settings(), Rundir(tmp_path, tmp_path))
        server = WebServer(agent)
        listener = listen(f"unix:{tmp_path}/http", agent.settings.access)
        await server.open(listener, None)
        clients = [await asyncio.open_unix_connection(tmp_path / "http", limit=1) for _ in CLIENTS]
        for (_, writer), said in zip(clients, CLIENTS.values(), strict=True):
            writer.write(said)
        answered = {("/events", 200), ("/metrics", 200)}
        while not answered <= agent.counters.requests.keys():  # noqa: ASYNC110 - to sleep would let time pass
            await asyncio.sleep(0)
        before = loop.time()
        await server.aclose()
        took = loop.time() - before
        for _, writer in clients:
            writer.transport.abort()
        return took

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        took = runner.run(drained())
    assert 0 < took <= SHUTDOWN
    assert DRAIN + took <= AT_MOST
