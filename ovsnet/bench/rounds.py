"""Do plans in rounds, interleaved, so that what else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ovsnet.bench.result import Document
from ovsnet.bench.shard import Shard
from ovsnet.bench.workload import Plan, Turn, Workload

Announce = Callable[[str, int], None]
"""Gets the title of the run that begins, and how many operations it will be."""


async def in_rounds(
    workload: Workload, plans: Sequence[Plan], document: Document, *, rounds: int, announce: Announce,
    shard: Shard | None = None, until_problem: bool = False,
) -> None:  # fmt: skip
    """Our part of plan after plan, round after round; each run is in ``document`` from its beginning.

    A run bears the name and the settings of the whole, by which those of all shards are merged. Raises the OvsnetError
    of a plan that cannot be done.
    """
    turn = Turn(document, shard or Shard())
    for number in range(rounds):
        for plan in plans:
            announce(f"{plan.name}, round {number + 1} of {rounds}", plan.operations(turn.shard))
            run = workload.run(plan, number)
            await workload.measure(plan, run, turn)
            if run.problems and until_problem:
                return
