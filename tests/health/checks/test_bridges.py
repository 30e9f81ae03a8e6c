"""How the bridges of a real node are set up."""

from __future__ import annotations

from ovsnet.health.causes import cause_of
from ovsnet.health.checks.result import Result, Status
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking

A_LITTLE = 0.2


def remedy(result: Result) -> str:
    cause = cause_of(result)
    assert cause is not None
    assert cause.code == result.reason
    return cause.remedy_for(result.facts)


async def patched(node: Sandbox) -> None:
    await node.run("ovs-vsctl", "--no-wait", "add-br", "br-ex", "--", "set", "Bridge", "br-ex", "datapath_type=netdev")
    for bridge, port, peer in (("br-int", "to-ex", "to-int"), ("br-ex", "to-int", "to-ex")):
        words = ("--", "set", "Interface", port, "type=patch", f"options:peer={peer}")
        await node.run("ovs-vsctl", "--no-wait", "add-port", bridge, port, *words)


async def test_bridges_of_a_healthy_node_are_well(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        assert (await ask("vswitchd.patches")).detail == "All bridges have datapaths of one type."
        assert (await ask("vswitchd.fail_mode")).detail == "br-int forwards nothing without flows."


async def test_patch_between_different_datapaths_is_told(node: Sandbox, asking: Asking) -> None:
    await patched(node)
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.patches", lambda now: now.status is Status.FAILED)
        assert result.detail.startswith("br-ex is netdev and br-int is system: nothing passes the patch")
        assert "`ovs-vsctl set bridge br-ex datapath_type=system`" in remedy(result), "not the one of OVN"
        await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-ex", "datapath_type=system")
        await ask.until("vswitchd.patches", lambda now: now.status is Status.OK)


async def test_standalone_mode_lasts_while_ovn_controller_is_away(node: Sandbox, asking: Asking) -> None:
    async with asking(node, timeout=A_LITTLE) as ask:
        await node.run("ovs-vsctl", "--no-wait", "set-fail-mode", "br-int", "standalone")
        await node.run("ovs-vsctl", "--no-wait", "wait-until", "Bridge", "br-int", "fail_mode=secure")
        assert (await ask("vswitchd.fail_mode")).status is Status.OK
    await node.kill("ovn-controller")
    await node.run("ovs-vsctl", "--no-wait", "set-fail-mode", "br-int", "standalone")
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.fail_mode", lambda now: now.status is Status.FAILED)
        assert "fail_mode of br-int is standalone" in result.detail
        assert "drops all flows of br-int" in remedy(result)
        await node.run("ovs-vsctl", "del-fail-mode", "br-int")
        assert (await ask("vswitchd.fail_mode")).status is Status.FAILED, "none is standalone"
        await node.run("ovs-ofctl", "-OOpenFlow15", "del-flows", "br-int")
        await node.run("ovs-ofctl", "-OOpenFlow15", "add-flow", "br-int", "actions=NORMAL")
        flows = await ask.until("openflow.flows", lambda now: now.reason == "flows-missing")
        assert flows.detail.endswith("Its fail_mode is not secure: it floods as a plain switch does.")
        await node.start("ovn-controller")
        await ask.until("vswitchd.fail_mode", lambda now: now.status is Status.OK)


async def test_node_without_ovn_may_be_standalone(asking: Asking) -> None:
    async with Sandbox(ovn=False) as node:
        await node.wait_ready()
        async with asking(node) as ask:
            assert (await ask("vswitchd.fail_mode")).reason == "not-used"
            assert (await ask("openflow.flows")).status is Status.OK
