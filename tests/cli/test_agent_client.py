"""Asking a running agent, and whatever else may answer there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import pytest

from ovsnet.agent.agent import Agent
from ovsnet.cli.agent_client import fetch_status
from ovsnet.config import load
from ovsnet.errors import ConnectionLost, DeadlineExceeded, ProtocolError, UnfitEnvironment, UsageError
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from ovsnet.web.server import serving


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that says ``answer`` to everybody and closes, or for None says nothing."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if answer is not None:
            writer.write(answer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_document_of_a_running_agent(shared_node: Sandbox) -> None:
    agent = Agent(load(), Rundir(shared_node.rundir, shared_node.rundir))
    async with serving(agent, ["127.0.0.1:0"]) as urls, anyio.create_task_group() as tasks:
        await tasks.start(agent.run)
        found = await fetch_status(urls[0], timeout=30)
        tasks.cancel_scope.cancel()
    assert found.keys() == agent.document().keys()
    assert found["checks"]


async def test_nobody_there_says_how_to_start_one() -> None:
    with pytest.raises(UnfitEnvironment, match=r"No agent answers") as caught:
        await fetch_status("unix:/nonexistent/agent.sock", timeout=1)
    assert "ovsnet serve" in caught.value.remedy


@pytest.mark.parametrize("typed", ["http://127.0.0.1:{}", "http://127.0.0.1:{}/", "127.0.0.1:{}"])
async def test_nobody_there_is_said_of_the_address_as_typed(typed: str) -> None:
    listen = typed.format(free_ports(1)[0])
    with pytest.raises(UnfitEnvironment) as caught:
        await fetch_status(listen, timeout=30)
    assert str(caught.value) == f"No agent answers. Nobody listens on {listen}."


@pytest.mark.parametrize("listen", ["https://127.0.0.1:1", "ssl:127.0.0.1:1"])
async def test_https_is_not_asked(listen: str) -> None:
    with pytest.raises(UsageError, match=f"^{listen} is an address of HTTPS") as caught:
        await fetch_status(listen, timeout=30)
    assert "unix socket" in caught.value.remedy


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ProtocolError, id="another server"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", UnfitEnvironment, id="credentials"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", ProtocolError, id="another document"),
        pytest.param(b"hello\r\n\r\n", ProtocolError, id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", ConnectionLost, id="cut short"),
    ],
)
async def test_anybody_else_is_an_error_with_a_sentence(answer: bytes, error: type[Exception]) -> None:
    async with answering(answer) as listen:
        with pytest.raises(error):
            await fetch_status(listen, timeout=30)


async def test_silence_ends_at_the_deadline() -> None:
    async with answering(None) as listen:
        with pytest.raises(DeadlineExceeded) as caught:
            await fetch_status(listen, timeout=0.1)
    assert "agent's log" in caught.value.remedy
