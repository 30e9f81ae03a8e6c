"""No exception and no TLS handshake takes a connection out of the count: each has a place and a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ovsnet.io.listen import discard_unsent
from ovsnet.io.nofile import OWN, places
from ovsnet.sandbox.waiting import until
from tests.io.test_tls import Authority
from tests.patience import PATIENCE
from tests.serving import Serving, serving
from tests.web.raw_client import PROBE
from tests.web.test_crowd import ask, cut, megabytes

pytestmark = pytest.mark.heavy


def held(agent: Serving) -> int:
    """Descriptors that are sockets, listening ones and those of the daemons included."""
    links = list(Path(f"/proc/{agent.pid}/fd").iterdir())
    found = 0
    for link in links:
        with contextlib.suppress(OSError):
            found += str(link.readlink()).startswith("socket:")
    return found


@contextlib.contextmanager
def idle_clients(port: int, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
            if said:
                with contextlib.suppress(OSError):
                    client.send(said)
            clients.append(client)
        yield clients


def test_discarding_what_is_closed_already_is_no_error() -> None:
    """uvloop's transports hand out a socket without a descriptor then, which is a ValueError."""

    class Closed:
        def setsockopt(self, *_: object) -> None:
            raise ValueError("negative file descriptor")

    discard_unsent(Closed())  # type: ignore[arg-type]
    discard_unsent(None)


async def test_limit_holds_after_clients_that_come_and_go(tmp_path: Path) -> None:
    """Sixty that open /events and drop it, again and again: a transport that has ended is cut like any other."""
    async with serving(tmp_path, "--max-connections", "20") as agent:
        before = held(agent)
        over = time.monotonic() + 3
        loop = asyncio.get_running_loop()

        async def come_and_go() -> None:
            while time.monotonic() < over:
                with contextlib.suppress(OSError), socket.socket() as client:
                    client.setblocking(False)
                    await loop.sock_connect(client, (agent.host, agent.port))
                    await loop.sock_sendall(client, b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")

        await asyncio.gather(*(come_and_go() for _ in range(60)))
        with idle_clients(agent.port, 300):
            await until(lambda: before + 15 < held(agent) <= before + 22, PATIENCE, "More are held than allowed.")
            assert await ask(agent, "/livez") == "ok\n"
            assert await cut(agent) > 0
        await until(lambda: held(agent) <= before, PATIENCE, "Connections were leaked.")


@contextlib.asynccontextmanager
async def secure(tmp_path: Path, *options: str) -> AsyncIterator[tuple[Serving, int, ssl.SSLContext]]:
    """An agent with a plain listener and a secure one, the latter's port, and what a client needs."""
    authority = Authority(tmp_path / "ca")
    pair = authority.pair("agent")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = ssl.create_default_context(cafile=authority.ca)
    context.check_hostname = False
    files = ["--serve-key", pair.key, "--serve-certificate", pair.certificate]
    async with serving(tmp_path, "--listen", f"ssl:127.0.0.1:{port}", *files, *options) as agent:
        yield agent, port, context


def hello(context: ssl.SSLContext) -> bytes:
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


async def secure_probe(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(PROBE)
    said = await reader.read()
    writer.close()
    return said


async def test_handshakes_count_from_their_accept_on(tmp_path: Path) -> None:
    async with secure(tmp_path, "--max-connections", "50") as (agent, port, context):
        assert (await secure_probe(port, context)).endswith(b"ok\n")
        before, memory = held(agent), megabytes(agent)
        with idle_clients(port, 2000, hello(context)):
            await until(lambda: held(agent) > before + 20, PATIENCE, "Nobody came.")
            for _ in range(20):
                assert await ask(agent, "/livez") == "ok\n"
                assert (await secure_probe(port, context)).endswith(b"ok\n")
            await until(lambda: held(agent) <= before + 52, PATIENCE, "More are held than allowed.")
            assert megabytes(agent) < memory + 40
            assert await cut(agent) > 0
        await until(lambda: held(agent) <= before, PATIENCE, "Connections were leaked.")
        assert (await secure_probe(port, context)).endswith(b"ok\n")


async def test_handshake_has_a_deadline(tmp_path: Path) -> None:
    async with secure(tmp_path) as (agent, port, _):
        before = held(agent)
        with idle_clients(port, 30):
            await until(lambda: held(agent) >= before + 30, PATIENCE, "They never came.")
            await until(lambda: held(agent) <= before, PATIENCE, "They were never cut.")
        assert 'cut_total{reason="handshake"} 30.0' in await ask(agent, "/metrics")


def test_places_follow_from_the_descriptors() -> None:
    enough = places(OWN + 1024 + 2 * 2048, 1024, 2048)
    assert (enough.held, enough.waiting) == (1024, 2048)
    few = places(64, 1024, 2048)
    assert few.held + 2 * few.waiting <= 32 < 64
    least = places(8, 1024, 2048)
    assert least.held >= 1 <= least.waiting


async def test_probes_get_through_where_descriptors_are_few(tmp_path: Path) -> None:
    """64 for all, beside 200 idle clients."""
    async with serving(tmp_path, files=64) as agent:
        assert "may open 64 files" in agent.log.read_text()
        with idle_clients(agent.port, 200):
            for _ in range(30):
                assert await ask(agent, "/livez") == "ok\n"
                await asyncio.sleep(0.02)


async def test_end_waits_for_no_client(tmp_path: Path) -> None:
    """A hundred that ask on and on for what is long, read nothing, and are there to the end."""
    async with serving(tmp_path) as agent:
        asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60
        with idle_clients(agent.port, 100) as clients:
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(asked)
            await asyncio.sleep(0.5)
            os.kill(agent.pid, signal.SIGTERM)
            await until(lambda: state(agent.pid) in ("Z", "gone"), PATIENCE, "It never ended.")


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"
