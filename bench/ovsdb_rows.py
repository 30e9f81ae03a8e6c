"""How long does a copy of the switch's database take, and how long a write, beside ``ovs.db.idl`` and ovsdbapp?

A copy begins with the connect and ends when all rows are there. The peers' write is one of their transactions: it also
compares what it read, and waits until its own change came back; ours is the ``update`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.comparison import Row, Target
from bench.laps.report import Cost
from bench.peers import OVSDBAPP
from bench.processes import lap
from bench.runner import alone
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

ROUNDS = 3
PORTS = 300
COUNTS = {"copy": 3, "write": 100}
OURS, IDL = "ovsnet", "ovs.db.idl"
PEERS = (IDL, str(OVSDBAPP))

Costs = Mapping[str, Sequence[Cost]]
"""By who it was."""


async def measure(node: Sandbox) -> list[Row]:
    address, schema = f"unix:{node.rundir / 'db.sock'}", binaries.find().schema("vswitch.ovsschema")
    await node.run("ovs-vsctl", *ports())
    found: list[Row] = []
    for work, count in COUNTS.items():
        costs: dict[str, list[Cost]] = {who: [] for who in (OURS, *PEERS)}
        for _ in range(ROUNDS):
            costs[OURS] += lap("ovsdb_rows", address, work, count)
            costs[IDL] += lap("ovs_idl_rows", address, work, count, schema)
            costs[str(OVSDBAPP)] += lap("ovsdbapp_rows", address, work, count, peer=OVSDBAPP)
        found += rows(work, costs)
    return found


def ports() -> list[str]:
    """Words of ovs-vsctl that make them."""
    names = [f"bench{number}" for number in range(PORTS)]
    return [word for name in names for word in f"-- add-port br-int {name} -- set Interface {name} type=dummy".split()]


def rows(work: str, costs: Costs) -> list[Row]:
    title = {"copy": f"OVSDB copy of {PORTS} ports", "write": "OVSDB write"}[work]
    wall, cpu = ({who: [each(cost) for cost in of] for who, of in costs.items()} for each in (_wall_ms, _cpu_ms))
    return [
        row
        for peer in PEERS
        for row in (
            Row(title, "ms", wall[OURS], wall[peer], peer, Target("ratio", at_most=1 / 2)),
            Row(f"{title}: CPU", "ms", cpu[OURS], cpu[peer], peer, Target("ratio", at_most=1 / 3)),
        )
    ]


def _wall_ms(cost: Cost) -> float:
    return cost.wall_us / 1e3


def _cpu_ms(cost: Cost) -> float:
    return cost.cpu_us / 1e3


if __name__ == "__main__":
    alone(measure)
