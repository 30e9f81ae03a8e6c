"""Do plans in rounds, interleaved, so that what else the machine does falls on all of them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence

from ovsnet.bench.machine import doubt
from ovsnet.bench.result import Document
from ovsnet.bench.shard import Shard
from ovsnet.bench.workload import Plan, Turn, Workload

Busy = Callable[[], Awaitable[float]]

Announce = Callable[[str, int], None]
"""Gets the title of the run that begins, and how many operations it will be."""


async def in_rounds(
    workload: Workload, plans: Sequence[Plan], document: Document, *, rounds: int, announce: Announce,
    shard: Shard | None = None, until_problem: bool = False, busy: Busy | None = None,
) -> None:  # fmt: skip
    """Our part of plan after plan, round after round; each run is in ``document`` from its beginning.

    A run bears the name and the settings of the whole, by which those of all shards are merged. ``busy`` says how many
    cores others use: it is asked before each run. Raises the OvsnetError of a plan that cannot be done.
    """
    turn = Turn(document, shard or Shard())
    for number in range(rounds):
        for plan in plans:
            announce(f"{plan.name}, round {number + 1} of {rounds}", plan.operations(turn.shard))
            run = workload.run(plan, number)
            if busy is not None and (why := doubt(await busy(), len(os.sched_getaffinity(0)))):
                run.doubts.append(why)
            await workload.measure(plan, run, turn)
            if run.problems and until_problem:
                return
