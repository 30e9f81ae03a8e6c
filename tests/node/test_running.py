"""Where the daemons of this host serve, told by themselves; and the installations that follow from it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ovsnet import ovsdb
from ovsnet.node.installation import find_rundir, installations
from ovsnet.node.layouts import Layout
from ovsnet.node.rundir import Rundir, Source
from ovsnet.node.running import Running, running
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import listening_paths
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until
from tests.namespaces import OWN_MOUNTS
from tests.patience import PATIENCE

from .conftest import told


def layout(name: str, ovs: Path, ovn: Path) -> Layout:
    return Layout(name, str(ovs), str(ovn), str(ovs / "conf.db"))


def of(directory: Path) -> list[Running]:
    """The daemons whose directory lies below this one; those of other tests run beside ours."""
    return [each for each in running() if each.directory.is_relative_to(directory)]


@contextlib.asynccontextmanager
async def started(node: Sandbox, *argv: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One more process with the environment of the node, in its directory."""
    environment = os.environ | node.environment() | variables
    process = await asyncio.create_subprocess_exec(*die_with_parent(), *argv, env=environment, cwd=node.directory)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def controller_in(node: Sandbox, directory: Path) -> AsyncIterator[None]:
    """An ovn-controller of the node that serves in a directory of its own."""
    await node.stop("ovn-controller")
    database = f"unix:{node.rundir}/db.sock"
    async with started(node, "ovn-controller", database, "--pidfile", OVN_RUNDIR=str(directory)) as process:
        socket = str(directory / f"ovn-controller.{process.pid}.ctl")
        await until(lambda: socket in listening_paths() or process.returncode is not None, PATIENCE, "It hangs.")
        assert process.returncode is None
        yield


async def test_daemons_of_a_node_are_found_in_its_run_directory(shared_node: Sandbox) -> None:
    found = {each.daemon: each for each in of(shared_node.directory)}
    assert {name: each.pid for name, each in found.items()} == {
        name: shared_node.pid(name) for name in ("ovsdb-server", "ovs-vswitchd", "ovn-controller")
    }
    assert {each.directory for each in found.values()} == {shared_node.rundir}
    assert found["ovn-controller"].database == shared_node.rundir


async def test_database_servers_of_ovn_are_no_switch(node: Sandbox) -> None:
    await node.kill("ovsdb-server")
    assert sorted(each.daemon for each in of(node.directory)) == ["ovn-controller", "ovs-vswitchd"]


async def test_installation_in_no_usual_place_is_found_by_its_daemons(shared_node: Sandbox) -> None:
    found = {each.rundir.ovs: each for each in installations(())}[shared_node.rundir]
    assert found.rundir == Rundir(shared_node.rundir, shared_node.rundir)
    assert found.rundir.source is Source.PROCESSES
    assert dict(found.pids)["ovs-vswitchd"] == shared_node.pid("ovs-vswitchd")


async def test_switch_that_lost_its_sockets_names_is_still_found(node: Sandbox) -> None:
    for socket in node.rundir.glob("*.*"):
        if socket.suffix in (".sock", ".ctl", ".mgmt"):
            socket.unlink()
    assert {each.daemon for each in of(node.directory)} == {"ovsdb-server", "ovs-vswitchd", "ovn-controller"}


async def test_microovn_has_its_controller_beside_the_switch(node: Sandbox) -> None:
    """V1: there the directories are called switch and ovn. Told by the files, and by the process alone."""
    ovn = node.directory / "ovn"
    ovn.mkdir()
    async with controller_in(node, ovn):
        assert find_rundir(str(node.rundir), "", {}, proc=None) == Rundir(node.rundir, ovn)
        for file in ovn.glob("ovn-controller.*"):
            file.unlink()
        assert find_rundir(str(node.rundir), "", {}, proc=None) == Rundir(node.rundir, node.rundir)
        assert find_rundir(str(node.rundir), "", {}) == Rundir(node.rundir, ovn)


async def test_controller_anywhere_belongs_to_the_database_it_uses(node: Sandbox) -> None:
    elsewhere = node.directory / "var/lib/ovs/ovn"
    elsewhere.mkdir(parents=True)
    async with controller_in(node, elsewhere):
        found = find_rundir("", "", {}, [layout("x", node.rundir, node.directory / "none")])
        assert found == Rundir(node.rundir, elsewhere)
        assert {"ovsdb-server", "ovs-vswitchd", "ovn-controller"} == set(
            dict(next(each for each in installations(()) if each.rundir == found).pids)
        )


