"""Each knob that claims to act on the version at hand acts, each that claims to be dead is dead: seen on the wire or
in the daemon's own state.

That something never comes cannot be waited for; it is told by something else, no older, that did come.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from tests.tune.conftest import Tuning
from tests.tune.wire import FLOW_MESSAGES, HELLO, LONGEST, Mute, Tap, mute_client, mute_controller, tapped

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


async def until(fact: Callable[[], Awaitable[object]]) -> None:
    """There is no event to wait for: it lies in another process."""
    async with asyncio.timeout(LONGEST):
        while not await fact():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)


def acts(facts: Facts, knob: str) -> bool:
    acting = facts.acts(KNOBS[knob])
    assert acting is not None
    return acting


OPENFLOW_PROBES = {"ovn-openflow-probe-interval": 5, "ovn-bridge-remote-probe-interval": 5000}


@pytest.mark.parametrize("knob", OPENFLOW_PROBES)
async def test_openflow_probe_is_seen_on_the_wire_or_the_knob_is_dead(knob: str, tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner, mute_controller() as (reference, target):
        await tuner.set(f"{knob}={OPENFLOW_PROBES[knob]}")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "br-int.mgmt") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: any(tap.flow_writers()))
            await tuner.set("controller-inactivity-probe=5000", controller_inactivity_probe=target)

            def probed() -> bool:
                return any(said.openflow_echoes() for said in tap.flow_writers())

            if acts(await tuner.facts(), knob):
                await tap.until(probed)
            else:
                await dropped(reference)
                assert not probed()


async def dropped(reference: Mute) -> None:
    """The switch asks after 5 s of silence, drops after 10, and connects again."""
    await reference.until(lambda: reference.connections >= 2)


async def test_remote_probe_interval_is_seen_by_the_southbound(tuning: Tuning) -> None:
    """An explicit value counts for a unix socket too, and below its floor it is a second."""
    async with Sandbox() as node, tuning(node) as tuner:
        await tuner.set("ovn-remote-probe-interval=300")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "ovnsb_db.sock") as tap:
            await node.start("ovn-controller")
            await tap.probed()


async def test_northd_probe_interval_is_seen_by_both_databases(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.stop("ovn-northd")
        async with tapped(node.rundir / "ovnnb_db.sock") as north, tapped(node.rundir / "ovnsb_db.sock") as south:
            await tuner.set("northd_probe_interval=1000")
            await node.start("ovn-northd")
            await north.probed()
            await south.probed()


async def test_connection_probe_is_of_its_remote_alone_and_the_option_of_that_name_is_read_by_nobody(
    tuning: Tuning,
) -> None:
    """northd copies the northbound's option to the southbound, where it does nothing either."""
    async with Sandbox() as node, tuning(node) as tuner:
        paths = [node.rundir / "nb-probed.sock", node.rundir / "sb-probed.sock"]
        await tuner.set(
            "nb-options-inactivity-probe=1000",
            "nb-inactivity-probe=1000",
            "sb-inactivity-probe=1000",
            nb_inactivity_probe=f"punix:{paths[0]}",
            sb_inactivity_probe=f"punix:{paths[1]}",
        )
        for database, path in zip(("nb", "sb"), paths, strict=True):
            await node.wait_listening(path.name)
            silent = node.rundir / f"ovn{database}_db.sock"
            async with mute_client(unix(silent)) as unprobed, mute_client(unix(path)) as probed:
                await probed.probed()
                assert not unprobed.said.rpc_echoes()


def unix(path: Path) -> Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    return lambda: asyncio.open_unix_connection(path)


