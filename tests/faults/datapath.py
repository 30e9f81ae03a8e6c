"""Traffic that fills the datapath's tables."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable

from ovsnet.errors import PeerError
from ovsnet.sandbox.node import Sandbox
from tests.faults.fault import Scene, Steps, fault

SEEN_TWICE = 10.0
"""Seconds: the tables are looked at each tenth interval, and what is full must be seen again."""

BRIDGE, PORT = "br-full", "full0"


@contextlib.asynccontextmanager
async def bridge(node: Sandbox, actions: str) -> AsyncIterator[None]:
    """A bridge beside br-int, in the same datapath, with one port and one flow."""
    words = ("--", "add-port", BRIDGE, PORT, "--", "set", "Interface", PORT, "type=dummy")
    await node.run("ovs-vsctl", "add-br", BRIDGE, *words)
    await node.run("ovs-ofctl", "del-flows", BRIDGE)
    await node.run("ovs-ofctl", "add-flow", BRIDGE, actions)
    try:
        yield
    finally:
        await node.run("ovs-vsctl", "del-br", BRIDGE)


async def receive(node: Sandbox, numbers: Iterable[int]) -> None:
    """UDP packets come to the port at once, each of a connection of its own."""
    packets = [
        "in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
        "ipv4(src=10.9.0.1,dst=10.9.0.2,proto=17,tos=0,ttl=64,frag=no),"
        f"udp(src={1 + number % 60000},dst=53)"
        for number in numbers
    ]
    await node.run("ovs-appctl", "netdev-dummy/receive", PORT, *packets)


@contextlib.asynccontextmanager
async def traffic(node: Sandbox) -> AsyncIterator[None]:
    """Packets of ever new connections. Raises PeerError if not even the first can be sent; later the switch may go."""
    await receive(node, [0])

    async def send() -> None:
        for number in itertools.count(1):
            with contextlib.suppress(PeerError):
                await receive(node, [number])
            await asyncio.sleep(0.02)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()


@contextlib.asynccontextmanager
async def flow_limit(node: Sandbox) -> AsyncIterator[None]:
    """The datapath may hold no flow, and each packet wants one: with any other limit the flows may be gone again before
    a busy machine sends the next packet."""
    async with bridge(node, "udp,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15]"):
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-limit=0")
        async with traffic(node):
            yield
        await node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "other_config", "flow-limit")


@contextlib.asynccontextmanager
async def connections(node: Sandbox, limit: int) -> AsyncIterator[None]:
    """The datapath tracks as many connections as it may."""
    before = (await node.run("ovs-appctl", "dpctl/ct-get-maxconns")).strip()
    async with bridge(node, "udp,actions=ct(commit)"):
        await node.run("ovs-appctl", "dpctl/ct-set-maxconns", str(limit))
        await receive(node, range(limit))
        try:
            yield
        finally:
            await node.run("ovs-appctl", "dpctl/ct-set-maxconns", before)
            await node.run("ovs-appctl", "dpctl/flush-conntrack")


@fault("flow-limit-reached", observers=("held", "start", "fresh"), deadline=24)
async def flows_at_their_limit(scene: Scene) -> Steps:
    """other_config:flow-limit is 0, and traffic wants flows."""
    async with flow_limit(scene.node):
        yield


@fault("conntrack-full", deadline=SEEN_TWICE)
async def tracked_connections_at_their_limit(scene: Scene) -> Steps:
    """The datapath may track twenty connections, and does."""
    async with connections(scene.node, 20):
        yield