async def test_rhoso_has_its_controller_in_another_directory_of_the_host(node: Sandbox) -> None:
    """V2: what the container calls /run/ovn is /var/lib/openvswitch/ovn of the host, and /run/ovn is empty."""
    empty, moved = node.directory / "ovn", node.directory / "lib"
    empty.mkdir()
    moved.mkdir()
    for file in node.rundir.glob("ovn-controller.*"):
        file.rename(moved / file.name)
    rows = [layout("packages", node.rundir, empty), layout("RHOSO", node.rundir, moved)]
    (found,) = installations(rows, None)
    assert (found.rundir, found.layout) == (Rundir(node.rundir, moved), "RHOSO")
    assert dict(found.pids)["ovn-controller"] == node.pid("ovn-controller")


async def test_two_installations_side_by_side_are_told() -> None:
    async with Sandbox(ovn=False) as one, Sandbox(ovn=False) as other:
        rows = [layout("one", one.rundir, one.rundir), layout("other", other.rundir, other.rundir)]
        found = find_rundir("", "", {}, rows)
        assert (found.ovs, found.source) == (one.rundir, Source.TABLE)
        (beside,) = (each for each in found.others if each.layout == "other")
        assert beside.rundir.ovs == other.rundir
        assert f"ovs-vswitchd {other.pid('ovs-vswitchd')}" in str(beside)
        for name in ("ovsdb-server", "ovs-vswitchd"):
            await one.kill(name)
        found = find_rundir("", "", {}, rows)
        assert found.ovs == other.rundir
        assert [each.pids for each in found.others if each.layout == "one"] == [()]
        assert find_rundir(str(one.rundir), "", {}, rows).ovs == one.rundir


async def test_test_bed_does_not_stand_in_for_a_node_whose_daemons_died(shared_node: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "ovs-vswitchd.pid").write_text("1\n")
    found = find_rundir("", "", {}, [layout("packages", tmp_path, tmp_path)])
    assert found.ovs == tmp_path
    assert shared_node.rundir in [each.rundir.ovs for each in found.others]
    (tmp_path / "ovs-vswitchd.pid").unlink()
    assert find_rundir("", "", {}, [layout("packages", tmp_path, tmp_path)]).source is Source.PROCESSES


@contextlib.asynccontextmanager
async def database_behind_a_mount(node: Sandbox, mount: str) -> AsyncIterator[int]:
    """An ovsdb-server that calls its run directory DIR/mnt, in a mount namespace of its own. Yields its pid."""
    (node.directory / "mnt").mkdir()
    shutil.copy(node.directory / "db/conf.db", node.directory / "second.db")
    socket = f"{node.directory}/mnt/db.sock"
    serve = f"exec ovsdb-server second.db --remote=punix:{socket} --unixctl={node.directory}/mnt/x.ctl"
    async with started(node, *OWN_MOUNTS, "sh", "-ec", f"{mount}; {serve}") as server:
        await until(lambda: socket in listening_paths() or server.returncode is not None, PATIENCE, "It hangs.")
        assert server.returncode is None
        yield server.pid


async def test_directory_of_a_container_has_the_name_of_the_hosts_mount(node: Sandbox) -> None:
    (node.directory / "host").mkdir()
    async with database_behind_a_mount(node, "mount --bind host mnt") as pid:
        (found,) = (each for each in running() if each.pid == pid)
        assert found.directory == node.directory / "host"
        assert (found.directory / "db.sock").is_socket()


async def test_directory_of_a_container_alone_is_reached_through_its_process(node: Sandbox) -> None:
    async with database_behind_a_mount(node, "mount -t tmpfs none mnt") as pid:
        (found,) = (each for each in running() if each.pid == pid)
        assert found.directory == Path(f"/proc/{pid}/root{node.directory}/mnt")
        async with await ovsdb.connect(Rundir(found.directory, found.directory).database, timeout=PATIENCE) as session:
            assert "_Server" in await session.list_dbs(timeout=PATIENCE)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become nobody")
async def test_another_user_has_the_table_and_the_locks(node: Sandbox) -> None:
    """It changes its user once all is imported: the checkout may lie where nobody may read it."""
    node.directory.chmod(0o755)
    node.rundir.chmod(0o755)
    for pidfile in node.rundir.glob("*.pid"):
        pidfile.chmod(0o644)
    code = "import os, sys; from pathlib import Path; from ovsnet.node.installation import *; "
    code += "os.setgroups([]); os.setgid(65534); os.setuid(65534); "
    code += "place = Path(sys.argv[1]); row = Layout('x', *[str(place)] * 3); "
    code += "print([each for each in running() if each.directory == place], installations([row])[0], sep='; ')"
    daemons = ", ".join(f"{name} {node.pid(name)}" for name in ("ovsdb-server", "ovs-vswitchd", "ovn-controller"))
    assert told(code, node.rundir) == f"[]; {node.rundir} ({daemons})"


def test_no_proc_tells_nothing(tmp_path: Path) -> None:
    assert running(tmp_path / "none") == []
    (tmp_path / "7").mkdir()
    (tmp_path / "8").mkdir()
    (tmp_path / "8" / "comm").write_text("ovs-vswitchd\n")
    assert running(tmp_path) == []
