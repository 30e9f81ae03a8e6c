"""``ovsnet bench``: connection races under load, and what helps against them. A command for each workload."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from ovsnet.bench.files import read
from ovsnet.bench.workload import Job, Request, Workload, find, kinds
from ovsnet.cli.bench_options import common_options, flag
from ovsnet.cli.bench_output import FILE, Output, publish, require_plots
from ovsnet.cli.bench_processes import apart
from ovsnet.cli.bench_run import run
from ovsnet.cli.bench_text import change_lines
from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import with_settings
from ovsnet.cli.terminal import say
from ovsnet.config import Settings


class _Bench(CommandGroup):
    """A workload is imported when its command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *kinds()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command(find(cmd_name)) if cmd_name in kinds() else super().get_command(ctx, cmd_name)


def command(workload: Workload) -> click.Command:
    """The command that measures this workload, with its own options, those of all, and the node's settings."""

    def measure(request: Request, output: Output, processes: int, settings: Settings, **options: object) -> None:
        request = replace(request, settings=settings)
        job: Job = workload.plan(request=request, **options)
        if workload.cost and (not request.sandbox or options.get("address")):
            say(f"ovsnet: {workload.cost}", err=True)
        if processes > 1:
            apart(click.get_current_context(), processes, output)
        else:
            run(workload, job, request, output)

    parsed = common_options(with_settings(*workload.settings)(measure))
    for option in reversed(workload.options):
        parsed = flag(option)(parsed)
    return click.command(workload.kind, help=workload.help)(parsed)


@click.group(cls=_Bench)
def bench() -> None:
    """Measure how the node behaves under many concurrent clients.

    Runs in a sandbox created for it; this host's node is loaded only with --node.

    Exit codes: 0 done, 1 a figure cannot be trusted (the generator fell behind, a daemon died, other processes kept
    the machine busy), 130 interrupted.
    """


@bench.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=FILE, help="Write the merged document here.")
@click.option("--report", type=FILE, help="Write an HTML page with plots here.")
@click.option("--json", "as_json", is_flag=True, help="Print the merged document.")
def merge(files: tuple[Path, ...], out: Path, report: Path | None, as_json: bool) -> None:
    """Merge the FILES of all shards of one bench, without loss."""
    from ovsnet.bench.merge import merge as joined

    if report is not None:
        require_plots()
    document = joined([read(path) for path in files])
    publish(document, Output(out, report, as_json))
    if document.problems:
        raise click.exceptions.Exit(1)


@bench.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--seed", default=1, show_default=True, help="Random seed of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(before: Path, after: Path, seed: int, as_json: bool) -> None:
    """Report what changed from BEFORE to AFTER, with a confidence interval.

    Both must have run in several processes (--processes 5), except restarts and storms, whose rounds have their own
    daemons.
    """
    from random import Random

    from ovsnet.bench.compare import compare as compared

    changes = compared(read(before), read(after), Random(seed))
    if as_json:
        say(json.dumps([msgspec.to_builtins(change) for change in changes]))
    else:
        say("\n".join(change_lines(changes)))
