"""The kubelet's rules as the test client keeps them; and the agent under them, on a node that breaks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE
from tests.serving import serving
from tests.web.kubelet import Probe, Worker, ask, kubelet

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@contextlib.asynccontextmanager
async def server(said: bytes, *, closes: bool = True) -> AsyncIterator[tuple[str, int]]:
    """Who says this to every request, and then closes or falls silent."""

    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            if not closes:
                await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()
        await over.wait()


@pytest.mark.parametrize(
    ("said", "success"),
    [
        (WELL, True),
        (WELL.replace(b"200", b"302"), True),
        (WELL.replace(b"200", b"404"), False),
        (WELL.replace(b"200", b"429"), False),
        (WELL.replace(b"200", b"503"), False),
        (b"", False),
        (b"garbage\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", None),
    ],
)
async def test_answer_counts_as_a_kubelet_counts_it(said: bytes, success: bool | None) -> None:
    async with server(said) as (host, port):
        assert await ask(host, port, Probe("/", timeout=30)) is success


@pytest.mark.parametrize(("said", "success"), [(b"", False), (WELL[:-1], None)])
async def test_silence_before_the_head_fails_and_behind_it_is_thrown_away(said: bytes, success: bool | None) -> None:
    async with server(said, closes=False) as (host, port):
        assert await ask(host, port, Probe("/", timeout=0.2)) is success


async def test_nobody_there_is_failure() -> None:
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        assert await ask("127.0.0.1", bound.getsockname()[1], Probe("/", timeout=30)) is False


def test_state_turns_at_the_threshold_of_equal_results_in_a_row() -> None:
    worker = Worker(Probe("/", failure_threshold=3), passing=True)
    for success in (False, False, True, False, False):
        worker.observe(success)
    assert worker.passing
    worker.observe(None)
    assert worker.passing
    worker.observe(False)
    assert not worker.passing
    worker.observe(True)
    assert worker.passing
    assert worker.turns == [6, 7]


@pytest.mark.restored
async def test_nothing_else_is_asked_before_the_startup_probe_has_passed(node: Sandbox) -> None:
    await node.stop("ovn-controller")
    async with serving(node.rundir) as agent, kubelet(agent.host, agent.port) as watched:
        await watched.until(lambda: len(watched.startup.results) >= 2)
        assert not watched.startup.passing
        assert not watched.liveness.results
        assert not watched.readiness.results
        await node.start("ovn-controller")
        await watched.until(lambda: watched.readiness.passing)
        assert watched.liveness.passing


@pytest.mark.restored
@pytest.mark.parametrize("daemon", ["ovs-vswitchd", "ovsdb-server"])
async def test_frozen_daemon_makes_the_node_unready_and_never_restarts_us(node: Sandbox, daemon: str) -> None:
    async with serving(node.rundir) as agent, kubelet(agent.host, agent.port) as watched:
        readiness, liveness = watched.readiness, watched.liveness
        await watched.until(lambda: readiness.passing)
        await node.freeze(daemon)
        await watched.until(lambda: not readiness.passing)
        assert readiness.results[-3:] == [False] * 3
        asked = len(liveness.results)
        await watched.until(lambda: len(liveness.results) >= asked + 3)
        assert not readiness.passing
        await node.thaw(daemon)
        await watched.until(lambda: readiness.passing)
        assert not liveness.turns


@pytest.mark.restored
async def test_frozen_southbound_changes_nothing_for_the_kubelet(node: Sandbox) -> None:
    async with serving(node.rundir) as agent, kubelet(agent.host, agent.port) as watched:
        readiness, liveness = watched.readiness, watched.liveness
        hung = Probe("/readyz/southbound.echo", timeout=30)
        await watched.until(lambda: readiness.passing)
        await node.freeze("ovn-sb")
        async with asyncio.timeout(PATIENCE):
            while await ask(agent.host, agent.port, hung):  # noqa: ASYNC110 - any poll will do
                await asyncio.sleep(0.1)
        asked = len(readiness.results)
        await watched.until(lambda: len(readiness.results) >= asked + 3)
        assert readiness.turns[1:] == []
        assert readiness.passing
        assert not liveness.turns
        await node.thaw("ovn-sb")
