"""``ovsnet tune``: knobs are checked against what runs, and set so that they can be reverted."""

from __future__ import annotations

import asyncio
import functools
import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec

from ovsnet.cli.agent_client import fetch_status
from ovsnet.cli.completers import files, knobs
from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import Document, read_document
from ovsnet.cli.terminal import say
from ovsnet.cli.tune_advise import advice_lines, measured, read_status
from ovsnet.cli.tune_databases import Databases, with_databases
from ovsnet.cli.tune_lint import lint
from ovsnet.cli.tune_render import SET, render
from ovsnet.cli.tune_text import plan_document, plan_lines, written_lines
from ovsnet.errors import ConfigError
from ovsnet.ovsdb import Session
from ovsnet.texts import for_line
from ovsnet.tune.advise import Advice
from ovsnet.tune.advise import advise as make_advice
from ovsnet.tune.apply import Overtaken
from ovsnet.tune.apply import apply as write
from ovsnet.tune.catalogue import knob_named
from ovsnet.tune.facts import Facts
from ovsnet.tune.plan import Plan
from ovsnet.tune.plan import plan as make_plan
from ovsnet.tune.profiles import PROFILES
from ovsnet.tune.record import plan_revert
from ovsnet.tune.wanted import Wanted, wanted

Command = Callable[..., Any]

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FORCE = click.option("--force", is_flag=True, help="Also write values that have no effect here or are not safe.")


def with_wishes(command: Command) -> Command:
    """Give a command the flags that say what is wanted, parsed as ``wishes`` and ``create``."""

    @functools.wraps(command)
    def wishing(
        profile: str,
        file: Document | None,
        pairs: tuple[str, ...],
        create: tuple[str, ...],
        force: bool,
        **arguments: object,
    ) -> object:
        name, toml = file or ("", "")
        wishes = wanted(profile=profile, toml=toml, toml_name=name, pairs=pairs, force=force)
        if not wishes:
            raise ConfigError("No values were given.", remedy="Use --profile, --file or --set.")
        return command(wishes=wishes, create=_targets(create), force=force, **arguments)

    with_flags: Command = FORCE(wishing)
    for option in (
        click.option(
            "--create",
            multiple=True,
            metavar="KNOB=TARGET",
            shell_complete=knobs,
            help="Create the row that holds this knob if there is none.",
        ),
        SET,
        click.option(
            "--file",
            metavar="FILE|-",
            callback=read_document,
            shell_complete=files,
            help="TOML file with `knob = value` lines and an optional `profile = NAME`.",
        ),
        click.option("--profile", default="", type=click.Choice(["", *PROFILES]), help="Named set of values."),
    ):
        with_flags = option(with_flags)
    return with_flags


@click.group(cls=CommandGroup)
def tune() -> None:
    """Check, plan, apply and revert the settings that tune OVS and OVN."""


tune.add_command(lint)
tune.add_command(render)


@tune.command()
@AS_JSON
@with_wishes
@with_databases
def plan(databases: Databases, wishes: list[Wanted], create: dict[str, str], force: bool, as_json: bool) -> None:
    """Show what would be written, and why, without writing anything.

    \b
    Examples:
      ovsnet tune plan --profile large
      ovsnet tune plan --set max-idle=20000 --set n-handler-threads=4
      ovsnet tune plan --profile kube-ovn --json
    """

    async def run() -> None:
        async with databases.asked() as (sessions, facts):
            _echo_plan(make_plan(facts, wishes, create=create, force=force), sessions, as_json=as_json)

    asyncio.run(run())


@tune.command()
@AS_JSON
@with_wishes
@with_databases
def apply(databases: Databases, wishes: list[Wanted], create: dict[str, str], force: bool, as_json: bool) -> None:
    """Write the wanted values, and record the old ones.

    One guarded transaction per database. Exit code 1 when someone else changed a value in the meantime; nothing is
    overwritten then.
    """
    undo = shlex.join(("ovsnet", "tune", "revert", *databases.flags))
    _write(databases, lambda facts: make_plan(facts, wishes, create=create, force=force), as_json=as_json, undo=undo)


@tune.command()
@click.option("--force", is_flag=True, help="Also restore values that someone else has changed since.")
@AS_JSON
@with_databases
def revert(databases: Databases, force: bool, as_json: bool) -> None:
    """Restore the values from before ovsnet wrote.

    Applies to each database that is given. A value that someone else has changed since is left alone, and the exit
    code is then 1; --force restores it too.
    """
    reverted = _write(databases, lambda facts: plan_revert(facts, force=force), as_json=as_json)
    raise click.exceptions.Exit(1 if reverted.notes else 0)


@tune.command()
@click.option("--agent", default="", metavar="ADDRESS", help="Address of the agent. [127.0.0.1:10670]")
@click.option(
    "--status",
    "saved",
    metavar="FILE|-",
    callback=read_document,
    shell_complete=files,
    help="Saved /status document to use instead of asking an agent.",
)
@AS_JSON
@with_databases
def advise(databases: Databases, agent: str, saved: Document | None, as_json: bool) -> None:
    """Derive probe intervals from the longest silences an agent has seen.

    Each comes with its cost: disconnects from living peers, and the time until a dead one is noticed. Base it on at
    least a day of an agent's data, better a week.
    """

    async def run() -> list[Advice]:
        listen = agent or databases.settings.listen[0]
        document = read_status(saved.text) if saved else await fetch_status(listen, timeout=databases.timeout)
        stalls, every = measured(document)
        return make_advice(await _facts(databases), stalls, every=every)

    advices = asyncio.run(run())
    if as_json:
        say(json.dumps([msgspec.to_builtins(each) for each in advices], indent=2))
        return
    for line in advice_lines(advices):
        say(for_line(line))


def _write(databases: Databases, planned: Callable[[Facts], Plan], *, as_json: bool, undo: str = "") -> Plan:
    async def run() -> Plan:
        async with databases.asked() as (sessions, facts):
            found = planned(facts)
            written = await write(found, sessions, timeout=databases.timeout)
            _echo_written(found, sessions, written, undo if written else "", as_json=as_json)
            return found

    try:
        return asyncio.run(run())
    except Overtaken as error:
        say(f"ovsnet: {error} {error.remedy}", err=True)
        raise click.exceptions.Exit(1) from error


async def _facts(databases: Databases) -> Facts:
    async with databases.asked() as (_, facts):
        return facts


def _echo_plan(found: Plan, sessions: dict[str, Session], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(plan_document(found), indent=2))
        return
    addresses = {database: str(session.address) for database, session in sessions.items()}
    for line in plan_lines(found, addresses):
        say(for_line(line))


def _echo_written(
    found: Plan, sessions: dict[str, Session], written: Sequence[str], undo: str, *, as_json: bool
) -> None:
    if as_json:
        say(json.dumps(plan_document(found) | {"written": list(written), "undo": undo}, indent=2))
        return
    addresses = {database: str(session.address) for database, session in sessions.items()}
    for line in written_lines(found, addresses, undo):
        say(for_line(line))


def _targets(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, target = pair.partition("=")
        if not equals or not target:
            raise ConfigError(
                f"{pair!r} does not name a target.",
                remedy="Write --create manager-inactivity-probe=ptcp:6640:127.0.0.1.",
            )
        found[knob_named(name).name] = target
    return found
