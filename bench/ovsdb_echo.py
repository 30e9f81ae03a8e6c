"""How much does an OVSDB echo cost, 64 in flight, beside ``ovs.jsonrpc`` as pip installs it?"""

from __future__ import annotations

from bench.comparison import Row, Target
from bench.laps.report import Cost
from bench.processes import lap
from bench.runner import alone
from ovsnet.sandbox.node import Sandbox

ROUNDS = 7
IN_FLIGHT = 64
OUR_COUNT, PEER_COUNT = 40_000, 16_000
PEER = "ovs.jsonrpc"


async def measure(node: Sandbox) -> list[Row]:
    address = f"unix:{node.rundir / 'db.sock'}"
    ours: list[Cost] = []
    peers: list[Cost] = []
    for _ in range(ROUNDS):
        ours += lap("ovsdb_echo", address, IN_FLIGHT, OUR_COUNT)
        peers += lap("ovs_jsonrpc_echo", address, IN_FLIGHT, PEER_COUNT)
    return rows(ours, peers)


def rows(ours: list[Cost], peers: list[Cost]) -> list[Row]:
    our_cpu, peer_cpu = [cost.cpu_us for cost in ours], [cost.cpu_us for cost in peers]
    our_rates, peer_rates = [cost.rate for cost in ours], [cost.rate for cost in peers]
    return [
        Row("OVSDB await echo(), 64 tasks", "1/s", our_rates, peer_rates, PEER, Target("ratio", at_least=2)),
        Row("OVSDB await echo(), 64 tasks: CPU", "µs", our_cpu, peer_cpu, PEER, Target("ratio", at_most=1 / 3)),
        Row("OVSDB await echo(), 64 tasks: our CPU", "µs", our_cpu, target=Target("ours", at_most=15)),
    ]


if __name__ == "__main__":
    alone(measure)
