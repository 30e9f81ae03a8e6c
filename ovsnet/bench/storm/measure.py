"""Storm after storm, each on a sandbox of its own: no memory, no backoff and no row of one reaches the next."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ovsnet.bench.harness import require_files
from ovsnet.bench.result import Run
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.coordinator import Coordinator
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.messages import TlsFiles, WorkerPlan
from ovsnet.bench.storm.servers import contents
from ovsnet.bench.storm.storm import Storm
from ovsnet.bench.storm.target import ExternalTarget, SandboxTarget, Target
from ovsnet.bench.versions import versions
from ovsnet.bench.workload import Turn
from ovsnet.deadlines import CHASSIS_PER_WORKER
from ovsnet.io.address import Address, parse_remotes
from ovsnet.io.tls import Tls
from ovsnet.sandbox.node import Sandbox

NODE_TIMEOUT = 240.0
"""Seconds until a sandbox is ready: many ports take long."""


async def measure(storm: Storm, run: Run[StormMeasures], turn: Turn) -> None:
    """Our part of a storm. Raises PeerError when no server answers."""
    require_files(storm.chassis)  # before the sandbox starts, whose servers inherit the limit
    shard, chassis = turn.shard, turn.shard.part(storm.chassis)
    async with _target(storm) as (remotes, tls, target):
        if isinstance(target, SandboxTarget):
            turn.document.versions = turn.document.versions or await versions(target.rundir)
        seed = f"{turn.document.seed} {shard} {run.round} {storm.name}"
        planned = await plans(storm, remotes, tls, _first(storm.chassis, shard), chassis, seed)
        turn.begin(run)
        await Coordinator(storm, chassis, run, target).conduct(planned)


@asynccontextmanager
async def _target(storm: Storm) -> AsyncIterator[tuple[list[Address], Tls | None, Target]]:
    if storm.address is not None:
        remotes = list(parse_remotes(storm.address))
        async with ExternalTarget(remotes, storm.tls) as target:
            yield remotes, storm.tls, target
        return
    door = None if storm.scheme == "unix" else storm.scheme
    async with Sandbox(ports=storm.ports, raft=storm.raft, door=door) as node:
        await node.wait_ready(NODE_TIMEOUT)
        servers = node.doors or node.southbound_servers
        tls = node.tls if door == "ssl" else None
        yield [Address.parse(remote) for remote in servers.values()], tls, SandboxTarget(node)


async def plans(
    storm: Storm, remotes: Sequence[Address], tls: Tls | None, first: int, chassis: int, seed: str
) -> list[WorkerPlan]:
    """What each worker does for ``chassis`` of ours, numbered from ``first``. Raises PeerError."""
    known = await contents(remotes, tls)
    workers = min(storm.workers or max(len(os.sched_getaffinity(0)), -(-chassis // CHASSIS_PER_WORKER)), chassis)
    parts = [Shard(number, workers).part(chassis) for number in range(1, workers + 1)]
    return [
        WorkerPlan(
            remotes=[str(remote) for remote in remotes],
            first=first + sum(parts[:index]),
            chassis=part,
            probe_interval=storm.probe_interval,
            ramp_seconds=storm.ramp_seconds,
            tables={name: list(columns) for name, columns in known.tables.items()},
            datapaths=list(known.datapaths),
            monitor_all=storm.monitor_all,
            register=storm.register,
            seed=f"{seed} {index}",
            tls=TlsFiles(tls.key, tls.certificate, tls.ca) if tls else None,
        )
        for index, part in enumerate(parts)
    ]


def _first(chassis: int, shard: Shard) -> int:
    """The number of our first chassis: those of all shards differ."""
    return sum(Shard(number, shard.of).part(chassis) for number in range(1, shard.number))
