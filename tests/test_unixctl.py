"""Control sockets of real daemons."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.errors import AddressError, ConnectionLost, DeadlineExceeded, ProtocolError, SocketMissing, UnixctlRefused
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.unixctl import connect


def control(node: Sandbox, daemon: str = "ovs-vswitchd") -> Address:
    return Address.unix(node.rundir / f"{daemon}.{node.pid(daemon)}.ctl")


async def test_version(shared_node: Sandbox) -> None:
    async with connect(control(shared_node)) as session:
        assert (await session.call("version")).startswith("ovs-vswitchd (Open vSwitch)")
        assert session.peer_pid == shared_node.pid("ovs-vswitchd")


async def test_connection_is_entered_or_awaited_and_its_address_may_be_a_text(shared_node: Sandbox) -> None:
    async with connect(str(control(shared_node))) as session:
        assert await session.call("version")
    assert session.closed.done()
    session = await connect(str(control(shared_node)))
    assert await session.call("version")
    await session.aclose()
    with pytest.raises(AddressError, match="begins with none of unix:"):
        connect(str(shared_node.rundir / "ovs-vswitchd.ctl"))


async def test_arguments_are_passed(shared_node: Sandbox) -> None:
    async with connect(control(shared_node)) as session:
        assert "br-int" in await session.call("ofproto/list")
        assert "MAC" in await session.call("fdb/show", "br-int")
        with pytest.raises(UnixctlRefused, match="no such bridge"):
            await session.call("fdb/show", "br-none")


async def test_unknown_command_is_refused_in_the_daemons_words(shared_node: Sandbox) -> None:
    async with connect(control(shared_node)) as session:
        with pytest.raises(UnixctlRefused, match='"dance" is not a valid command') as caught:
            await session.call("dance")
        assert "\n" not in str(caught.value)
        assert await session.call("version")


async def test_any_number_of_commands_share_a_connection(shared_node: Sandbox) -> None:
    """lib/unixctl.c, run_connection(): one at a time, in order."""
    async with connect(control(shared_node)) as session:
        answers = await asyncio.gather(*(session.call("version", timeout=10) for _ in range(50)))
    assert len(set(answers)) == 1


async def test_ovn_controller_answers_too(shared_node: Sandbox) -> None:
    async with connect(control(shared_node, "ovn-controller")) as session:
        assert (await session.call("connection-status")).strip() == "connected"


@pytest.mark.restored
async def test_frozen_daemon_gives_no_answer(node: Sandbox) -> None:
    async with connect(control(node)) as session:
        await node.freeze("ovs-vswitchd")
        with pytest.raises(DeadlineExceeded):
            await session.call("version", timeout=0.05)
        await node.thaw("ovs-vswitchd")
        assert await session.call("version", timeout=10)


async def test_daemon_that_ends_closes_the_session(node: Sandbox) -> None:
    address = control(node)
    async with connect(address) as session:
        await node.stop("ovs-vswitchd")
        assert isinstance(await asyncio.wait_for(session.closed, 10), ConnectionLost)
        with pytest.raises(ConnectionLost):
            await session.call("version")
    with pytest.raises(SocketMissing):
        await connect(address)


async def test_database_socket_is_no_control_socket(shared_node: Sandbox) -> None:
    """Both speak JSON-RPC, so the mistake shows at the first command only: OVSDB knows no such method."""
    async with connect(Address.unix(shared_node.rundir / "db.sock")) as session:
        with pytest.raises(UnixctlRefused, match="unknown method"):
            await session.call("version")
        with pytest.raises(ProtocolError):
            await session.call("list_dbs")
