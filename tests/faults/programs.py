"""Programs and servers that run beside the daemons of a sandbox for as long as a fault lasts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent

BACKLOG = 65
"""Connections that wait at most: 64 of listen(2) in OVS's lib/stream-unix.c, and one more of the kernel's."""


@contextlib.asynccontextmanager
async def program(node: Sandbox, *argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program, of OVS by its name or any by its path, for as long as the block lasts."""
    command = argv if argv[0].startswith("/") else (str(binaries.find().path(argv[0])), *argv[1:])
    process = await asyncio.create_subprocess_exec(
        *die_with_parent(),
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | node.environment(),
        cwd=node.directory,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def switch_arguments(node: Sandbox) -> tuple[str, ...]:
    """ovs-vswitchd on the node's database, as a second start script would run it."""
    pidfile = f"--pidfile={node.rundir / 'ovs-vswitchd.pid'}"
    usual = ("--enable-dummy=override", "--disable-system", "--overwrite-pidfile", "-vconsole:off")
    return ("ovs-vswitchd", f"unix:{node.rundir}/db.sock", pidfile, *usual)


@contextlib.contextmanager
def clients(path: Path, count: int) -> Iterator[None]:
    """So many connections, or as many as the socket takes."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(str(path))
        yield


@contextlib.contextmanager
def no_more_descriptors(pid: int) -> Iterator[None]:
    """The process cannot open another descriptor in the block: the limit is the lowest that is free."""
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    free = next(number for number in range(len(taken) + 1) if number not in taken)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


@contextlib.asynccontextmanager
async def web_server(path: Path) -> AsyncIterator[None]:
    """A server that speaks neither OVSDB nor OpenFlow."""
    server = await asyncio.start_unix_server(_refuse, path)
    os.chmod(path, 0o777)
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.asynccontextmanager
async def tls_door(path: Path, context: ssl.SSLContext, port: int = 0) -> AsyncIterator[int]:
    """A TLS port on the loopback that leads to the unix socket ``path``. Yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        tasks.add(own)
        try:
            inner, outer = await asyncio.open_unix_connection(path)
            await asyncio.gather(copy(reader, outer), copy(inner, writer))
        finally:
            tasks.discard(own)
            writer.transport.abort()

    server = await asyncio.start_server(lead, "127.0.0.1", port, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
