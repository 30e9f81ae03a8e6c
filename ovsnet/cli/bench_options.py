"""Flags of ``ovsnet bench``: those that a workload declares, and those that all have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ovsnet.bench.option import Duration, Number, Option, Values, Whole, Words
from ovsnet.bench.shard import Shard, parse_moment
from ovsnet.bench.workload import Request
from ovsnet.cli import options
from ovsnet.cli.bench_output import FILE, Output, require_places, require_plots
from ovsnet.config.duration import written
from ovsnet.deadlines import NOW
from ovsnet.errors import UsageError

Function = TypeVar("Function", bound=Callable[..., Any])


def flag(option: Option) -> Callable[[Function], Function]:
    """The flag, or the argument, of an option that a workload declares."""
    if not option.flag.startswith("-"):
        return click.argument(option.parameter, type=_type(option.values))
    if option.values is bool:
        return click.option(option.flag, option.parameter, is_flag=True, help=option.help)
    return click.option(
        option.flag,
        option.parameter,
        type=_type(option.values),
        default=_default(option),
        show_default=option.default is not None,
        multiple=option.many,
        metavar=option.metavar,
        help=option.help or None,
    )


def _default(option: Option) -> object:
    """As people write it, for ``--help``."""
    if isinstance(option.values, Duration) and isinstance(option.default, tuple):
        return [written(each) for each in option.default]
    return written(option.default) if isinstance(option.default, float) else option.default


def _type(values: Values) -> click.ParamType[Any]:
    match values:
        case Whole(least, most):
            return options.Whole(least, most)
        case Number(least, most):
            return options.Number(least, most)
        case Duration(least, most):
            return options.Duration(least, most)
        case Words(words):
            return click.Choice(words)
    return click.STRING


_COMMON = (
    click.option(
        "--sandbox/--node", "sandbox", default=None,
        help="Measure a sandbox created for the run (the default), or this host's own node, at a cost that is printed.",
    ),
    click.option(
        "--processes", default=1, show_default=True, type=options.Whole(1, 100),
        help="Number of processes to run everything in, one after the other; `compare` needs their spread.",
    ),
    click.option("--any-load", is_flag=True, help="Accept figures from a machine that is busy with other work."),
    click.option("--seed", default=1, show_default=True, help="Random seed."),
    click.option("--shard", default="1/1", metavar="I/N", help="Run part I of N; the others run elsewhere."
        " I+1/N counts from 0."),
    click.option("--start-at", default=NOW, metavar="TIME", help="When to begin: Unix time or ISO 8601."),
    click.option("--json", "as_json", is_flag=True, help="Print the JSON document that --out writes."),
    click.option("--out", type=FILE, help="Write all measurements here, as JSON."),
    click.option("--report", type=FILE, help="Write an HTML page with plots here."),
)  # fmt: skip


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what every workload takes; it gets a ``request`` and an ``output``."""

    @functools.wraps(function)
    def parsed(
        seed: int, out: Path | None, report: Path | None, as_json: bool, sandbox: bool | None, processes: int,
        any_load: bool, shard: str, start_at: str, **arguments: object,
    ) -> object:  # fmt: skip
        moment = parse_moment(start_at)
        if report is not None:
            require_plots()
        require_places(out, report)
        request = Request(
            Shard.parse(shard), sandbox is not False, seed, any_load, named=sandbox is not None, start_at=moment
        )
        if processes > 1 and request.shard.of > 1:
            raise UsageError("Shards are merged by round, not by process.", remedy="Omit --processes.")
        output = Output(out, report, as_json)
        return function(request=request, output=output, processes=processes, **arguments)

    command: Callable[..., Any] = parsed
    for option in reversed(_COMMON):
        command = option(command)
    return command
