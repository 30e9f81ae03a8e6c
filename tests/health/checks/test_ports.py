"""What ovs-vswitchd made of the ports, asked on a real node."""

import asyncio
from pathlib import Path

import pytest

from ovsnet.health.causes import cause_of
from ovsnet.health.checks.ports import MANY_DEAD, _master, told
from ovsnet.health.checks.result import Status
from ovsnet.health.diagnosis import diagnose
from ovsnet.health.timeline import Timeline
from ovsnet.node.interfaces import Interface
from ovsnet.ovsdb.values import Uuid
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking
from tests.health.results import result

A_LITTLE = 0.2


async def add_dead(node: Sandbox, *ports: str) -> None:
    """Ports of a type that no datapath knows: ovs-vswitchd cannot make them."""
    words = [("--", "add-port", "br-int", port, "--", "set", "Interface", port, "type=none") for port in ports]
    await node.run("ovs-vsctl", "--no-wait", *(word for each in words for word in each))
    await node.run("ovs-vsctl", "--no-wait", "wait-until", "Interface", ports[-1], "ofport=-1")


async def test_ports_that_were_made_are_well(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        result = await ask("vswitchd.ports")
        held = list(ask.node.ovsdb.held().interfaces)
    assert (result.status, result.values) == (Status.OK, {"without_device": 0})
    assert held == [], "the server sends no port that is well"


async def test_dead_ports_are_told_at_once_to_who_comes_and_later_to_who_was_there(
    node: Sandbox, asking: Asking
) -> None:
    async with asking(node, broken_after=2.0) as held:
        assert (await held("vswitchd.ports")).status is Status.OK
        await add_dead(node, "gone1", "gone2", "gone3", "gone4")
        first = await held.until("vswitchd.ports", lambda now: now.values["without_device"] == 4)
        assert first.status is Status.OK, "they may be ports of pods that just go"
        async with asking(node, timeout=A_LITTLE) as fresh:
            found = await fresh.until("vswitchd.ports", lambda now: now.status is Status.FAILED)
        seen = await held.until("vswitchd.ports", lambda now: now.status is Status.FAILED)
        assert (seen.reason, seen.detail, seen.facts) == (found.reason, found.detail, found.facts)
        assert seen.reason == "ports-without-device"
        assert "4 ports of br-int (gone1, gone2, gone3, ...). gone1: could not open" in seen.detail
        assert seen.facts == {"first": "gone1", "count": "4", "bridge": "br-int"}
        for port in ("gone1", "gone2", "gone3", "gone4"):
            await node.run("ovs-vsctl", "del-port", port)
        assert (await held.until("vswitchd.ports", lambda now: now.status is Status.OK)).values["without_device"] == 0


async def test_port_that_is_deleted_while_a_newcomer_looks_is_no_fault(node: Sandbox, asking: Asking) -> None:
    await add_dead(node, "going")
    async with asking(node, timeout=3.0) as ask:
        looking = asyncio.create_task(ask("vswitchd.ports"))
        await asyncio.sleep(A_LITTLE)
        await node.run("ovs-vsctl", "--no-wait", "del-port", "going")
        assert (await looking).status is Status.OK


async def test_switch_that_is_away_has_no_broken_ports(node: Sandbox, asking: Asking) -> None:
    await add_dead(node, "gone1")
    await node.kill("ovs-vswitchd")
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask("vswitchd.ports")
    assert (result.status, result.reason) == (Status.SKIPPED, "precondition")


async def add_tunnel(node: Sandbox, port: str, kind: str, *settings: str) -> None:
    """A tunnel to nobody."""
    words = (f"type={kind}", "options:remote_ip=127.0.0.9", *settings)
    await node.run("ovs-vsctl", "--no-wait", "add-port", "br-int", port, "--", "set", "Interface", port, *words)


@pytest.mark.parametrize("name", ["vswitchd.tunnels", "vswitchd.bfd"])
async def test_node_without_tunnels_lacks_nothing(shared_node: Sandbox, asking: Asking, name: str) -> None:
    async with asking(shared_node) as ask:
        result = await ask(name)
    assert (result.status, result.reason) == (Status.SKIPPED, "not-used")


async def test_tunnel_that_could_not_be_made_is_no_port_of_a_pod(node: Sandbox, asking: Asking) -> None:
    await add_tunnel(node, "well", "geneve")
    await add_tunnel(node, "broken", "ipsec_gre")
    await node.run("ovs-vsctl", "--no-wait", "wait-until", "Interface", "broken", "ofport=-1")
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.tunnels", lambda now: now.status is Status.FAILED)
        assert (result.reason, result.values) == ("tunnels-failed", {"tunnels": 2, "failed": 1})
        assert result.detail.startswith("1 of 2 tunnels could not be made (broken). broken: could not open")
        assert result.facts == {"module": "ipsec_gre"}
        assert (await ask("vswitchd.ports")).status is Status.OK
        assert (await ask("vswitchd.bfd")).reason == "not-used"
        await node.run("ovs-vsctl", "--no-wait", "del-port", "well")
        alone = await ask.until("vswitchd.tunnels", lambda now: now.values["tunnels"] == 1)
        assert alone.detail.startswith("The only tunnel could not be made")
        await node.run("ovs-vsctl", "--no-wait", "set", "Interface", "broken", "type=geneve")
        await ask.until("vswitchd.tunnels", lambda now: now.status is Status.OK)


async def test_tunnel_without_a_path_is_down_where_bfd_runs(node: Sandbox, asking: Asking) -> None:
    await add_tunnel(node, "unwatched", "geneve")
    await add_tunnel(node, "far", "geneve", "bfd:enable=true")
    await node.run("ovs-vsctl", "--no-wait", "wait-until", "Interface", "far", "bfd_status:state=down")
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.bfd", lambda now: now.status is Status.FAILED)
        assert (result.reason, result.values, result.facts) == (
            *("tunnels-down", {"watched": 1, "down": 1}),
            {"first": "far"},
        )
        assert result.detail == "BFD finds no path through the only tunnel (far). far is down."
        assert (await ask("vswitchd.tunnels")).status is Status.OK
        await node.run("ovs-vsctl", "--no-wait", "set", "Interface", "far", "bfd:enable=false")
        await ask.until("vswitchd.bfd", lambda now: now.reason == "not-used")


async def test_device_of_another_master_is_there(node: Sandbox, asking: Asking) -> None:
    words = "could not add network device p1 to ofproto (Device or resource busy)"
    await node.run("ovs-vsctl", "--no-wait", "set", "Interface", "p1", f'error="{words}"')
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.devices", lambda now: now.status is Status.FAILED)
        assert (result.reason, result.facts) == ("device-taken", {"first": "p1"})
        assert result.detail == f"Could not be made: 1 port (p1). p1: {words}."
        assert (await ask("vswitchd.ports")).status is Status.OK
        await node.run("ovs-vsctl", "--no-wait", "clear", "Interface", "p1", "error")
        await ask.until("vswitchd.devices", lambda now: now.status is Status.OK)


def test_master_of_a_device_is_named(tmp_path: Path) -> None:
    (tmp_path / "eth1").mkdir()
    assert _master("eth1", tmp_path) == ""
    (tmp_path / "eth1/master").symlink_to("../bond0")
    assert _master("eth1", tmp_path) == "bond0"


@pytest.mark.parametrize(
    ("reason", "root"), [(MANY_DEAD, "ports-left-behind"), ("ports-without-device", "vswitchd-slow")]
)
def test_many_dead_ports_explain_a_slow_switch_and_a_few_do_not(reason: str, root: str) -> None:
    slow = result("vswitchd.ofproto", Status.SLOW, reason="busy")
    dead = result("vswitchd.ports", Status.FAILED, reason=reason)
    found = diagnose({each.name: each for each in (slow, dead)}, Timeline(0.0, []), now=1.0, allowance=0.0)
    assert found.code == root
    assert len(found.evidence) == 2, "the other one is named, too"


def test_ports_are_counted_by_bridge_the_most_first() -> None:
    broken = [_dead(number) for number in range(5)]
    bridges = {each.uuid: "br-ex" if each.name == "p0" else "br-int" for each in broken[:4]}
    detail, facts = told(broken, bridges)
    assert detail == (
        "Could not be made: 3 ports of br-int (p1, p2, p3); 1 port (p4); 1 port of br-ex (p0). p1: No such device."
    )
    assert facts == {"first": "p1", "count": "5", "bridge": "br-int"}


def _dead(number: int) -> Interface:
    return Interface(Uuid(f"00000000-0000-0000-0000-00000000000{number}"), f"p{number}", "", "No such device", -1)


async def test_tunnel_whose_udp_port_is_taken_is_no_device_of_a_bond(node: Sandbox, asking: Asking) -> None:
    """What the kernel says of a second geneve device for one port, such as beside Cilium's."""
    await add_tunnel(node, "ovn-x", "geneve")
    await node.run("ovs-vsctl", "wait-until", "Interface", "ovn-x", "ofport>0")
    words = "could not add network device ovn-x to ofproto (Device or resource busy)"
    await node.run("ovs-vsctl", "--no-wait", "set", "Interface", "ovn-x", f'error="{words}"')
    async with asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.tunnels", lambda now: now.status is Status.FAILED)
        assert (await ask("vswitchd.devices")).status is Status.OK
    cause = cause_of(result)
    assert cause is not None
    assert "has the UDP port of ovn-x" in cause.remedy_for(result.facts)
    assert "type geneve" in cause.remedy_for(result.facts)
