"""Faults of the bridge's management socket, and of the flows behind it."""

from __future__ import annotations

from ovsnet.node.unix_peers import HeldEnds, accepted
from ovsnet.sandbox.node import Sandbox
from tests.faults.programs import clients, no_more_descriptors, web_server
from tests.faults.sockets import silent
from tests.node.faults.conftest import Watching

BACKLOG = 65
"""Connections that wait at most: 64 of listen(2) in OVS's lib/stream-unix.c, and one more of the kernel's."""


async def test_management_socket_that_was_removed_is_missing(node: Sandbox, watching: Watching) -> None:
    """The connection that we held would work on; nobody else can come."""
    mgmt = node.rundir / "br-int.mgmt"
    async with watching(node) as agent:
        await agent.says("healthy")
        mgmt.rename(mgmt.with_suffix(".away"))
        await agent.tells(
            "mgmt-socket-missing",
            state="not-ready",
            fact="br-int.mgmt does not exist",
            failed={"openflow.echo"},
            skipped={"openflow.flows", "openflow.accept", "controller.openflow"},
        )
        mgmt.with_suffix(".away").rename(mgmt)
        await agent.recovers()


async def test_switch_that_found_the_database_again_does_not_wait_for_it(node: Sandbox, watching: Watching) -> None:
    """It may wait up to 16 s after the database is back; once it is connected, it does not, and silence at its
    management socket is another program's, though it has not spoken OpenFlow since."""
    database, switch = str(node.rundir / "db.sock"), node.pid("ovs-vswitchd")
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.kill("ovsdb-server")
        await agent.says("ovsdb-down", failed={"ovsdb.echo"})
        await node.start("ovsdb-server")
        await agent.until(lambda: HeldEnds().holds_one(switch, accepted(database) or frozenset()), "the switch")
        await agent.says("healthy")
        agent.told.clear()
        with silent(node.rundir / "br-int.mgmt"):
            await agent.says("protocol-error", failed={"openflow.echo"})
        await agent.recovers()
        assert "vswitchd-not-connected" not in agent.codes


async def test_switch_without_descriptors_is_told_with_its_limit(node: Sandbox, watching: Watching) -> None:
    """It has none left to accept with, and clients queue up; it answers who is connected.

    It tries to accept in every turn of its loop, which takes all the CPU that it gets: an answer may be late, and the
    switch be called slow for a moment, which is true. So what is said is read once, not held to.
    """
    pid = node.pid("ovs-vswitchd")
    async with watching(node) as agent:
        await agent.says("healthy")
        with no_more_descriptors(pid), clients(node.rundir / "br-int.mgmt", BACKLOG + 5):
            told = await agent.says(
                "descriptors-exhausted", fact=f"ovs-vswitchd (process {pid}) has", failed={"openflow.accept"}
            )
            assert (told.state.label, told.dead) == ("not-ready", False)
        await agent.recovers()


async def test_flows_that_somebody_deleted_are_missing(node: Sandbox, watching: Watching) -> None:
    """ovn-controller does not notice; every sign in the databases stays green."""
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.run("ovs-ofctl", "--protocols=OpenFlow15", "del-flows", "br-int")
        await agent.tells(
            "flows-missing",
            state="not-ready",
            fact="br-int answers and holds no flow",
            failed={"openflow.flows"},
        )
        await node.restart("ovn-controller")
        await agent.recovers()


async def test_stranger_behind_the_management_socket_speaks_another_protocol(node: Sandbox, watching: Watching) -> None:
    mgmt = node.rundir / "br-int.mgmt"
    async with watching(node) as agent:
        await agent.says("healthy")
        mgmt.rename(mgmt.with_suffix(".away"))
        async with web_server(mgmt):
            await agent.tells("protocol-error", state="not-ready", fact="br-int.mgmt", failed={"openflow.echo"})
        mgmt.with_suffix(".away").rename(mgmt)
        await agent.recovers()
