"""What else the machine does is seen, and doubted."""

from __future__ import annotations

import asyncio
import sys

import pytest

from ovsnet.bench.machine import QUIET, busy_cores, doubt
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.result import Document, Run
from ovsnet.bench.rounds import in_rounds
from ovsnet.bench.shard import Shard
from ovsnet.bench.workload import Turn, Workload, find
from tests.patience import PATIENCE


async def test_process_that_spins_is_seen_and_our_own_work_is_not() -> None:
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
    try:
        async with asyncio.timeout(PATIENCE):  # it must have begun, and be given a core now and then
            while await busy_cores() <= QUIET:
                pass
    finally:
        other.kill()
        await other.wait()


def test_doubt_says_how_many_cores_others_used() -> None:
    assert doubt(QUIET, 2) == ""
    assert doubt(1.84, 2) == "Others used 1.8 of 2 cores right before a run, so its figures cannot be trusted."


class Nothing:
    """A plan that is done at once."""

    name = "nothing"

    def settings(self) -> dict[str, str | int | float | bool | None]:
        return {}

    def operations(self, shard: Shard) -> int:
        return 1


async def done_at_once(plan: object, run: Run[RestartMeasures], turn: Turn) -> None:
    turn.begin(run)


@pytest.mark.parametrize("kind", ["race", "restart"])
async def test_run_on_a_busy_machine_is_in_doubt_and_goes_on(kind: str) -> None:
    known = find(kind)
    workload = Workload(
        kind=kind, options=(), settings=(), plan=known.plan, measures=known.measures, measure=done_at_once,
        columns=known.columns,
    )  # fmt: skip
    document = Document(command="", began="", machines=[])
    others = iter((0.0, 1.5, 0.1))

    async def busy() -> float:
        return next(others)

    await in_rounds(
        workload, [Nothing()], document, rounds=3, announce=lambda title, total: None, until_problem=True, busy=busy
    )
    assert [bool(run.doubts) for run in document.runs] == [False, True, False]
    assert len(document.problems) == 1
