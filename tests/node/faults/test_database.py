"""Faults of ovsdb-server and of what its database says."""

import pytest

from ovsnet.sandbox.node import Sandbox
from tests.node.faults.conftest import Watching

BEHIND_THE_DATABASE = {"ovsdb.bridge", "ovsdb.flow_restore", "openflow.echo", "openflow.flows", "openflow.accept"}


@pytest.mark.restored
@pytest.mark.parametrize(("end", "fact"), [("stop", "db.sock does not exist"), ("kill", "Nobody listens on")])
async def test_database_server_that_ended_is_down(node: Sandbox, watching: Watching, end: str, fact: str) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await getattr(node, end)("ovsdb-server")
        await agent.tells(
            "ovsdb-down",
            state="not-ready",
            fact=fact,
            failed={"ovsdb.echo"},
            skipped=BEHIND_THE_DATABASE | {"southbound.echo"},
            dead=True,
        )
        await node.start("ovsdb-server")
        await agent.recovers()


@pytest.mark.restored
async def test_stopped_database_server_is_hung(node: Sandbox, watching: Watching) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.freeze("ovsdb-server")
        await agent.tells(
            "ovsdb-hung",
            state="not-ready",
            fact=f"process {node.pid('ovsdb-server')} is stopped",
            failed={"ovsdb.echo"},
            skipped=BEHIND_THE_DATABASE,
            dead=True,
        )
        await node.thaw("ovsdb-server")
        await agent.recovers()


async def test_bridge_that_the_database_does_not_hold_is_missing(node: Sandbox, watching: Watching) -> None:
    await node.stop("ovn-controller")  # it would make the bridge again at once
    async with watching(node, start_allowance=0.5) as agent:
        await agent.says("controller-down", failed={"controller.running"})
        await node.run("ovs-vsctl", "--no-wait", "del-br", "br-int")
        await agent.tells(
            "bridge-missing",
            also=("controller-down",),
            state="not-ready",
            fact="The database has no bridge br-int; it holds no bridge at all.",
            failed={"ovsdb.bridge", "vswitchd.ofproto", "controller.running"},
            skipped={"openflow.echo", "openflow.flows", "openflow.accept"},
        )
        await node.start("ovn-controller")  # which makes the bridge
        await agent.recovers()


async def test_switch_that_still_waits_for_its_flows_restored(node: Sandbox, watching: Watching) -> None:
    """The key alone does nothing: it acts on the next start of the switch, and until it is removed."""
    async with watching(node, start_allowance=0.5) as agent:
        await agent.says("healthy")
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
        await agent.until(
            lambda: "is set, and not in force" in agent.agent.health.results["ovsdb.flow_restore"].detail, "the key"
        )
        assert not agent.blamed
        await node.restart("ovs-vswitchd")
        await agent.tells(
            "flow-restore-wait",
            state="not-ready",
            fact="flow-restore-wait is true, and ovs-vswitchd runs no revalidators",
            failed={"ovsdb.flow_restore"},
        )
        await node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")
        await agent.recovers()
