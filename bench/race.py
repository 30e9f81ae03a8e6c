"""How fast are 1024 clients served that all want to connect, greet, ask and leave, beside processes of the tools?

Ours is ``ovsnet bench race`` with its gate, in a fresh process. The peers are processes, twice as many at once as there
are cores: one at a time would leave a core idle. Their time is that of their start, most of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.comparison import Row, Target
from bench.processes import Spent, cpu_seconds, measured, spend_at_once
from bench.runner import alone
from ovsnet.bench.race import RaceMeasures
from ovsnet.bench.result import ENGINE, Run
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

ROUNDS = 5
CLIENTS = 1024
COUNT = 8 * CLIENTS
DEADLINE = 20
"""Seconds that a client waits: one that is late is not lost."""

PROBES = 200
PEERS = {"openflow": "ovs-ofctl probe", "ovsdb": "ovsdb-client list-dbs"}


@dataclass(frozen=True, slots=True)
class Probed:
    """One round of the peer's processes, and microseconds of the daemon's CPU for each."""

    spent: Spent
    daemon_us: float

    @property
    def rate(self) -> float:
        """Processes per second."""
        return PROBES / self.spent.wall


async def measure(node: Sandbox) -> list[Row]:
    found: list[Row] = []
    for protocol in PEERS:
        ours: list[Run[RaceMeasures]] = []
        peers: list[Probed] = []
        for _ in range(ROUNDS):
            shape = ("--strategy", "gated", "--clients", CLIENTS, "--count", COUNT, "--deadline", DEADLINE)
            ours += measured(node, "race", protocol, *shape)
            peers.append(probe(node, protocol))
        found += rows(protocol, ours, peers)
    return found


def probe(node: Sandbox, protocol: str) -> Probed:
    """The peer's processes."""
    socket, daemon = {"openflow": ("br-int.mgmt", "ovs-vswitchd"), "ovsdb": ("db.sock", "ovsdb-server")}[protocol]
    program, verb = PEERS[protocol].split()
    pid = node.pid(daemon)
    before = cpu_seconds(pid)
    command = [str(binaries.find().path(program)), verb, f"unix:{node.rundir / socket}"]
    spent = spend_at_once(command, PROBES, node.environment())
    return Probed(spent, (cpu_seconds(pid) - before) / PROBES * 1e6)


def rows(protocol: str, ours: Sequence[Run[RaceMeasures]], peers: Sequence[Probed]) -> list[Row]:
    peer = f"{PEERS[protocol]}, processes"
    (daemon,) = ours[0].cpu_seconds.keys() - {ENGINE}
    rates, peer_rates = [run.rate for run in ours], [each.rate for each in peers]
    daemon_us, peer_us = [run.cpu_us(daemon) or 0.0 for run in ours], [each.daemon_us for each in peers]
    what = f"{CLIENTS} clients race, {protocol}"
    first = Row(what, "1/s", rates, peer_rates, peer, Target("ratio", at_least=50 if protocol == "openflow" else 10))
    cpu = Row(f"{what}: {daemon}'s CPU each", "µs", daemon_us, peer_us, peer)
    return [first, cpu] if protocol == "ovsdb" else [first, cpu, *promised(what, ours)]


def promised(what: str, ours: Sequence[Run[RaceMeasures]]) -> list[Row]:
    """What holds whatever the peer does."""
    unlucky = [float(run.measures.lost + run.measures.backlog_full) for run in ours]
    connect = [run.measures.from_connect.percentile(0.99) / 1e6 for run in ours]
    arrival = [run.measures.from_arrival.percentile(0.99) / 1e6 for run in ours]
    engine = [run.cpu_us(ENGINE) or 0.0 for run in ours]
    return [
        Row(f"{what}: lost, or met EAGAIN", "", unlucky, target=Target("ours", at_most=0)),
        Row(f"{what}: p99 from the connect on", "ms", connect, target=Target("ours", at_most=10)),
        Row(f"{what}: p99 with the wait at the gate", "ms", arrival),
        Row(f"{what}: our CPU each", "µs", engine, target=Target("ours", at_most=60)),
    ]


if __name__ == "__main__":
    alone(measure)
