"""How fast is an OpenFlow echo on one connection, beside ``ovs-ofctl benchmark``?

The peer is C, and asks one after the other: it has no pipelining. Its figure holds its start, 5 ms in half a second.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.comparison import Row, Target
from bench.laps.openflow_echo import PAYLOAD
from bench.laps.report import WARM_UP, Cost
from bench.processes import cpu_seconds, lap
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

ROUNDS = 7
COUNTS = {"pipeline:1": 20_000, "tasks:1": 10_000, "pipeline:64": 100_000, "tasks:64": 40_000}
PEER = "ovs-ofctl benchmark"
PEER_COUNT = 20_000
RATE = re.compile(r"\((\d+) packets/s\)")


async def measure(node: Sandbox) -> list[Row]:
    address = f"unix:{node.rundir / 'br-int.mgmt'}"
    switch = SwitchCpu(node.pid("ovs-vswitchd"))
    laps: dict[str, list[Cost]] = {mode: [] for mode in COUNTS}
    peers: list[float] = []
    for _ in range(ROUNDS):
        peers.append(await benchmark(node, address))
        switch.note(PEER, PEER_COUNT)
        for mode, count in COUNTS.items():
            laps[mode] += lap("openflow_echo", address, mode, count)
            switch.note(mode, count + int(count * WARM_UP))
    return rows(laps, peers, switch.us_per_echo)


class SwitchCpu:
    """What the echoes cost the other side: microseconds of ovs-vswitchd's CPU each, by who asked."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = cpu_seconds(pid)
        self.us_per_echo: dict[str, list[float]] = defaultdict(list)

    def note(self, who: str, count: int) -> None:
        """``count`` echoes were all that the switch did since the last call."""
        now = cpu_seconds(self._pid)
        self.us_per_echo[who].append((now - self._before) / count * 1e6)
        self._before = now


def rows(
    laps: Mapping[str, Sequence[Cost]], peers: Sequence[float], switch: Mapping[str, Sequence[float]]
) -> list[Row]:
    rates = {mode: [cost.rate for cost in costs] for mode, costs in laps.items()}
    cpu = {mode: [cost.cpu_us for cost in costs] for mode, costs in laps.items()}
    return [
        Row("OpenFlow echo, window 1", "1/s", rates["pipeline:1"], peers, PEER, Target("ratio", at_least=0.8)),
        Row("OpenFlow await echo(), in turn", "1/s", rates["tasks:1"], peers, PEER),
        Row("OpenFlow echo, window 64", "1/s", rates["pipeline:64"], peers, PEER, Target("ratio", at_least=2.5)),
        Row("OpenFlow echo, window 64: our CPU", "µs", cpu["pipeline:64"], target=Target("ours", at_most=3)),
        Row("OpenFlow echo, window 64: ovs-vswitchd's CPU", "µs", switch["pipeline:64"], switch[PEER], PEER),
        Row("OpenFlow await echo(), 64 tasks: our CPU", "µs", cpu["tasks:64"], target=Target("ours", at_most=12)),
    ]


async def benchmark(node: Sandbox, address: str) -> float:
    """Echoes per second, as the tool itself says."""
    said = await node.run("ovs-ofctl", "benchmark", address, str(len(PAYLOAD)), str(PEER_COUNT))
    found = RATE.search(said)
    assert found is not None, said
    return float(found[1])


if __name__ == "__main__":
    alone(measure)
