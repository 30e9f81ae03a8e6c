"""Do the runs of a bench in rounds, interleaved, so that what else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import anyio

from ovsnet.bench.canary import Bystander
from ovsnet.bench.echo import Echo, Echoing
from ovsnet.bench.harness import measured, require_files
from ovsnet.bench.race import Race, Racing
from ovsnet.bench.result import Document, Run
from ovsnet.bench.shard import Shard

IDLE = 0.3
"""Seconds in which the bystander feels the daemon at rest."""

Tell = Callable[[str, int], None]
"""Gets the title of what begins now, and how many operations it will be."""


async def races(document: Document, planned: Sequence[Race], *, rounds: int, shard: Shard, tell: Tell) -> None:
    """Our part of race after race; each run is in ``document`` from its beginning.

    A run bears the name and the settings of the whole, by which those of all shards are merged. Raises PeerError when
    the daemon does not answer.
    """
    require_files(max(race.clients for race in planned))
    for number in range(rounds):
        for race in planned:
            part = race.part(shard)
            tell(f"{race.name}, round {number + 1} of {rounds}", part.count)
            run = Run(kind="race", name=race.name, round=number, settings=race.settings())
            rng = Random(f"{document.seed} {shard} {number} {race.name}")
            if race.address.scheme == "ssl" or race.protocol == "unixctl":
                await _race(document, part, run, rng)
                continue
            async with Bystander(race.protocol, race.address) as bystander:
                await anyio.sleep(IDLE)
                bystander.load_begins()
                await _race(document, part, run, rng)
                felt = await bystander.end()
            if felt.lost and not run.problems:
                run.problems.append(f"The bystander lost its connection: {felt.lost}")
            run.latencies |= {"bystander at rest": felt.idle, "bystander": felt.loaded}


async def _race(document: Document, race: Race, run: Run, rng: Random) -> None:
    async with measured(run, race.protocol, race.address, timeout=race.deadline, tls=race.tls):
        document.runs.append(run)
        await Racing(race, run, rng).race()


async def echoes(document: Document, planned: Sequence[Echo], *, rounds: int, shard: Shard, tell: Tell) -> None:
    """As ``races``."""
    require_files(max(echo.connections for echo in planned))
    for number in range(rounds):
        for echo in planned:
            part = echo.part(shard)
            tell(f"{echo.name}, round {number + 1} of {rounds}", part.count)
            run = Run(kind="echo", name=echo.name, round=number, settings=echo.settings())
            async with measured(run, echo.protocol, echo.address, timeout=echo.deadline, tls=echo.tls):
                document.runs.append(run)
                await Echoing(part, run).echo()
