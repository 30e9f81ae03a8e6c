"""How a measurement of ``ovsnet bench`` runs: on which node, until when, and what is shown meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import anyio
import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ovsnet.bench.machine import busy_cores, this_machine
from ovsnet.bench.result import Document
from ovsnet.bench.rounds import in_rounds
from ovsnet.bench.versions import versions
from ovsnet.bench.workload import Job, OnNode, OnOwnNodes, Plan, Request, Workload
from ovsnet.cli.bench_output import Output, publish
from ovsnet.cli.terminal import say
from ovsnet.errors import OvsnetError, UsageError
from ovsnet.node.installation import find_rundir
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox

Measure = Callable[..., Awaitable[None]]

REFRESH = 1.0
"""Seconds between two updates of the progress: drawing takes the engine's own loop some milliseconds."""

LONGEST_WAIT = 86400.0
"""Seconds until --start-at."""


def run(workload: Workload, job: Job, request: Request, output: Output) -> None:
    """Measure, publish what came out, and end with the exit code that says how it went."""
    document = Document(
        command=f"ovsnet bench {workload.kind}",
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        machines=[this_machine()],
        seed=request.seed,
        shards=[str(request.shard)] if request.shard.of > 1 else [],
    )
    cut_short = uvloop.run(_until_signal(_on_nodes(document, workload, job, request)))
    publish(document, output)
    if cut_short:
        say("ovsnet: Interrupted: these are the measurements so far.", err=True)
        raise click.exceptions.Exit(130)
    if document.problems:
        raise click.exceptions.Exit(1)


async def _until_signal(measuring: Awaitable[None]) -> bool:
    """True when a signal ended it first. Raises what it raised, not in a group."""
    failure: OvsnetError | None = None
    cut_short = False
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:

            async def end_on_signal() -> None:
                nonlocal cut_short
                await anext(signals)
                cut_short = True
                tasks.cancel_scope.cancel()

            tasks.start_soon(end_on_signal)
            try:
                await measuring
            except OvsnetError as error:
                failure = error
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return cut_short


async def _on_nodes(document: Document, workload: Workload, job: Job, request: Request) -> None:
    measure = partial(_measure, document, workload, request=request)
    match job:
        case OnOwnNodes(rounds, plans):
            await measure(plans, rounds)
        case OnNode() if request.sandbox:
            async with Sandbox() as node:
                await node.wait_ready()
                await _on_node(document, job, Rundir(node.rundir, node.rundir), measure)
        case OnNode():
            settings = request.settings
            await _on_node(document, job, find_rundir(settings.rundir, settings.ovn_rundir, os.environ), measure)


async def _on_node(document: Document, job: OnNode, rundir: Rundir, measure: Measure) -> None:
    document.versions = await versions(rundir)
    await measure(job.plans(rundir), job.rounds, until_problem=job.until_problem)


async def _measure(
    document: Document, workload: Workload, plans: Sequence[Plan], rounds: int, *, request: Request,
    until_problem: bool = False,
) -> None:  # fmt: skip
    await _wait_for_start(request.start_at)
    display = _Display(document)
    work = in_rounds(
        workload, plans, document, rounds=rounds, announce=display.announce, shard=request.shard,
        until_problem=until_problem, busy=None if request.any_load else busy_cores,
    )  # fmt: skip
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(display.refresh)
            failure = await _failure_of(work)
            tasks.cancel_scope.cancel()
    finally:
        display.end()
    if failure is None:
        return
    if not document.runs:
        raise failure
    document.runs[-1].problems.append(str(failure))


async def _failure_of(working: Awaitable[None]) -> OvsnetError | None:
    try:
        await working
    except OvsnetError as error:
        return error
    return None


async def _wait_for_start(at: float | None) -> None:
    if at is None:
        return
    left = at - time.time()
    if not 0 < left <= LONGEST_WAIT:
        raise UsageError("--start-at is not within the next day.", remedy="Give a time that all machines can meet.")
    await anyio.sleep(left)


class _Display:
    """A bar on stderr, when that is a terminal."""

    def __init__(self, document: Document) -> None:
        self._document = document
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._shown = console.is_terminal
        self._task = self._progress.add_task("", total=None)
        if self._shown:
            self._progress.start()

    def announce(self, title: str, total: int) -> None:
        """Something new begins."""
        self._progress.update(self._task, description=title, total=total, completed=0, refresh=self._shown)

    async def refresh(self) -> None:
        """Until cancelled."""
        while self._shown:
            await anyio.sleep(REFRESH)
            if self._document.runs:
                found = self._document.runs[-1].measures
                self._progress.update(self._task, completed=found.done + found.lost, refresh=True)

    def end(self) -> None:
        """Leave the terminal clean."""
        if self._shown:
            self._progress.stop()
