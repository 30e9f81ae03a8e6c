"""How a measurement of ``ovsnet bench`` runs: on which node, until when, and what is told of it meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import anyio
import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ovsnet.bench.machine import this_machine
from ovsnet.bench.result import Document
from ovsnet.bench.versions import versions
from ovsnet.cli.bench import Common, publish, rundir_of
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError, UsageError
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox

Tell = Callable[[str, int], None]
Work = Callable[[Document, Rundir, Tell], Awaitable[None]]
WorkOnOwnNodes = Callable[[Document, Tell], Awaitable[None]]
Measure = Callable[[Document], Awaitable[None]]

REFRESH = 1.0
"""Seconds between two looks at the progress: drawing takes the engine's own loop some milliseconds."""

LONGEST_WAIT = 86400.0
"""Seconds until --start-at."""


def run(command: str, work: Work, common: Common, settings: Settings) -> None:
    """Do ``work`` on a node, publish what came out, and end with the exit code that says how it went."""
    _run(command, lambda document: _measure(document, work, common, settings), common)


def run_on_own_nodes(command: str, work: WorkOnOwnNodes, common: Common) -> None:
    """As ``run``, for work that makes the sandboxes it needs itself."""
    _run(command, lambda document: _at_work(document, partial(work, document), common), common)


def _run(command: str, measure: Measure, common: Common) -> None:
    document = Document(
        command=f"ovsnet bench {command}",
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        machines=[this_machine()],
        seed=common.seed,
        shards=[str(common.shard)] if common.shard.of > 1 else [],
    )
    cut_short = uvloop.run(_until_signal(measure(document)))
    publish(document, common.out, common.report, as_json=common.as_json)
    if cut_short:
        click.echo("ovsnet: Cut short: this is what was measured until then.", err=True)
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


async def _measure(document: Document, work: Work, common: Common, settings: Settings) -> None:
    if common.sandbox:
        async with Sandbox() as node:
            await node.wait_ready()
            await _on_node(document, Rundir(node.rundir, node.rundir), work, common)
    else:
        await _on_node(document, rundir_of(settings), work, common)


async def _on_node(document: Document, rundir: Rundir, work: Work, common: Common) -> None:
    document.versions = await versions(rundir)
    await _at_work(document, partial(work, document, rundir), common)


async def _at_work(document: Document, work: Callable[[Tell], Awaitable[None]], common: Common) -> None:
    await _wait_for_start(common.start_at)
    display = _Display(document)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(display.refresh)
            failure = await _failure_of(work(display.tell))
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

    def tell(self, title: str, total: int) -> None:
        """Something new begins."""
        self._progress.update(self._task, description=title, total=total, completed=0, refresh=self._shown)

    async def refresh(self) -> None:
        """Until cancelled."""
        while self._shown:
            await anyio.sleep(REFRESH)
            if self._document.runs:
                counts = self._document.runs[-1].counts
                self._progress.update(self._task, completed=counts.get("done", 0) + counts.get("lost", 0), refresh=True)

    def end(self) -> None:
        """Leave the terminal clean."""
        if self._shown:
            self._progress.stop()