async def test_manager_probe_is_seen_by_its_client_and_zero_turns_it_off(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        path = node.rundir / "manager.sock"
        await tuner.set("manager-inactivity-probe=1000", manager_inactivity_probe=f"punix:{path}")
        await node.wait_listening(path.name)
        async with mute_client(unix(path)) as client:
            await client.probed()
        await tuner.set("manager-inactivity-probe=0")
        async with mute_client(unix(path)) as unprobed:
            await tuner.set("manager-inactivity-probe=2000")
            assert not unprobed.said.rpc_echoes()
            async with mute_client(unix(path)) as client:
                await client.probed()


async def test_controller_probe_is_seen_by_the_controller_and_zero_turns_it_off(tuning: Tuning) -> None:
    async with (
        Sandbox(ovn=False) as node,
        tuning(node) as tuner,
        mute_controller() as (probed, target),
        mute_controller() as (unprobed, other),
    ):
        await tuner.set("controller-inactivity-probe=0", controller_inactivity_probe=other)
        await node.run("ovs-vsctl", "--no-wait", "--", "--id=@new", "create", "Controller", f'target="{target}"',
                       "inactivity_probe=1000", "--", "add", "Bridge", node.bridge, "controller", "@new")  # fmt: skip
        await probed.until(lambda: probed.said.openflow_echoes())
        assert unprobed.connections == 1
        assert not unprobed.said.openflow_echoes()
        assert min(at for at, message in probed.said.openflow() if message[1] == 2) >= 4.9, "the floor is 5 s"


async def test_flow_restore_wait_keeps_controllers_away_until_it_is_cleared(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner, mute_controller() as (controller, target):
        await tuner.set("flow-restore-wait=true")
        await node.restart("ovs-vswitchd")
        await tuner.set("controller-inactivity-probe=0", controller_inactivity_probe=target)
        await node.wait_listening("br-int.mgmt")
        assert "is_connected        : false" in await node.run("ovs-vsctl", "list", "Controller")
        await node.run("ovs-ofctl", "-O", "OpenFlow15", "dump-aggregate", node.bridge)
        assert controller.connections == 0
        await tuner.set("flow-restore-wait=false")
        await controller.until(lambda: controller.connections)


async def test_threads_are_as_many_as_set(tuning: Tuning) -> None:
    """This datapath is a userspace one, which needs no handlers since 3.4; the kernel's per-CPU dispatch overrides
    them too."""
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("n-handler-threads=3", "n-revalidator-threads=2")

        expected = [3 if acts(await tuner.facts(), "n-handler-threads") else 0, 2]

        async def as_set() -> bool:
            return threads(node.pid("ovs-vswitchd"), "handler", "revalidator") == expected

        await until(as_set)


def threads(pid: int, *kinds: str) -> list[int]:
    names = [task.read_text() for task in Path("/proc", str(pid), "task").glob("*/comm")]
    return [sum(name.startswith(kind) for name in names) for kind in kinds]


async def test_idle_bundle_is_thrown_away_after_as_long_as_set(tuning: Tuning) -> None:
    """A second instead of the ten by default; on a loaded machine the switch may look late, so it gets more tries."""
    opening = bytes([6, 33, 0, 16]) + (2).to_bytes(4, "big") + (7).to_bytes(4, "big") + bytes([0, 0, 0, 1])
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("bundle-idle-timeout=1")

        async def thrown_away_soon() -> bool:
            async with mute_client(unix(node.rundir / "br-int.mgmt"), HELLO + opening) as client:
                await client.until(lambda: 1 in client.said.types())  # OFPT_ERROR
                return next(at for at, message in client.said.openflow() if message[1] == 1) < 9

        await node.run("ovs-vsctl", "set", "Bridge", node.bridge, "protocols=OpenFlow15")
        await until(thrown_away_soon)


async def test_idle_flow_leaves_the_datapath_after_as_long_as_set(tuning: Tuning) -> None:
    """Half a second instead of the ten by default; more tries as above."""
    packet = (
        "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),"
        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)"
    )
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("max-idle=500")

        async def flows() -> bool:
            return "recirc_id" in await node.run("ovs-appctl", "dpif/dump-flows", node.bridge)

        async def gone_soon() -> bool:
            await node.run("ovs-appctl", "netdev-dummy/receive", "p1", packet)
            sent = asyncio.get_running_loop().time()
            await until(flows)
            await until(lambda: negated(flows))
            return asyncio.get_running_loop().time() - sent < 8

        await until(gone_soon)


async def negated(fact: Callable[[], Awaitable[bool]]) -> bool:
    return not await fact()


async def test_flow_limit_is_what_the_revalidators_keep_to(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("flow-limit=1234")

        async def kept() -> bool:
            return "(limit 1234)" in await node.run("ovs-appctl", "upcall/show")

        await until(kept)


async def test_monitor_all_takes_the_whole_southbound(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await tuner.set("ovn-monitor-all=true")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "ovnsb_db.sock") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: conditions(tap, "Port_Binding") == [True])
            await tuner.set("ovn-monitor-all=false")
            await tap.until(lambda: conditions(tap, "Port_Binding") not in ([True], None))


def conditions(tap: Tap, table: str) -> object:
    """What was last asked of a table: [true] is all of it, None if it was never asked for."""
    asked: object = None
    for message in (message for said in tap.said for message in said.json()):
        if str(message.get("method", "")).startswith("monitor_cond") and isinstance(message["params"][2], dict):
            for request in message["params"][2].get(table, []):
                asked = request.get("where", [True])
    return asked


async def test_lflow_cache_is_bounded_and_disabled_as_set(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()

        async def stats() -> dict[str, str]:
            told = await node.run("ovs-appctl", "-t", control_socket(node), "lflow-cache/show-stats")
            # "Invalid arguments." until the main loop has made the cache (lflow-cache.c, lflow_cache_get_stats).
            return {"total": "0", "Mem usage (KB)": "0", "Enabled": ""} | {
                name.strip(): value.strip() for name, _, value in (line.partition(":") for line in told.splitlines())
            }

        async def holds(fact: Callable[[dict[str, str]], bool]) -> None:
            async def look() -> bool:
                return fact(await stats())

            await until(look)

        await holds(lambda told: int(told["total"]) > 3)
        await tuner.set("ovn-limit-lflow-cache=3")
        await node.restart("ovn-controller")
        await holds(lambda told: 0 < int(told["total"]) <= 3)
        await tuner.set("ovn-limit-lflow-cache=", "ovn-memlimit-lflow-cache-kb=2")
        await node.restart("ovn-controller")
        await holds(lambda told: int(told["total"]) > 0 and int(told["Mem usage (KB)"]) <= 2)
        await tuner.set("ovn-enable-lflow-cache=false")
        await holds(lambda told: told["Enabled"] == "false")


def control_socket(node: Sandbox) -> str:
    return str(node.rundir / f"ovn-controller.{node.pid('ovn-controller')}.ctl")


async def test_old_flows_are_kept_for_as_long_as_set_or_the_knob_is_dead(tuning: Tuning) -> None:
    """Dead: flows are written though the wait would be ten minutes."""
    knob = "ovn-ofctrl-wait-before-clear"
    async with Sandbox() as node, tuning(node) as tuner:
        acting = acts(await tuner.facts(), knob)
        await tuner.set(f"{knob}={2000 if acting else 600000}")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "br-int.mgmt") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: any(tap.flow_writers()))
            (writer,) = tap.flow_writers()
            first = next(at for at, message in writer.openflow() if message[1] in FLOW_MESSAGES)
            assert not acting or first >= 1.9


async def test_election_timer_is_read(tuning: Tuning) -> None:
    async with Sandbox(raft=True) as node:
        told = await node.run(
            "ovs-appctl", "-t", str(node.rundir / "ovnsb1_db.ctl"), "cluster/status", "OVN_Southbound"
        )
        assert re.search(r"^Election timer: \d+", told, re.MULTILINE)
