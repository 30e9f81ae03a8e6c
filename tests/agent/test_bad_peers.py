"""What listens behind a socket is not always the daemon: the agent says so, keeps its memory, and recovers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

import ovsnet.io.link_state
from ovsnet import ovsdb
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.database import MOST_ROW
from ovsnet.sandbox.node import Sandbox
from tests.agent.conftest import Watching
from tests.patience import PATIENCE

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HELLO = bytes.fromhex("0600000800000001")
ENDLESS = 64 << 20
"""Bytes that the endless peer has to give: more than any cap of ours, so that a cut is what ends it."""


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + bytes(range(256)))
    await reader.read()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def half_closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """It ends its side at once, and goes on to take ours."""
    writer.write_eof()
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """It waits for a question, and hangs up."""
    await reader.read(1)


async def dribbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The beginning of something right, a byte at a time, without an end. It is right for all three protocols."""
    first = await reader.read(8)
    openflow = first[:1] in b"\x01\x04\x06"
    for byte in b"\x06\x00\xff\xff\x00\x00\x00\x01" if openflow else b'{"id":0,"error":null,"result":["':
        writer.write(bytes([byte]))
        await asyncio.sleep(0.001)
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.005)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As fast as we take it: one JSON string, or OpenFlow messages that nobody asked for."""
    openflow = (await reader.read(8))[:1] in b"\x01\x04\x06"
    writer.write(HELLO if openflow else b'{"id":0,"error":null,"result":["')
    echo_reply = bytes.fromhex("0603000800000bad")
    block = echo_reply * 8192 if openflow else b"x" * 65536
    for _ in range(ENDLESS // len(block)):
        writer.write(block)
        await writer.drain()
    await reader.read()


async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """It has a whole conversation to offer, of what nobody asked for."""
    openflow = (await reader.read(8))[:1] in b"\x01\x04\x06"
    writer.write(HELLO if openflow else b"")
    block = bytes.fromhex("0602000800000bad") * 4096 if openflow else b'{"id":9,"method":"echo","params":[]}' * 1000
    drained = asyncio.ensure_future(drain(reader))
    try:
        while True:
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(0)
    finally:
        drained.cancel()


async def drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


MOST_MEMORY = 100 << 10
"""Kilobytes by which the process may grow: a cap of 16 MiB or 64 KiB per connection, and what cutting copies."""

PEERS = [garbage, silent, half_closing, closing, dribbling, endless]


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience between attempts is tested elsewhere; here it only costs time."""
    monkeypatch.setattr(ovsnet.io.link_state, "LONGEST_BACKOFF", 0.1)


@contextlib.asynccontextmanager
async def replaced(paths: list[Path], peer: Peer) -> AsyncIterator[None]:
    """``peer`` listens in place of the daemons at ``paths``, whose own sockets come back afterwards."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await peer(reader, writer)
        writer.close()

    servers = []
    for path in paths:
        path.rename(path.with_suffix(".aside"))
        servers.append(await asyncio.start_unix_server(serve, path))
    try:
        yield
    finally:
        for path in paths:
            path.with_suffix(".aside").rename(path)
        for server in servers:
            server.close()
        for writer in writers:
            writer.transport.abort()


def sockets(node: Sandbox, which: str) -> list[Path]:
    if which == "openflow":
        return [node.rundir / "br-int.mgmt"]
    control = [node.rundir / f"{name}.{node.pid(name)}.ctl" for name in ("ovs-vswitchd", "ovn-controller")]
    return [node.rundir / "db.sock", *control]


def told(result: Result) -> bool:
    return result.status is not Status.OK and bool(result.reason) and bool(result.detail)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.__name__)
@pytest.mark.parametrize(
    ("which", "checks"),
    [
        ("openflow", ["openflow.echo"]),
        ("json", ["ovsdb.echo", "vswitchd.ofproto", "controller.running"]),
    ],
)
async def test_bad_peer_is_told_with_a_reason_and_a_sane_one_is_taken_back(
    shared_node: Sandbox, watching: Watching, peer: Peer, which: str, checks: list[str]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with contextlib.AsyncExitStack() as bad:
        await bad.enter_async_context(replaced(sockets(shared_node, which), peer))
        async with watching(shared_node.rundir, interval=0.05, timeout=0.1, start_allowance=0.01) as watched:
            results = watched.agent.health.results
            await watched.until(lambda: all(told(results[name]) for name in checks))
            await watched.rounds(3)  # the agent goes on, and is not taken in
            assert all(told(results[name]) for name in checks)
            assert watched.agent.health.diagnosis.code != "healthy"
            await bad.aclose()
            await watched.diagnosis("healthy")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MEMORY


@pytest.mark.parametrize(
    ("which", "place", "check"),
    [
        ("openflow", "br-int", "openflow.echo"),
        ("json", "db.sock", "ovsdb.echo"),
        ("json", "ovs-vswitchd", "vswitchd.ofproto"),
    ],
)
async def test_peer_that_floods_is_told_as_that_and_degrades(
    shared_node: Sandbox, watching: Watching, monkeypatch: pytest.MonkeyPatch, which: str, place: str, check: str
) -> None:
    """It is left alone for seconds, which a test need not wait for; a sane one is taken back then."""
    monkeypatch.setattr(ovsnet.io.link_state, "LONGEST_FLOOD_BACKOFF", 0.5)
    paths = [path for path in sockets(shared_node, which) if path.name.startswith(place)]
    async with (
        contextlib.AsyncExitStack() as bad,
        watching(shared_node.rundir, interval=0.05, timeout=1.0, start_allowance=0.01) as watched,
    ):
        await watched.diagnosis("healthy")
        await bad.enter_async_context(replaced(paths, flooding))
        results = watched.agent.health.results
        await watched.until(lambda: results[check].reason == "protocol-flood")
        await watched.diagnosis("protocol-flood")
        assert watched.agent.health.ready
        await bad.aclose()
        await watched.diagnosis("healthy")


async def test_row_too_large_to_be_read_is_told_with_its_table_whoever_looks(
    shared_node: Sandbox, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an agent that was there, and by one that begins with it."""
    monkeypatch.setattr(ovsnet.io.link_state, "LONGEST_FLOOD_BACKOFF", 0.5)

    async def write(keys: dict[str, str]) -> None:
        async with ovsdb.connect(f"unix:{shared_node.rundir}/db.sock") as session:
            database = session["Open_vSwitch"]
            async with database.transaction(timeout=PATIENCE) as t:
                t.mutate("Open_vSwitch", [], ("external_ids", "delete", ["fills"]), ("external_ids", "insert", keys))

    async with watching(shared_node.rundir, interval=0.05, timeout=1.0, start_allowance=0.01) as watched:
        await watched.diagnosis("healthy")
        await write({"fills": "x" * MOST_ROW})
        try:
            await watched.diagnosis("protocol-flood")
            async with watching(shared_node.rundir, interval=0.05, timeout=1.0, start_allowance=0.01) as late:
                found = await late.diagnosis("protocol-flood")
                assert re.search(r"Row \S+ of Open_vSwitch has 3\.0 MiB", " ".join(found.evidence))
        finally:
            await write({})
        await watched.diagnosis("healthy")
