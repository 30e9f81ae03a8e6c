"""Each knob that claims to act on the version at hand acts, each that claims to be dead is dead, seen on the wire or in
the daemon's own state: what tunes Open vSwitch.

That something never comes cannot be waited for; it is told by something else, no older, that did come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ovsnet.sandbox.node import Sandbox
from tests.tune.conftest import Tuning
from tests.tune.wire import HELLO, acts, mute_client, mute_controller, unix, until


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


PACKET = (
    "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),"
    "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)"
)


async def test_idle_flow_leaves_the_datapath_after_as_long_as_set(tuning: Tuning) -> None:
    """Half a second instead of the ten by default; more tries as above."""
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("max-idle=500")

        async def flows() -> bool:
            return "recirc_id" in await node.run("ovs-appctl", "dpif/dump-flows", node.bridge)

        async def gone_soon() -> bool:
            await node.run("ovs-appctl", "netdev-dummy/receive", "p1", PACKET)
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


async def test_time_between_two_rounds_of_the_revalidators_is_as_long_as_set(tuning: Tuning) -> None:
    """Four seconds instead of half a one: each round counts the packets of the datapath in the flows."""
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()
        await tuner.set("max-revalidator=4000")

        async def packets() -> str:
            await node.run("ovs-appctl", "netdev-dummy/receive", "p1", PACKET)
            return await node.run("ovs-ofctl", "-O", "OpenFlow15", "dump-aggregate", node.bridge)

        await until(lambda: pause_is_longer_than(2, packets))


async def test_counters_are_written_as_seldom_as_set(tuning: Tuning) -> None:
    """Every 9 seconds instead of every 5."""
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("stats-update-interval=9000")

        async def counters() -> str:
            await node.run("ovs-appctl", "netdev-dummy/receive", "p1", PACKET)
            return await node.run("ovs-vsctl", "get", "Interface", "p1", "statistics")

        await until(lambda: pause_is_longer_than(7, counters))


async def pause_is_longer_than(seconds: float, look: Callable[[], Awaitable[str]]) -> bool:
    """Whether what is looked at, which always moves on, stays as it is for so long between two changes."""
    loop = asyncio.get_running_loop()
    moments: list[float] = []
    shown = await look()
    while len(moments) < 2:
        await asyncio.sleep(0.1)
        if (now_shown := await look()) != shown:
            shown = now_shown
            moments.append(loop.time())
    return moments[1] - moments[0] > seconds
