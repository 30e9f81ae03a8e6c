"""``ovsnet bench``: connection races under load, and what helps against them."""

from __future__ import annotations

import functools
import importlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from ovsnet.bench.probe_protocol import Name
from ovsnet.bench.result import Document, encode, read
from ovsnet.bench.shard import Shard, parse_moment
from ovsnet.cli.bench_text import change_lines, table
from ovsnet.cli.options import Number, with_settings
from ovsnet.config import Group, Settings
from ovsnet.deadlines import NOW
from ovsnet.errors import SocketMissing, UsageError
from ovsnet.io.address import Address
from ovsnet.node.installation import find_rundir
from ovsnet.node.rundir import Rundir

Function = TypeVar("Function", bound=Callable[..., Any])

TARGET = (Group.NODE, Group.TLS, "bridge")
_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Common:
    """What every measurement takes."""

    seed: int
    out: Path | None
    report: Path | None
    as_json: bool
    shard: Shard
    start_at: float | None
    sandbox: bool


def measurement(*settings: Group | str) -> Callable[[Function], Callable[..., Any]]:
    """Give a command the flags of ``Common`` and of the node; it gets ``common`` and ``settings``."""

    def decorate(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def parsed(
            seed: int, out: Path | None, report: Path | None, as_json: bool, sandbox: bool, shard: str,
            start_at: str, **arguments: object,
        ) -> object:  # fmt: skip
            moment = parse_moment(start_at)
            if report is not None:
                require_plots()
            require_places(out, report)
            common = Common(seed, out, report, as_json, Shard.parse(shard), moment, sandbox)
            return function(common=common, **arguments)

        command: Callable[..., Any] = with_settings(*settings)(parsed)
        for option in reversed(_COMMON):
            command = option(command)
        return command

    return decorate


_COMMON = (
    click.option("--sandbox", is_flag=True, help="Measure a sandbox node made for this, not the node of this host."),
    click.option("--seed", default=1, show_default=True, help="Of all that is random."),
    click.option("--shard", default="1/1", metavar="I/N", help="Do part I of N; the others run elsewhere. Or I+1/N."),
    click.option("--start-at", default=NOW, metavar="TIME", help="Begin then: Unix time or ISO 8601."),
    click.option("--json", "as_json", is_flag=True, help="Print the document that --out writes."),
    click.option("--out", type=_FILE, help="Write everything that was measured, as JSON."),
    click.option("--report", type=_FILE, help="Write a page with plots (HTML)."),
)
ROUNDS = click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 1000), help="Repeat so often.")
_ADDRESS = click.option(
    "--address", metavar="ADDRESS", help="Where to connect, such as tcp:10.0.0.1:6642.",
    callback=lambda context, parameter, text: None if text is None else Address.parse(text),
)  # fmt: skip
_DEADLINE = click.option(
    "--deadline", default=5.0, show_default=True, type=Number(0.01, 600), metavar="SECONDS",
    help="How long a client waits for its answer.",
)  # fmt: skip


ELSEWHERE = ("restart", "storm")
"""Commands that are a module of their own, ``ovsnet.cli.bench_NAME``, and imported when they are called."""


class _Bench(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(f"ovsnet.cli.bench_{cmd_name}"), cmd_name)
        return command


@click.group(cls=_Bench)
def bench() -> None:
    """Measure what happens when many clients come at once.

    Exit codes: 0 done, 1 a figure cannot be trusted (the generator fell behind, a daemon died), 130 cut short.
    """


@bench.command()
@click.argument("protocol", type=click.Choice(["openflow", "ovsdb"]))
@click.option("--clients", default=256, show_default=True, type=click.IntRange(1, 4096), help="How many at once.")
@click.option("--count", type=click.IntRange(1, 10_000_000), help="Connections in all. [8 for each client]")
@click.option("--rate", type=Number(0.1, 1e6), help="Open-loop: arrivals per second, whatever happens.")
@click.option("--strategy", "strategies", multiple=True, default=("naive", "retry", "gated"), show_default=True,
              help="naive, retry, gated or gated:N; repeat to compare.")  # fmt: skip
@ROUNDS
@_DEADLINE
@_ADDRESS
@measurement(*TARGET)
def race(
    protocol: Name, clients: int, count: int | None, rate: float | None, strategies: tuple[str, ...], rounds: int,
    deadline: float, address: Address | None, common: Common, settings: Settings,
) -> None:  # fmt: skip
    """Race to connect, greet, ask for an echo and close, on br-int.mgmt (openflow) or db.sock (ovsdb)."""
    from ovsnet.bench.race import Race, Strategy
    from ovsnet.bench.rounds import races
    from ovsnet.cli.bench_run import run

    parsed = [Strategy.parse(strategy) for strategy in strategies]
    count = count or 8 * clients
    require_parts(common.shard, clients=clients, count=count)
    require_one_node(common, address)
    node = Settings() if common.sandbox else settings

    async def work(document: Document, rundir: Rundir, tell: Callable[[str, int], None]) -> None:
        where = address or address_of(protocol, node, rundir)
        planned = [Race(protocol, where, clients, count, strategy, rate, deadline, node.tls) for strategy in parsed]
        await races(document, planned, rounds=rounds, shard=common.shard, tell=tell)

    run("race", work, common, settings)


