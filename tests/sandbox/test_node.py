"""A whole node: what is there when it is up, and that nothing is when it is down."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import uvloop

from ovsnet import ovsdb
from ovsnet.errors import DeadlineExceeded, PeerError, TlsFailed, UsageError
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.sandbox.binaries import find
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.pki import certify
from ovsnet.sandbox.proc import Process, listening
from ovsnet.sandbox.waiting import until

SERVERS = ["ovn-sb1", "ovn-sb2", "ovn-sb3"]


def processes(node: Sandbox) -> list[Process]:
    found = [Process.of(node.pid(name)) for name in node.daemons if node.running(name)]
    return [process for process in found if process]


def paths_of(node: Sandbox) -> set[str]:
    return {path for path in listening().paths if path.startswith(str(node.directory))}


def assert_nothing_left(node: Sandbox, were: list[Process]) -> None:
    assert not node.directory.exists()
    assert not [process for process in were if process.alive()]
    assert not paths_of(node)


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


async def test_controller_makes_the_bridge_when_nobody_did() -> None:
    """It then usually loses the race for br-int.mgmt, but only usually: what must hold is that nobody else made it."""
    async with Sandbox(bridge=False) as node:
        await node.wait_ready()
        history = await node.run("ovsdb-tool", "-m", "show-log", str(node.directory / "db" / "conf.db"))
        assert "ovn-controller: creating integration bridge 'br-int'" in history


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
    node, start = Sandbox(tmp_path_factory.mktemp("n") / "s"), Sandbox.start

    async def start_without_database(self: Sandbox, name: str) -> None:
        if name == "ovn-sb":
            (self.directory / "db" / "ovn-sb.db").write_text("no database")
        await start(self, name)

    monkeypatch.setattr(Sandbox, "start", start_without_database)
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


async def test_two_sandboxes_side_by_side_do_not_meet(shared_node: Sandbox) -> None:
    async with Sandbox(ports=1) as other:
        await other.wait_ready()
        await other.kill("ovs-vswitchd")
        assert shared_node.running("ovs-vswitchd")
        await shared_node.wait_ready()
        assert not {process.pid for process in processes(other)} & {process.pid for process in processes(shared_node)}


async def test_node_without_ovn_forwards() -> None:
    async with Sandbox(ports=3, ovn=False) as node:
        await node.wait_ready()
        assert list(node.daemons) == ["ovsdb-server", "ovs-vswitchd"]
        assert "actions=NORMAL" in await node.run("ovs-ofctl", "dump-flows", "br-int")
        assert (await node.run("ovs-vsctl", "list-ports", "br-int")).split() == ["p1", "p2", "p3"]


async def test_node_without_ports_is_ready() -> None:
    async with Sandbox(ports=0) as node:
        await node.wait_ready()
        assert await node.run("ovs-vsctl", "list-ports", "br-int") == ""


async def test_many_ports_are_bound() -> None:
    async with Sandbox(ports=300) as node:
        await node.wait_ready()
        table = await node.run("ovs-ofctl", "-OOpenFlow15", "--no-names", "dump-flows", "br-int", "table=0")
        assert table.count("in_port=") >= 300


async def test_raft_southbound_survives_its_leader() -> None:
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        assert [name for name in node.daemons if name.startswith("ovn-sb")] == ["ovn-sb1", "ovn-sb2", "ovn-sb3"]
        assert node.southbound.count("tcp:127.0.0.1:") == 3
        await node.kill("ovn-sb1")
        chassis = await node.run("ovn-sbctl", "--no-leader-only", "--bare", "--columns=name", "list", "Chassis")
        assert chassis.strip() == "sandbox"
        await node.start("ovn-sb1")
        members = await node.run(
            "ovs-appctl", "-t", str(node.rundir / "ovnsb1_db.ctl"), "cluster/status", "OVN_Southbound"
        )
        assert "Status: cluster member" in members


@pytest.mark.parametrize("door", ["tcp", "ssl"])
@pytest.mark.parametrize("raft", [False, True])
async def test_southbound_listens_at_its_door_also_after_a_restart(door: Literal["tcp", "ssl"], raft: bool) -> None:
    async with Sandbox(raft=raft, door=door) as node:
        assert list(node.doors) == list(node.southbound_servers) == (SERVERS if raft else ["ovn-sb"])
        last = list(node.doors)[-1]
        await node.restart(last)
        for remote in [*node.doors.values(), *node.southbound_servers.values()]:
            assert remote.startswith((f"{door}:127.0.0.1:", "unix:"))
            async with await ovsdb.connect(Address.parse(remote), timeout=10.0, tls=node.tls) as session:
                assert "OVN_Southbound" in await session.list_dbs(timeout=10.0)
    assert not node.directory.exists()


async def test_door_of_tls_wants_a_certificate_of_its_authority(tmp_path: Path) -> None:
    async with Sandbox(door="ssl") as node:
        stranger = Tls(*(str(tmp_path / name) for name in ("own.key", "own.pem", "ca.pem")))
        certify(stranger, find())
        with pytest.raises(TlsFailed):
            await ovsdb.connect(Address.parse(node.doors["ovn-sb"]), timeout=10.0, tls=stranger)


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


async def test_command_that_hangs_is_ended(node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")
    with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.2 s"):
        await node.run("ovs-vsctl", "add-br", "br-new", timeout=0.2)


@pytest.mark.parametrize(
    "wrong",
    [{"ports": -1}, {"ovn": False, "raft": True}, {"ovn": False, "bridge": False}, {"ovn": False, "door": "tcp"}],
)
def test_impossible_node_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Sandbox(**wrong)


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
    command = [sys.executable, "-c", OWNER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        owner.send_signal(signal.SIGINT)
    assert not directory.exists()
    assert not [pid for pid in pids.values() if Process.of(pid)]


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
