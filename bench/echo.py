"""How much of what a daemon can serve does ``ovsnet bench echo`` reach?

A daemon of OVS answers in its main thread: one core, and so at most 1 / its CPU per echo. The fastest of the command's
own windows counts, again in each round.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.comparison import Row, Target
from bench.processes import measured
from bench.runner import alone
from ovsnet.bench.echo import EchoMeasures
from ovsnet.bench.result import ENGINE, Run
from ovsnet.sandbox.node import Sandbox

ROUNDS = 3
DAEMONS = {"openflow": "ovs-vswitchd", "ovsdb": "ovsdb-server"}
TARGETS = {"openflow": Target("ratio", at_least=0.6)}


async def measure(node: Sandbox) -> list[Row]:
    fastest: dict[str, list[Run[EchoMeasures]]] = {protocol: [] for protocol in DAEMONS}
    for _ in range(ROUNDS):
        for protocol, runs in fastest.items():
            runs.append(max(measured(node, "echo", protocol), key=lambda run: run.rate))
    return [row for protocol, runs in fastest.items() for row in rows(protocol, runs)]


def rows(protocol: str, runs: Sequence[Run[EchoMeasures]]) -> list[Row]:
    daemon = DAEMONS[protocol]
    rates, costs = [run.rate for run in runs], [run.cpu_us(daemon) or 0.0 for run in runs]
    most = [1e6 / cost for cost in costs]
    what = f"bench echo {protocol}"
    return [
        Row(what, "1/s", rates, most, f"1 / {daemon}'s CPU per echo", TARGETS.get(protocol)),
        Row(f"{what}: our CPU, beside {daemon}'s", "µs", [run.cpu_us(ENGINE) or 0.0 for run in runs], costs, daemon),
    ]


if __name__ == "__main__":
    alone(measure)
