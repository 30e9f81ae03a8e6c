"""The command line in this process, and as a program."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
import pytest_asyncio

from ovsnet.cli import main
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Ovsnet(Protocol):
    """Runs a command in this process."""

    def __call__(self, *arguments: object) -> Ended: ...


class Program(Protocol):
    """Starts a command as a process of its own."""

    def __call__(self, *arguments: object) -> subprocess.Popen[str]: ...


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("OVSNET_", "OVS_RUNDIR", "OVN_RUNDIR")):
            monkeypatch.delenv(name)


@pytest.fixture
def ovsnet(capsys: pytest.CaptureFixture[str]) -> Ovsnet:
    """``ovsnet("check", "--json")``, as in a shell. Anything but an exit is a traceback, and fails the test."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return run


@pytest.fixture
def program() -> Iterator[Program]:
    """Start ``ovsnet`` as a process of its own. It is killed when the test has not ended it."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            # A shell lets what it runs in the background ignore SIGINT, and so would all that the tests start there.
            code = "from signal import *; signal(SIGINT, default_int_handler); from ovsnet.cli import main; main()"
            argv = [sys.executable, "-c", code, *map(str, arguments)]
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)  # it does nothing to one that has ended
            return process

        yield start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lone_switch() -> AsyncIterator[Sandbox]:
    """Open vSwitch without OVN: nobody but a test talks to br-int.mgmt."""
    async with Sandbox(ovn=False) as sandbox:
        await sandbox.wait_ready()
        yield sandbox


@pytest_asyncio.fixture
async def switch(lone_switch: Sandbox) -> AsyncIterator[Sandbox]:
    """The same. A test fails when it leaves a process, a connection or a changed setting behind."""
    settings = await configured(lone_switch)
    yield lone_switch
    await until_alone(lone_switch)
    assert await configured(lone_switch) == settings


async def until_alone(node: Sandbox) -> None:
    """Return when no process but its daemons names the node, and nobody but the switch is connected to it."""
    daemons = {pid for _, pid in node.status().values()}
    await until(lambda: processes(node) == daemons, 30.0, "a process was left")
    await until(lambda: connections(node, "br-int.mgmt") == 0, 30.0, "a connection to the switch was left")
    await until(lambda: connections(node, "db.sock") == 1, 30.0, "a connection to the database was left")


def processes(node: Sandbox) -> set[int]:
    """Those whose command line names the run directory."""
    mark = str(node.rundir).encode()
    commands = ((path, read(path / "cmdline")) for path in Path("/proc").iterdir() if path.name.isdigit())
    return {int(path.name) for path, command in commands if mark in command}


def connections(node: Sandbox, socket: str) -> int:
    """How many the daemon has accepted (proc_net_unix(5)): its ends bear the listener's path, and are connected."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    ends = [fields for line in lines if (fields := line.split(maxsplit=7))[-1] == str(node.rundir / socket)]
    return sum(fields[5] == SS_CONNECTED for fields in ends)


SS_CONNECTED = "03"


def read(path: Path) -> bytes:
    """Nothing of a process that has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


async def configured(node: Sandbox) -> list[str]:
    """What a person may set in the database."""
    tables = {
        "Open_vSwitch": ("bridges", "manager_options", "ssl", "external_ids", "other_config"),
        "Bridge": ("ports", "controller", "protocols", "fail_mode", "external_ids", "other_config"),
    }
    database = f"unix:{node.rundir}/db.sock"
    return [
        await node.run("ovsdb-client", "dump", database, "Open_vSwitch", table, *columns)
        for table, columns in tables.items()
    ]
