"""A whole node: what is there while it is up, and what it says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from ovsnet.errors import DeadlineExceeded, PeerError, UsageError
from ovsnet.sandbox.binaries import find
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE


@pytest.mark.parametrize(
    "need",
    ["rundir", "directory", "daemons", "southbound", "southbound_servers", "doors", "tls", "environment", "status"],
)
def test_what_needs_the_node_says_before_up_how_to_start_it(need: str) -> None:
    with pytest.raises(UsageError, match="not started yet") as caught:
        getattr(Sandbox(), need)()
    assert "up()" in caught.value.remedy


async def test_names_are_those_that_operators_know(shared_node: Sandbox) -> None:
    assert list(shared_node.daemons) == [
        *("ovsdb-server", "ovn-nb", "ovn-sb", "ovs-vswitchd", "ovn-northd", "ovn-controller")
    ]
    assert shared_node.bridge == "br-int"
    names = {path.name for path in shared_node.rundir.iterdir()}
    assert names >= {"db.sock", "br-int.mgmt", "ovnnb_db.sock", "ovnsb_db.sock", "ovnsb_db.ctl", "ovn-controller.pid"}
    assert f"ovs-vswitchd.{shared_node.pid('ovs-vswitchd')}.ctl" in names


async def test_pidfiles_name_the_processes(shared_node: Sandbox) -> None:
    for name, daemon in shared_node.daemons.items():
        assert int((shared_node.rundir / daemon.pidfile).read_text()) == shared_node.pid(name)


async def test_ready_node_has_bound_ports_and_flows(shared_node: Sandbox) -> None:
    bound = await shared_node.run("ovn-sbctl", "--bare", "--columns=logical_port", "find", "Port_Binding", "up=true")
    assert set(bound.split()) == {"p1", "p2"}
    flows = await shared_node.run("ovs-ofctl", "dump-aggregate", "br-int")
    assert int(flows.rpartition("flow_count=")[2]) > 100


async def test_first_connect_of_the_controller_succeeds(shared_node: Sandbox) -> None:
    assert "br-int.mgmt: connection failed" not in shared_node.log("ovn-controller", lines=1000)


async def test_two_sandboxes_side_by_side_do_not_meet(shared_node: Sandbox) -> None:
    async with Sandbox(ports=1) as other:
        await other.wait_ready()
        await other.kill("ovs-vswitchd")
        assert shared_node.running("ovs-vswitchd")
        await shared_node.wait_ready()
        running = [name for name in other.daemons if other.running(name)]
        assert len(running) == 5
        assert not {other.pid(name) for name in running} & {shared_node.pid(name) for name in shared_node.daemons}


def test_node_outlives_an_event_loop() -> None:
    node = Sandbox(ovn=False)
    asyncio.run(node.up())
    try:
        asyncio.run(node.restart("ovs-vswitchd"))
        asyncio.run(node.wait_ready())
    finally:
        asyncio.run(node.down())
    assert not node.directory.exists()


def test_node_runs_on_uvloop() -> None:
    async def run() -> str:
        async with Sandbox() as node:
            await node.wait_ready()
            return await node.run("ovs-vsctl", "br-exists", "br-int")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == ""


async def test_not_ready_says_what_is_lacking(node: Sandbox) -> None:
    await node.kill("ovs-vswitchd")
    with pytest.raises(
        DeadlineExceeded, match=r"not ready after 0 s: ovs-ofctl .*; ovs-vswitchd \(SIGKILL\) does not run"
    ):
        await node.wait_ready(timeout=0)


async def test_failing_command_is_an_error_with_its_stderr(shared_node: Sandbox) -> None:
    with pytest.raises(PeerError, match="no bridge named br-none"):
        await shared_node.run("ovs-vsctl", "list-ports", "br-none")


async def test_command_is_ended_with_the_task_that_waits_for_it(node: Sandbox) -> None:
    """By a task's own ``cancel``, with no deadline near."""
    await node.freeze("ovs-vswitchd")
    mine = f"external_ids:mine={os.getpid()}"
    waiting = asyncio.create_task(node.run("ovs-vsctl", "set", "open", ".", mine, timeout=10 * PATIENCE))
    await until(lambda: _runs(mine), PATIENCE, "ovs-vsctl never started.")
    waiting.cancel()
    await asyncio.wait([waiting], timeout=PATIENCE)
    assert waiting.cancelled()
    assert not _runs(mine)


def _runs(argument: str) -> bool:
    """A program with this argument, of any node."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            if argument.encode() in path.read_bytes().split(b"\0"):
                return True
    return False


async def test_command_that_hangs_is_ended(node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")
    with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.2 s"):
        await node.run("ovs-vsctl", "add-br", "br-new", timeout=0.2)


# Loads everything as the user that started the tests, whose interpreter nobody else may be able to read.
AS_NOBODY = """
import asyncio, os, sys
from ovsnet.sandbox.node import Sandbox

async def main():
    async with Sandbox() as node:
        await node.wait_ready()
        return os.stat(node.rundir / "br-int.mgmt").st_uid

asyncio.run(main())
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
print(asyncio.run(main()), os.getuid())
"""


@pytest.fixture
def readable() -> Iterator[Path]:
    """A directory that every user can read, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="ovsnet-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_no_privilege_is_needed(readable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As nobody when the tests run as root; else every test here shows it."""
    source = find().source
    if source != "PATH":
        shelf = readable / "ovsnet" / Path(source).parent.name
        shelf.mkdir(parents=True)
        subprocess.run(["cp", "-a", source, str(shelf)], check=True)
        monkeypatch.setenv("XDG_CACHE_HOME", str(readable))
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    socket_owner, user = done.stdout.split()
    assert socket_owner == user
    assert user == str(os.getuid() or 65534)
