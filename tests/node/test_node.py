"""The node as a whole: its links find their daemons, survive what happens to them, and close."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from ovsnet.config import Settings
from ovsnet.errors import AddressError, PeerError, PermissionDenied, SocketMissing
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

T = TypeVar("T")

Answer = TypeVar("Answer")


def node_at(directory: Path, on_change: Callable[[str], None] = lambda daemon: None, **settings: Any) -> Node:
    given = msgspec.structs.replace(Settings(timeout=PATIENCE), **settings)
    rng = random.Random(1)
    return Node(given, Rundir(directory, directory), clock=time.monotonic, rng=rng, on_change=on_change)


async def until(ask: Callable[[], Awaitable[T]]) -> T:
    """What ``ask`` gives as soon as it gives it: a daemon that was killed is under way again."""
    while True:
        with suppress(PeerError):
            return await ask()
        await asyncio.sleep(0.01)


async def test_each_link_finds_its_daemon(shared_node: Sandbox) -> None:
    changed: list[str] = []
    async with node_at(shared_node.rundir, changed.append) as node:
        assert "br-int" in (await node.ovsdb.session(PATIENCE)).bridges
        assert await (await node.vswitchd.session(PATIENCE)).call("version", timeout=PATIENCE)
        assert await (await node.openflow["br-int"].session(PATIENCE)).echo(timeout=PATIENCE) > 0
        assert await (await node.controller.session(PATIENCE)).call("version", timeout=PATIENCE)
        assert await node.uses_ovn()
        assert str(node.southbound_remotes[0]) == shared_node.southbound
        assert node.asks_southbound
        assert await (await node.southbound.session(PATIENCE)).echo(timeout=PATIENCE) > 0
        for name in ("ovsdb-server", "ovs-vswitchd", "ovn-controller"):
            found = node.daemons[name].process()
            assert found is not None
            assert found.pid == shared_node.pid(name)
        assert {"ovsdb-server", "ovs-vswitchd", "ovn-controller"} <= set(changed)
        for daemon in ("ovnnb_db", "ovnsb_db", "ovn-northd"):
            assert await (await node.control[daemon].session(PATIENCE)).call("version", timeout=PATIENCE)
        for daemon, link in node.served.items():
            served = await link.session(PATIENCE)
            assert served.model == "standalone"
            assert f"{daemon}.sock" in str(served.address)
        sessions = [link.current for link in node.links.values()]
    assert len(sessions) == 10
    assert all(session is not None and session.closed.done() for session in sessions)


async def test_missing_daemons_are_missing_sockets(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with node_at(tmp_path_factory.mktemp("r")) as node:
        for name in ("ovsdb", "vswitchd", "controller", "openflow:br-int"):
            with pytest.raises(SocketMissing):
                await node.links[name].session(PATIENCE)
        assert await node.uses_ovn() is None
        assert node.southbound_remotes == ()


async def test_node_without_ovn_is_no_chassis() -> None:
    async with Sandbox(ovn=False, ports=0) as sandbox, node_at(sandbox.rundir) as node:
        await node.ovsdb.session(PATIENCE)
        assert await node.uses_ovn() is False
        assert not node.asks_southbound


async def test_run_directory_that_cannot_be_read_leaves_the_database_to_say_whether_ovn_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(directory: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    async with Sandbox(ovn=False, ports=0) as sandbox, node_at(sandbox.rundir) as node:
        await node.ovsdb.session(PATIENCE)
        monkeypatch.setattr("os.listdir", denied)
        with pytest.raises(PermissionDenied):
            await node.controller.session(PATIENCE)
        assert await node.uses_ovn() is False
        monkeypatch.undo()


async def test_remote_that_is_no_address_is_no_remote() -> None:
    async with Sandbox(ovn=False, ports=0) as sandbox, node_at(sandbox.rundir) as node:
        await sandbox.run("ovs-vsctl", "--no-wait", "set", "open", ".", "external-ids:ovn-remote=nonsense")
        await node.ovsdb.session(PATIENCE)
        assert node.southbound_remotes == ()


async def test_restarted_switch_is_found_beside_the_stale_sockets_of_its_past() -> None:
    async with Sandbox(ovn=False, ports=0) as sandbox, node_at(sandbox.rundir) as node:
        await node.vswitchd.session(PATIENCE)
        for _ in range(2):
            await sandbox.kill("ovs-vswitchd")
            await sandbox.start("ovs-vswitchd")
        assert len(node.rundir.control_sockets("ovs-vswitchd")) == 3

        async def version() -> str:
            return await (await node.vswitchd.session(PATIENCE)).call("version", timeout=PATIENCE)

        assert "Open vSwitch" in await until(version)
        assert node.daemons["ovs-vswitchd"].peer_pid == sandbox.pid("ovs-vswitchd")


async def test_socket_that_appears_is_connected_to_without_a_question() -> None:
    came = asyncio.Event()
    async with Sandbox(ovn=False, ports=0) as sandbox, node_at(sandbox.rundir, lambda daemon: came.set()) as node:
        node.socket_changed("something.else")
        node.socket_changed("br-int.mgmt")
        await came.wait()
        assert node.openflow["br-int"].current is not None
        assert node.ovsdb.current is None
        came.clear()
        node.socket_changed(f"ovs-vswitchd.{sandbox.pid('ovs-vswitchd')}.ctl")
        await came.wait()
        assert node.vswitchd.current is not None


async def test_database_may_be_elsewhere(shared_node: Sandbox, tmp_path: Path) -> None:
    async with node_at(tmp_path, database=f"unix:{shared_node.rundir}/db.sock") as node:
        assert "br-int" in (await node.ovsdb.session(PATIENCE)).bridges


async def test_too_long_a_run_directory_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(AddressError):
        node_at(tmp_path / ("x" * 100))


async def test_visit_is_counted_while_it_lasts(tmp_path_factory: pytest.TempPathFactory) -> None:
    node = node_at(tmp_path_factory.mktemp("r"))
    with node.visit(), node.visit():
        assert node.visits == 2
    assert node.visits == 0


async def test_index_of_a_cluster_never_goes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    node = node_at(tmp_path_factory.mktemp("r"))
    assert [node.indexes.newest("a", index) for index in (5, 7, 6)] == [5, 7, 7]
    assert node.indexes.newest("b", 1) == 1
