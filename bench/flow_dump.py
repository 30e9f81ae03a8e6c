"""What does a dump of 50 000 flows cost: decoded beside os-ken, and written as text beside ``ovs-ofctl dump-flows``?

All read the same reply of OpenFlow 1.3: os-ken and our codec from a file; ``ovs-ofctl`` and our dump ask the switch,
and their figure is the CPU of the whole process.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.comparison import Row, Target
from bench.laps.report import Cost
from bench.peers import OS_KEN
from bench.processes import lap, python, spend
from bench.runner import alone
from ovsnet.openflow import Version, connect
from ovsnet.protocol.openflow import flow_request
from ovsnet.protocol.openflow.message import pack_message
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

ROUNDS = 3
FLOWS = 50_000
OFCTL = "ovs-ofctl"
_BRIDGE = "br-flows"


async def measure(node: Sandbox) -> list[Row]:
    ours: list[Cost] = []
    peers: list[Cost] = []
    dumps: list[float] = []
    printed: list[float] = []
    async with bridge(node) as target:
        with tempfile.TemporaryDirectory() as directory:
            reply = Path(directory) / "reply"
            await capture(target, reply)
            for _ in range(ROUNDS):
                ours += lap("flow_decode", reply)
                peers += lap("os_ken_flows", reply, peer=OS_KEN)
        tool = [str(binaries.find().path(OFCTL)), "-O", "OpenFlow13", "dump-flows", target]
        for _ in range(ROUNDS):
            dumps.append(spend([python("bench.laps.flow_dump", target)], {}).cpu)
            printed.append(spend([tool], binaries.find().environment()).cpu)
    return rows(ours, peers, dumps, printed)


def rows(ours: Sequence[Cost], peers: Sequence[Cost], dumps: Sequence[float], printed: Sequence[float]) -> list[Row]:
    decoded, by_os_ken = ([cost.cpu_us for cost in costs] for costs in (ours, peers))
    return [
        Row(
            "Flow: match, actions, statistics: CPU",
            "µs",
            decoded,
            by_os_ken,
            str(OS_KEN),
            Target("ratio", at_most=1 / 3),
        ),
        Row(f"Dump of {FLOWS} flows as text: CPU", "s", dumps, printed, OFCTL),
    ]


@asynccontextmanager
async def bridge(node: Sandbox) -> AsyncIterator[str]:
    """A bridge with all the flows, and its address."""
    await node.run("ovs-vsctl", "add-br", _BRIDGE, "--", "set", "bridge", _BRIDGE, "datapath_type=dummy")
    target = f"unix:{node.rundir / _BRIDGE}.mgmt"
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".flows") as file:
            file.writelines(f"{flow(number)}\n" for number in range(FLOWS))
            file.flush()
            await node.run(OFCTL, "-O", "OpenFlow13", "add-flows", target, file.name, timeout=600.0)
        yield target
    finally:
        await node.run("ovs-vsctl", "del-br", _BRIDGE)


def flow(number: int) -> str:
    """As OVN writes them: a datapath, a port, an address, and a few registers before the next table."""
    return (
        f"table={number % 40},priority={number % 100 + 1},cookie={number * 2654435761 % (1 << 32):#x},"
        f"metadata={number % 50 + 1:#x},reg14={number % 200:#x},ip,"
        f"nw_dst=10.{number >> 16}.{number >> 8 & 255}.{number & 255},actions="
        f"load:{number % 1000:#x}->NXM_NX_REG0[],set_field:0a:00:00:00:{number % 250:02x}:01->eth_dst,"
        f"move:NXM_NX_REG0[]->NXM_NX_REG1[],resubmit(,{number % 40 + 1})"
    )


async def capture(target: str, reply: Path) -> None:
    """The messages of the reply, one after the other, as the switch sent them."""
    async with connect(target, versions=frozenset({Version.OF13}), timeout=10.0) as switch:
        with reply.open("wb") as file:
            async for part in switch._parts(flow_request, timeout=30.0):
                await asyncio.to_thread(file.write, pack_message(part.version, part.type, part.xid, part.body))


if __name__ == "__main__":
    alone(measure)
