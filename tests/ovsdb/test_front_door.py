"""What a user imports, and how a session begins."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from ovsnet import ovsdb
from ovsnet.errors import AddressError, ConnectError, SocketMissing, Unreachable, UsageError
from ovsnet.io.address import Address
from ovsnet.ovsdb.errors import UnknownDatabase
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

OVS = "Open_vSwitch"


def test_everything_that_is_exported_exists_and_is_documented() -> None:
    assert len(set(ovsdb.__all__)) == len(ovsdb.__all__)
    for name in ovsdb.__all__:
        found = getattr(ovsdb, name)
        assert not inspect.isclass(found) or found.__doc__, name


def test_types_of_what_a_session_gives_and_takes_are_exported() -> None:
    """An annotation of a user needs them, and no other module."""
    named = {"Session", "Monitor", "Changes", "Change", "Lock", "Schema", "Table", "Column", "Row", "Uuid", "NamedUuid"}
    assert named | {"Condition", "Operation", "Mutation", "Address", "Tls", "connect"} <= set(ovsdb.__all__)


async def test_connection_is_entered(server: Server) -> None:
    async with ovsdb.connect(f"unix:{server.path}") as session:
        assert await session.echo(timeout=10) >= 0
    assert session.closed.done()


async def test_connection_is_awaited(server: Server) -> None:
    session = await ovsdb.connect(server.address)
    assert await session.echo(timeout=10) >= 0
    await session.aclose()


async def test_first_of_several_that_accepts_is_taken(server: Server) -> None:
    """A text may list several, as ``ovn-remote`` does."""
    missing = Address.unix(server.path + ".not")
    async with ovsdb.connect(missing, f"{missing},unix:{server.path}", timeout=10) as session:
        assert session.address == server.address


async def test_error_of_several_names_each(server: Server) -> None:
    missing, stale = Address.unix(server.path + ".not"), server.address
    server.kill()
    with pytest.raises(Unreachable, match=r"None of 2 servers.*db.sock.not does not exist.*Nobody listens"):
        await ovsdb.connect(missing, stale)
    with pytest.raises(SocketMissing, match="None of 2 servers"):
        await ovsdb.connect(missing, missing)
    with pytest.raises(ConnectError):
        async with ovsdb.connect(missing):
            pass


@pytest.mark.parametrize("text", ["db.sock", "", "unix:", "tcp:1.2.3.4"])
def test_what_is_no_address_is_said_at_once(text: str) -> None:
    with pytest.raises(AddressError):
        ovsdb.connect(text)


def test_no_address_at_all() -> None:
    with pytest.raises(AddressError, match="No address"):
        ovsdb.connect()


async def test_server_is_asked_for_its_part_in_the_cluster(clustered: Server) -> None:
    """And not watched afterwards: a session outlives the part."""
    async with ovsdb.connect(
        clustered.address, database="OVN_Northbound", leader_only=True, timeout=PATIENCE
    ) as session:
        assert await session["OVN_Northbound"].find("NB_Global") == []
        assert not session._monitors
    with pytest.raises(UnknownDatabase, match="does not serve Nothing"):
        await ovsdb.connect(clustered.address, database="Nothing", timeout=PATIENCE)
    with pytest.raises(UsageError, match="leader is one of a database"):
        ovsdb.connect(clustered.address, leader_only=True)


async def test_monitor_of_a_session_is_awaited_or_entered(server: Server) -> None:
    async with ovsdb.connect(server.address) as session:
        async with session[OVS].transaction(timeout=PATIENCE) as t:
            t.insert(OVS, {})
        async with session.monitor(OVS, {OVS: None}, timeout=PATIENCE) as monitor:
            assert monitor.synced
        assert monitor.closed.done()
        monitor = await session.monitor(OVS, {OVS: None}, timeout=PATIENCE)
        assert monitor.synced
        async with session[OVS].monitor({OVS: ["next_cfg"]}, since=monitor, timeout=PATIENCE) as other:
            assert other.tables == {OVS: {uuid: {"next_cfg": 0} for uuid in monitor.tables[OVS]}}


async def test_database_of_a_session_has_what_that_of_a_client_has(server: Server) -> None:
    async with ovsdb.connect(server.address) as session:
        db = session[OVS]
        async with db.lock("l", timeout=PATIENCE) as lock, db.transaction(timeout=PATIENCE) as t:
            assert lock.held
            t.assert_lock(lock)
            t.insert(OVS, next_cfg=7)
        row = await db.wait_until(OVS, None, ("next_cfg", "==", 7), timeout=PATIENCE)
        assert row == {"next_cfg": 7}
        assert not session._monitors
    assert {name for name in dir(ovsdb.LiveDatabase) if name[0] != "_"} == {
        name for name in dir(ovsdb.SessionDatabase) if name[0] != "_"
    }