@bench.command()
@click.argument("protocol", type=click.Choice(["openflow", "ovsdb", "unixctl"]))
@click.option("--connections", multiple=True, default=(1, 8), show_default=True, type=click.IntRange(1, 4096))
@click.option("--window", "windows", multiple=True, default=(1, 16, 64), show_default=True,
              type=click.IntRange(1, 4096), help="Requests in flight on each connection.")  # fmt: skip
@click.option("--count", default=20_000, show_default=True, type=click.IntRange(1, 100_000_000), help="Requests.")
@ROUNDS
@_DEADLINE
@_ADDRESS
@measurement(*TARGET)
def echo(
    protocol: Name, connections: tuple[int, ...], windows: tuple[int, ...], count: int, rounds: int, deadline: float,
    address: Address | None, common: Common, settings: Settings,
) -> None:  # fmt: skip
    """Throughput and latency of held connections; every window with every number of connections."""
    from ovsnet.bench.echo import Echo
    from ovsnet.bench.rounds import echoes
    from ovsnet.cli.bench_run import run

    require_parts(common.shard, connections=min(connections), count=count)
    require_one_node(common, address)
    node = Settings() if common.sandbox else settings

    async def work(document: Document, rundir: Rundir, tell: Callable[[str, int], None]) -> None:
        where = address or address_of(protocol, node, rundir)
        planned = [
            Echo(protocol, where, number, window, count, deadline, node.tls)
            for number in connections
            for window in windows
        ]
        await echoes(document, planned, rounds=rounds, shard=common.shard, tell=tell)

    run("echo", work, common, settings)


@bench.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--out", required=True, type=_FILE, help="Write the merged document.")
@click.option("--report", type=_FILE, help="Write a page with plots (HTML).")
@click.option("--json", "as_json", is_flag=True, help="Print the merged document.")
def merge(files: tuple[Path, ...], out: Path, report: Path | None, as_json: bool) -> None:
    """Join the FILES of all shards of one bench into one, exactly."""
    from ovsnet.bench.merge import merge as joined

    if report is not None:
        require_plots()
    document = joined([read(path) for path in files])
    publish(document, out, report, as_json=as_json)
    if document.problems:
        raise click.exceptions.Exit(1)


@bench.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option("--seed", default=1, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(before: Path, after: Path, seed: int, as_json: bool) -> None:
    """Say what changed from BEFORE to AFTER, with a confidence interval."""
    from random import Random

    from ovsnet.bench.compare import compare as compared

    changes = compared(read(before), read(after), Random(seed))
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(change) | {"certain": change.certain} for change in changes]))
    else:
        click.echo("\n".join(change_lines(changes)))


def publish(document: Document, out: Path | None, report: Path | None, *, as_json: bool) -> None:
    """Write the files that were asked for, and print the table, or the document."""
    for path, content in ((out, encode), (report, _page)):
        if path is not None:
            try:
                path.write_bytes(content(document))
            except OSError as error:
                raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(encode(document).decode() if as_json else table(document))
    for problem in document.problems:
        click.echo(f"ovsnet: {problem}", err=True)


def require_plots() -> None:
    """Raise UsageError, before anything is measured, when the plots could not be drawn."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError("--report needs matplotlib, which is not installed.", remedy="pip install 'ovsnet[bench]'.")


def require_places(*files: Path | None) -> None:
    """Raise UsageError, before anything is measured, when a file could not be written."""
    for path in files:
        if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"{path} cannot be written.", remedy="Name a file in a directory that is yours.")


def _page(document: Document) -> bytes:
    from ovsnet.bench.report import page

    return page(document)


def require_parts(shard: Shard, **wholes: int) -> None:
    """Raise UsageError when some shard would have nothing to do."""
    for flag, whole in wholes.items():
        if whole < shard.of:
            raise UsageError(
                f"--{flag} {whole} cannot be shared among {shard.of} shards.",
                remedy="Ask for more, or for fewer shards.",
            )


def require_one_node(common: Common, address: Address | None) -> None:
    """Raise UsageError when a sandbox and another node are meant at once."""
    if common.sandbox and address is not None:
        raise UsageError("--sandbox and --address exclude each other.", remedy="Leave one of them out.")
    if common.sandbox and common.shard.of > 1:
        raise UsageError(
            "Shards hit one daemon, and each would have a sandbox of its own.", remedy="Leave --sandbox out."
        )


def address_of(protocol: Name, settings: Settings, rundir: Rundir) -> Address:
    """Where the daemon of this protocol listens."""
    if protocol == "openflow":
        return rundir.mgmt(settings.bridge[0])
    if protocol == "ovsdb":
        return Address.parse(settings.database) if settings.database else rundir.database
    if sockets := rundir.control_sockets("ovs-vswitchd"):
        return sockets[0]
    raise SocketMissing(f"ovs-vswitchd has no control socket in {rundir.ovs}.")


def rundir_of(settings: Settings) -> Rundir:
    """The run directories of this host's node."""
    return find_rundir(settings.rundir, settings.ovn_rundir, os.environ)
