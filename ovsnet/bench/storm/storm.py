"""What a storm is, and how storms follow each other: each on a sandbox of its own, so that no memory, no backoff and no
row of one reaches the next."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from ovsnet.bench.harness import require_files
from ovsnet.bench.result import Document, Run, Setting
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.coordinator import Conductor
from ovsnet.bench.storm.messages import Plan, TlsFiles
from ovsnet.bench.storm.servers import contents
from ovsnet.bench.storm.target import Nobody, SandboxServers, Victim
from ovsnet.bench.versions import versions
from ovsnet.deadlines import CHASSIS_PER_WORKER
from ovsnet.errors import UsageError
from ovsnet.io.address import Address, parse_remotes
from ovsnet.io.tls import Tls
from ovsnet.sandbox.node import Sandbox

Scheme = Literal["unix", "tcp", "ssl"]
Blow = Literal["kill", "freeze", "none"]

NODE_TIMEOUT = 240.0
"""Seconds until a sandbox is ready: many ports take long."""


SHORTEST_HOLD = 3.0

Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Storm:
    """``chassis`` join within ``over`` seconds; all is watched for ``hold`` seconds; then the server is struck by
    ``blow`` for ``blow_seconds``, and everybody may take ``patience`` seconds to come back.

    ``address`` is a list of remotes of a real southbound; without one, a sandbox with ``ports`` ports listens on
    ``scheme``, clustered with ``raft``. ``everything`` is ovn-monitor-all, and with ``register`` each chassis writes
    its rows. All are seconds; a ``probe_interval`` of 0 means that nobody probes.
    """

    chassis: int
    probe_interval: float
    address: str | None = None
    scheme: Scheme = "unix"
    raft: bool = False
    ports: int = 100
    blow: Blow = "kill"
    blow_seconds: float = 2.0
    over: float = 0.0
    hold: float | None = None
    patience: float = 120.0
    everything: bool = False
    register: bool = False
    workers: int | None = None
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """What tells it from the other storms of a document."""
        place = self.address or f"{self.scheme} {'raft' if self.raft else 'standalone'}"
        blow = "" if self.blow == "none" else f", {self.blow} {self.blow_seconds:g} s"
        return f"{self.chassis} on {place}{blow}, probe {self.probe_interval:g} s"

    def settings(self) -> dict[str, Setting]:
        """What the document tells of it."""
        return {
            "chassis": self.chassis,
            "probe interval": self.probe_interval,
            "address": self.address,
            "scheme": self.scheme,
            "raft": self.raft,
            "ports": None if self.address else self.ports,
            "fault": self.blow,
            "fault seconds": self.blow_seconds,
            "over": self.over,
            "hold": self.held,
            "monitor all": self.everything,
            "register": self.register,
        }

    @property
    def held(self) -> float:
        """Seconds that it is watched: two probe intervals are the time that a chassis needs to give up."""
        return max(2 * self.probe_interval, SHORTEST_HOLD) if self.hold is None else self.hold


async def storms(document: Document, tell: Tell, *, planned: Sequence[Storm], rounds: int, shard: Shard) -> None:
    """Storm after storm; each run is in ``document`` from its beginning. Raises PeerError when no server answers."""
    require_files(max(storm.chassis for storm in planned))  # the sandbox's servers inherit the room
    for number in range(rounds):
        for storm in planned:
            part = shard.part(storm.chassis)
            tell(f"{storm.name}, round {number + 1} of {rounds}", part)
            async with _victim(storm) as (remotes, tls, victim):
                if isinstance(victim, SandboxServers):
                    document.versions = document.versions or await versions(victim.rundir)
                run = Run(kind="storm", name=storm.name, round=number, settings=storm.settings())
                seed = f"{document.seed} {shard} {number} {storm.name}"
                orders = await plans(storm, remotes, tls, _first(storm.chassis, shard), part, seed)
                document.runs.append(run)
                await Conductor(storm, part, run, victim).conduct(orders)


@asynccontextmanager
async def _victim(storm: Storm) -> AsyncIterator[tuple[list[Address], Tls | None, Victim]]:
    if storm.address is not None:
        remotes = list(parse_remotes(storm.address))
        async with Nobody(remotes, storm.tls) as nobody:
            yield remotes, storm.tls, nobody
        return
    door = None if storm.scheme == "unix" else storm.scheme
    async with Sandbox(ports=storm.ports, raft=storm.raft, door=door) as node:
        await node.wait_ready(NODE_TIMEOUT)
        servers = node.doors or node.southbound_servers
        tls = node.tls if door == "ssl" else None
        yield [Address.parse(remote) for remote in servers.values()], tls, SandboxServers(node)


async def plans(
    storm: Storm, remotes: Sequence[Address], tls: Tls | None, first: int, chassis: int, seed: str
) -> list[Plan]:
    """What each worker does for ``chassis`` of ours, numbered from ``first``. Raises PeerError."""
    known = await contents(remotes, tls)
    workers = min(storm.workers or max(len(os.sched_getaffinity(0)), -(-chassis // CHASSIS_PER_WORKER)), chassis)
    parts = [Shard(number, workers).part(chassis) for number in range(1, workers + 1)]
    return [
        Plan(
            remotes=[str(remote) for remote in remotes],
            first=first + sum(parts[:index]),
            chassis=part,
            probe_interval=storm.probe_interval,
            over=storm.over,
            tables={name: list(columns) for name, columns in known.tables.items()},
            datapaths=list(known.datapaths),
            everything=storm.everything,
            register=storm.register,
            seed=f"{seed} {index}",
            tls=TlsFiles(tls.key, tls.certificate, tls.ca) if tls else None,
        )
        for index, part in enumerate(parts)
    ]


def _first(chassis: int, shard: Shard) -> int:
    """The number of our first chassis: those of all shards differ."""
    return sum(Shard(number, shard.of).part(chassis) for number in range(1, shard.number))


def require_possible(storm: Storm, shard: Shard) -> None:
    """Raise UsageError for what cannot be."""
    if 0 < storm.probe_interval < 1:
        raise UsageError(
            f"A probe interval of {storm.probe_interval:g} s is none: OVS makes 1 s of whatever is shorter.",
            remedy="Give 1 or more seconds, or 0 for no probes.",
        )
    if storm.chassis < shard.of:
        raise UsageError("There are more shards than chassis.", remedy="Ask for more chassis, or for fewer shards.")
    if storm.address is None:
        if shard.of > 1:
            raise UsageError(
                "Shards hit one southbound, and each would have a sandbox of its own.", remedy="Name it by --address."
            )
        return
    if storm.blow != "none" or storm.register:
        raise UsageError(
            "Only a sandbox is killed, frozen or written to; --address names a real southbound.",
            remedy="Leave --fault and --register out, and strike it yourself within --hold.",
        )
    if not parse_remotes(storm.address):
        raise UsageError("--address names no southbound.", remedy="Write it as tcp:10.0.0.1:6642.")
