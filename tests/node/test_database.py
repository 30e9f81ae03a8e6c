"""What the checks read of the Open_vSwitch database: as new as the server's last push."""

from __future__ import annotations

import asyncio
import json

import pytest

from ovsnet import ovsdb
from ovsnet.errors import ConnectionLost, DeadlineExceeded, SocketMissing
from ovsnet.io.address import Address
from ovsnet.node.database import Database, open_database
from ovsnet.ovsdb.errors import MonitorCanceled
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE


async def opened(node: Sandbox, changed: asyncio.Event, *, patience: float = PATIENCE) -> Database:
    address = Address.unix(node.rundir / "db.sock")
    return await open_database(address, timeout=PATIENCE, patience=patience, tls=None, on_change=changed.set)


async def test_root_and_bridges_are_there_at_once(shared_node: Sandbox) -> None:
    database = await opened(shared_node, asyncio.Event())
    assert "br-int" in database.bridges
    assert database.external_ids["ovn-remote"] == shared_node.southbound
    assert isinstance(database.ovs_version, str)
    assert database.other_config is not None
    assert database.peer_pid == shared_node.pid("ovsdb-server")
    assert await database.echo(timeout=PATIENCE) > 0
    assert database.heard_at > 0
    await database.aclose()
    assert database.closed.done()


async def test_change_is_pushed_and_told(node: Sandbox) -> None:
    changed = asyncio.Event()
    database = await opened(node, changed)
    changed.clear()
    await node.run(
        "ovs-vsctl", "--no-wait", "add-br", "br-new", "--", "set", "open", ".", "other-config:n-handler-threads=3"
    )
    while "br-new" not in database.bridges:
        await changed.wait()
        changed.clear()
    assert database.other_config["n-handler-threads"] == "3"
    await database.aclose()


async def test_bridge_is_made_once_and_left_alone_after(node: Sandbox) -> None:
    database = await opened(node, asyncio.Event())
    await database.create_bridge("br-x", "system", timeout=PATIENCE)
    await node.run("ovs-vsctl", "set", "bridge", "br-x", "fail_mode=standalone")
    await database.create_bridge("br-x", "system", timeout=PATIENCE)
    assert (await node.run("ovs-vsctl", "get", "bridge", "br-x", "fail_mode")).strip() == "standalone"
    assert (await node.run("ovs-vsctl", "list-ports", "br-x")).strip() == ""
    assert (await node.run("ovs-vsctl", "get", "bridge", "br-x", "other_config:disable-in-band")).strip() == '"true"'
    await database.aclose()


async def test_converted_schema_ends_it(node: Sandbox) -> None:
    """The server tells no change after that: another session reads the new schema, and its rows."""
    database = await opened(node, asyncio.Event())
    async with ovsdb.connect(f"unix:{node.rundir}/db.sock", timeout=PATIENCE) as other:
        schema = json.loads(bytes(await other.request("get_schema", ("Open_vSwitch",), timeout=PATIENCE)))
        schema["version"] = "99.0.0"
        await other.request("convert", ("Open_vSwitch", schema), timeout=PATIENCE)
    assert isinstance(await asyncio.wait_for(database.closed, PATIENCE), MonitorCanceled)


async def test_killed_server_ends_it(node: Sandbox) -> None:
    database = await opened(node, asyncio.Event())
    await node.kill("ovsdb-server")
    assert isinstance(await database.closed, ConnectionLost)
    with pytest.raises(ConnectionLost):
        await database.echo(timeout=PATIENCE)
    await node.stop("ovs-vswitchd")


async def test_frozen_server_gives_no_snapshot_and_keeps_no_connection(node: Sandbox) -> None:
    await node.freeze("ovsdb-server")
    with pytest.raises(DeadlineExceeded):
        await opened(node, asyncio.Event(), patience=0.05)


async def test_empty_database_has_no_bridges() -> None:
    async with Sandbox(ovn=False, ports=0) as node:
        await node.run("ovs-vsctl", "--no-wait", "del-br", "br-int")
        database = await opened(node, asyncio.Event())
        assert database.bridges == frozenset()
        assert "ovn-remote" not in database.external_ids
        await database.aclose()


async def test_absent_server_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    address = Address.unix(tmp_path_factory.mktemp("d") / "db.sock")
    with pytest.raises(SocketMissing):
        await open_database(address, timeout=1, patience=1, tls=None, on_change=lambda: None)
