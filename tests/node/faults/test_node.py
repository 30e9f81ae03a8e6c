"""What concerns the whole node: well, with several faults at once, without OVN, with several bridges."""

from __future__ import annotations

import pytest

from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.node.faults.conftest import Watching


async def test_healthy_node_is_ready_by_every_face(shared_node: Sandbox, watching: Watching) -> None:
    async with watching(shared_node) as agent:
        await agent.recovers()
        # The southbound may still be connected to when all that counts is well.
        await agent.until(lambda: agent.names(Status.OK) | agent.not_used == set(CHECKS), "every check's word")
        assert (await agent.get("/livez"))[0] == 200
        assert [(await agent.get(f"/readyz/{name}"))[0] for name in CHECKS] == [200] * len(CHECKS)
    assert not agent.blamed


@pytest.mark.restored
async def test_first_of_two_faults_in_causal_order_is_the_root(node: Sandbox, watching: Watching) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.kill("ovn-controller")
        await agent.says("controller-down", failed={"controller.running"})
        await node.kill("ovsdb-server")
        await agent.tells(
            "ovsdb-down",
            also={"controller-down"},
            state="not-ready",
            fact="db.sock",
            failed={"ovsdb.echo", "controller.running"},
            dead=True,
        )
        await node.start("ovsdb-server")
        await agent.says("controller-down", failed={"controller.running"})
        await node.start("ovn-controller")
        await agent.recovers()


async def test_node_without_ovn_lacks_nothing(watching: Watching) -> None:
    async with Sandbox(ovn=False) as node:
        await node.wait_ready()
        async with watching(node) as agent:
            await agent.recovers()
            assert agent.names(Status.SKIPPED) == set()  # those of OVN are not used
            assert agent.names(Status.FAILED) == set()
            assert not agent.blamed
            await node.kill("ovs-vswitchd")
            await agent.says("vswitchd-down", failed={"vswitchd.ofproto"})
            await node.start("ovs-vswitchd")
            await agent.recovers()


@pytest.mark.parametrize("broken", ["br-int", "br-ex"])
async def test_broken_one_of_several_bridges_is_named(node: Sandbox, watching: Watching, broken: str) -> None:
    well = {"br-int": "br-ex", "br-ex": "br-int"}[broken]
    await node.run("ovs-vsctl", "add-br", "br-ex")
    async with watching(node, bridge=("br-int", "br-ex")) as agent:
        await agent.says("healthy")
        await node.run("ovs-ofctl", "--protocols=OpenFlow15", "del-flows", broken)
        told = await agent.tells(
            "flows-missing", state="not-ready", fact=f"{broken} answers and holds no flow", failed={"openflow.flows"}
        )
        assert not any(well in each for each in told.evidence)
        await node.run("ovs-ofctl", "--protocols=OpenFlow15", "add-flow", broken, "table=8,actions=normal")
        await agent.recovers()


async def test_bridge_that_is_missing_among_others_is_named(node: Sandbox, watching: Watching) -> None:
    await node.run("ovs-vsctl", "add-br", "br-ex")
    async with watching(node, bridge=("br-int", "br-ex")) as agent:
        await agent.says("healthy")
        await node.run("ovs-vsctl", "del-br", "br-ex")
        await agent.tells(
            "bridge-missing",
            state="not-ready",
            fact="The database has no bridge br-ex; it holds br-int.",
            failed={"ovsdb.bridge", "vswitchd.ofproto"},
        )
        await node.run("ovs-vsctl", "add-br", "br-ex")
        await agent.recovers()


@pytest.mark.restored
@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd", "ovn-controller", "ovn-sb"])
async def test_daemon_that_was_silent_before_we_came_is_late_and_not_down(
    node: Sandbox, watching: Watching, daemon: str
) -> None:
    """Nothing is held of it yet, which is no proof that it has gone."""
    await node.freeze(daemon)
    async with watching(node, hung_after=60, start_allowance=0.1) as agent:
        began = agent.agent.clock()

        def asked_for_a_while() -> bool:
            results = agent.agent.health.results.values()
            late = [each for each in results if each.status is Status.SLOW]
            return bool(late) and min(each.at for each in late) > began + 3 and agent.diagnosis.code.endswith("-slow")

        await agent.until(asked_for_a_while, f"slowness of {daemon}")
        assert not [code for code in agent.codes if code.endswith(("-down", "-missing", "-connected"))]
        await node.thaw(daemon)
        await agent.recovers()
