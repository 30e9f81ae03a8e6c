"""A real ovsdb-server for each test, and a fake one for what a real one does not do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ovsnet.errors import ConnectionLost
from ovsnet.io.address import Address
from ovsnet.ovsdb import Session, connect
from ovsnet.sandbox.binaries import Binaries, find
from ovsnet.sandbox.proc import Process, listening_paths
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until
from tests.ovsdb import shapes
from tests.ovsdb.scripted import requests_of
from tests.patience import PATIENCE

SCHEMAS = {"Open_vSwitch": "vswitch.ovsschema", "OVN_Southbound": "ovn-sb.ovsschema"}
CLUSTERED = ("OVN_Northbound", "ovn-nb.ovsschema")
"""A cluster of one: only raft databases keep the history that monitor_cond_since asks for."""


class Server:
    """An ovsdb-server in one directory, that can be killed, frozen and started again."""

    def __init__(self, directory: Path, programs: Binaries) -> None:
        self.directory = directory
        self.programs = programs
        self.path = str(directory / "db.sock")
        self.address = Address.unix(self.path)
        self.process: subprocess.Popen[bytes] | None = None

    def tool(self, *arguments: str) -> None:
        argv = [str(self.programs.path("ovsdb-tool")), *arguments]
        subprocess.run(argv, check=True, env=self.programs.environment(), cwd=self.directory, capture_output=True)

    async def start(self) -> None:
        self._spawn()
        await until(lambda: self.path in listening_paths(), PATIENCE, "ovsdb-server does not listen.")
        while True:
            # A server that joins a cluster ends its sessions when it gets the schema.
            with contextlib.suppress(ConnectionLost):
                async with connect(self.address, timeout=PATIENCE) as session:
                    await joined(session)
                    return

    def _spawn(self) -> None:
        databases = [path.name for path in sorted(self.directory.glob("*.db"))]
        argv = [
            *die_with_parent(),
            str(self.programs.path("ovsdb-server")),
            "--no-chdir",
            f"--remote=punix:{self.path}",
        ]
        argv += ["--unixctl", str(self.directory / "ctl"), "--log-file=log", *databases]
        output = subprocess.DEVNULL
        environment = self.programs.environment()
        self.process = subprocess.Popen(argv, cwd=self.directory, env=environment, stdout=output, stderr=output)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def freeze(self) -> None:
        await self._signal(signal.SIGSTOP, frozen=True)

    async def thaw(self) -> None:
        await self._signal(signal.SIGCONT, frozen=False)

    async def _signal(self, number: signal.Signals, *, frozen: bool) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        process = Process.of(self.pid)
        assert process is not None
        await until(lambda: process.frozen() is frozen, PATIENCE, f"{number.name} has no effect.")


async def joined(session: Session) -> None:
    """Return when all databases can be used: a clustered one needs a moment, even when it is alone."""
    monitor = await session.monitor("_Server", {"Database": ["name", "connected"]}, timeout=PATIENCE)
    await monitor.until(lambda tables: all(row["connected"] for row in tables["Database"].values()), timeout=PATIENCE)


@pytest.fixture(scope="session")
def databases() -> Iterator[Path]:
    """Empty databases, made once."""
    programs = find()
    with tempfile.TemporaryDirectory(prefix="ovsdb-") as name:
        directory = Path(name)
        maker = Server(directory, programs)
        for database, schema in SCHEMAS.items():
            maker.tool("create", f"{database}.db", str(programs.schema(schema)))
        yield directory


@pytest_asyncio.fixture
async def server(databases: Path) -> AsyncIterator[Server]:
    """A fresh ovsdb-server with the empty databases Open_vSwitch and OVN_Southbound."""
    with tempfile.TemporaryDirectory(prefix="ovsdb-") as name:
        directory = Path(name)
        shutil.copytree(databases, directory, dirs_exist_ok=True)
        server = Server(directory, find())
        try:
            await server.start()
            yield server
        finally:
            server.kill()


@pytest_asyncio.fixture
async def clustered(server: Server) -> Server:
    """The same, with a clustered OVN_Northbound besides."""
    server.kill()
    database, schema = CLUSTERED
    local = f"unix:{server.directory / 'raft.sock'}"
    server.tool("create-cluster", f"{database}.db", str(server.programs.schema(schema)), local)
    await server.start()
    return server


@pytest_asyncio.fixture
async def shaped(server: Server) -> Server:
    """The same, with the database Shapes besides."""
    server.kill()
    (server.directory / "shapes.ovsschema").write_text(json.dumps(shapes.SCHEMA))
    server.tool("create", "shapes.db", "shapes.ovsschema")
    await server.start()
    return server


@pytest_asyncio.fixture
async def session(server: Server) -> AsyncIterator[Session]:
    async with await connect(server.address) as session:
        yield session


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Handler], Awaitable[Address]]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a fake server that runs a handler on each connection; gives its address."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()
    with tempfile.TemporaryDirectory(prefix="fake-") as directory:

        async def start(handler: Handler) -> Address:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None
                tasks.add(task)
                try:
                    await handler(reader, writer)
                except (ConnectionError, asyncio.CancelledError):
                    pass
                finally:
                    writer.close()

            path = f"{directory}/{len(servers)}.sock"
            servers.append(await asyncio.start_unix_server(handle, path))
            return Address.unix(path)

        yield start
        for server in servers:
            server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(answers: dict[str, Any]) -> Handler:
    """A handler that answers each method as told, and others with "unknown method"."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for request in requests_of(reader):
            writer.write(json.dumps(reply_to(request, answers)).encode())

    return handle


def reply_to(request: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    if request["method"] in answers:
        return {"id": request["id"], "result": answers[request["method"]], "error": None}
    return {"id": request["id"], "error": "unknown method"}


@pytest.fixture(name="answering")
def answering_fixture() -> Callable[[dict[str, Any]], Handler]:
    """The maker of handlers, for tests: ``serve(answering({"list_dbs": []}))``."""
    return answering
