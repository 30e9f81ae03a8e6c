"""What does it cost to know how the node is, beside the commands of Kube-OVN's ``ovs-healthcheck.sh``?

Those ask less: a list of databases, and whether two pidfiles name a process. They never touch the switch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from bench.comparison import Row, Target, percentile
from bench.laps.report import Cost
from bench.processes import Spent, lap, spend
from bench.runner import alone
from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

LAPS = 5
ROUNDS = 50
PEER_ROUNDS = 8
PEER = "ovs-healthcheck.sh's commands"

Round = Sequence[Cost] | Sequence[Spent]
"""What the rounds of one lap cost."""


async def measure(node: Sandbox) -> list[Row]:
    commands, environment = healthcheck(node)
    ours: list[list[Cost]] = []
    fast: list[list[Cost]] = []
    peers: list[list[Spent]] = []
    for _ in range(LAPS):
        ours.append(lap("checks", node.rundir, "all", ROUNDS))
        peers.append([spend(commands, environment) for _ in range(PEER_ROUNDS)])
        fast.append(lap("checks", node.rundir, "fast", ROUNDS))
    return rows(ours, fast, peers)


def rows(ours: Sequence[Round], fast: Sequence[Round], peers: Sequence[Round]) -> list[Row]:
    return [
        Row("All checks once: p50", "ms", walls(ours), walls(peers), PEER, Target("ours", at_most=3)),
        Row("All checks once: p99", "ms", [slowest(ours)], [slowest(peers)], PEER),
        Row("All checks once: CPU", "ms", cpus(ours), cpus(peers), PEER, Target("ours", at_most=2)),
        Row("The checks of every second: p50", "ms", walls(fast), walls(peers), PEER),
        Row("The checks of every second: CPU", "ms", cpus(fast), cpus(peers), PEER),
    ]


def walls(laps: Sequence[Round]) -> list[float]:
    """Milliseconds of the middle round of each lap."""
    return [median(cost.wall * 1e3 for cost in lap) for lap in laps]


def cpus(laps: Sequence[Round]) -> list[float]:
    """Milliseconds of CPU of a round, on average over each lap: the kernel may tell a single one in ticks only."""
    return [fmean(cost.cpu * 1e3 for cost in lap) for lap in laps]


def slowest(laps: Sequence[Round]) -> float:
    """The 99th percentile of all rounds, in milliseconds."""
    return percentile([cost.wall * 1e3 for lap in laps for cost in lap], 0.99)


def healthcheck(node: Sandbox) -> tuple[list[list[str]], dict[str, str]]:
    """The script's commands on this node, and their environment."""
    ovs_ctl, ovn_ctl = script("openvswitch/scripts/ovs-ctl"), script("ovn/scripts/ovn-ctl")
    client = str(binaries.find().path("ovsdb-client"))
    commands = [
        [client, "list-dbs", f"unix:{node.rundir / 'db.sock'}"],
        [str(ovs_ctl), "status"],
        [str(ovn_ctl), "status_controller"],
    ]
    # The scripts have their own files, and those they read, by absolute path.
    share = {"OVS_PKGDATADIR": str(ovs_ctl.parents[1]), "OVN_PKGDATADIR": str(ovn_ctl.parents[1])}
    return commands, node.environment() | share


def script(name: str) -> Path:
    """A shell script of OVS or OVN, beside the schemas that the programs came with."""
    for directory in binaries.find().schemas:
        if (path := directory.parent / name).is_file():
            return path
    raise UnfitEnvironment(f"There is no {name} beside the schemas of {binaries.find().source}.")


if __name__ == "__main__":
    alone(measure)
