"""What does it cost to read and write OpenFlow, beside os-ken's codec? No socket, and no switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.comparison import Row, Target
from bench.laps.messages import PORTS
from bench.laps.report import Cost
from bench.peers import OS_KEN
from bench.processes import lap
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

ROUNDS = 5
COUNTS = {"echo": 50_000, "ports": 500}
PEER = str(OS_KEN)


async def measure(node: Sandbox) -> list[Row]:
    ours: dict[str, list[Cost]] = {work: [] for work in COUNTS}
    peers: dict[str, list[Cost]] = {work: [] for work in COUNTS}
    for _ in range(ROUNDS):
        for work, count in COUNTS.items():
            ours[work] += lap("openflow_codec", work, count)
            peers[work] += lap("os_ken_codec", work, count, peer=OS_KEN)
    return rows(ours, peers)


def rows(ours: Mapping[str, Sequence[Cost]], peers: Mapping[str, Sequence[Cost]]) -> list[Row]:
    cpu, peer_cpu = ({work: [cost.cpu_us for cost in costs] for work, costs in side.items()} for side in (ours, peers))
    limit = Target("ratio", at_most=1 / 2)
    return [
        Row("Codec: read an echo, write one: CPU", "µs", cpu["echo"], peer_cpu["echo"], PEER, limit),
        Row(f"Codec: read {PORTS} ports: CPU", "µs", cpu["ports"], peer_cpu["ports"], PEER, limit),
    ]


if __name__ == "__main__":
    alone(measure)
