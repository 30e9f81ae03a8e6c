"""However a sandbox ends, no process, no socket and no file of it is left."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from ovsnet.errors import PeerError
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import Process, listening_paths
from ovsnet.sandbox.supervisor import Supervisor
from ovsnet.sandbox.waiting import until


def processes(node: Sandbox) -> list[Process]:
    found = [Process.of(node.pid(name)) for name in node.daemons if node.running(name)]
    return [process for process in found if process]


def paths_of(node: Sandbox) -> set[str]:
    return {path for path in listening_paths() if path.startswith(str(node.directory))}


def assert_nothing_left(node: Sandbox, were: list[Process]) -> None:
    assert not node.directory.exists()
    assert not [process for process in were if process.alive()]
    assert not paths_of(node)


async def test_leaving_the_block_leaves_nothing() -> None:
    async with Sandbox() as node:
        were = processes(node)
        assert len(were) == 6
        assert paths_of(node)
    assert_nothing_left(node, were)


async def test_leaving_the_block_with_broken_daemons_leaves_nothing() -> None:
    async with Sandbox() as node:
        await node.freeze("ovs-vswitchd")
        await node.kill("ovn-sb")
        were = processes(node)
    assert_nothing_left(node, were)


async def test_error_in_the_block_leaves_nothing_and_is_not_hidden() -> None:
    node, were = Sandbox(ovn=False), []

    async def fail() -> None:
        async with node:
            were.extend(processes(node))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert len(were) == 2
    assert_nothing_left(node, were)


async def test_cancelled_block_leaves_nothing() -> None:
    entered: asyncio.Future[Sandbox] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        async with Sandbox(ovn=False) as node:
            entered.set_result(node)
            await asyncio.sleep(3600)

    task = asyncio.create_task(hold())
    node = await entered
    were = processes(node)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_nothing_left(node, were)


async def test_failure_while_starting_says_why_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, start = Sandbox(tmp_path_factory.mktemp("n") / "s"), Supervisor.start

    async def start_without_database(self: Supervisor, name: str) -> None:
        if name == "ovn-sb":
            (node.directory / "db" / "ovn-sb.db").write_text("no database")
        await start(self, name)

    monkeypatch.setattr(Supervisor, "start", start_without_database)
    with pytest.raises(PeerError, match="ovn-sb ended while it started") as caught:
        await node.up()
    assert any("ovn-sb.db" in note for note in caught.value.__notes__)
    assert_nothing_left(node, [])


async def test_directory_that_is_given_is_used_and_removed(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("n") / "s"
    async with Sandbox(directory, ovn=False) as node:
        assert node.directory == directory
        assert {path.name for path in directory.iterdir()} >= {"run", "db", "log"}
    assert not directory.exists()


async def test_directory_that_was_there_stays_empty(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("n")
    async with Sandbox(directory, ovn=False):
        pass
    assert list(directory.iterdir()) == []


OWNER = """
import asyncio, json, os, sys
from ovsnet.sandbox.node import Sandbox

async def main():
    async with Sandbox(sys.argv[1]) as node:
        print(json.dumps({name: node.pid(name) for name in node.daemons}), flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


def test_daemons_die_with_an_owner_that_is_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("n") / "s"
    with subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        were = [process for pid in pids.values() if (process := Process.of(pid))]
        assert len(were) == 6
        owner.kill()
    asyncio.run(until(lambda: not any(process.alive() for process in were), 30, "a daemon outlived its owner"))
    asyncio.run(Sandbox.attach(directory).down())
    assert not directory.exists()


def test_ctrl_c_leaves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("n") / "s"
    # A shell has its background jobs ignore SIGINT, and children inherit that.
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [sys.executable, "-c", heeds + OWNER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        owner.send_signal(signal.SIGINT)
    assert not directory.exists()
    assert not [pid for pid in pids.values() if Process.of(pid)]
