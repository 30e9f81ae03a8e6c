"""``ovsnet tune``: knobs that are known, judged against what runs, and set so that they can be set back."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, TextIO

import click

from ovsnet.cli.agent_client import fetch_status
from ovsnet.cli.options import Number, with_settings
from ovsnet.cli.terminal import say
from ovsnet.cli.tune_advise import advice_lines, measured, read_status
from ovsnet.cli.tune_text import counters, lint_lines, plan_document, plan_lines, versions_line
from ovsnet.config import Group, Settings
from ovsnet.errors import ConfigError
from ovsnet.io.address import Address, parse_remotes
from ovsnet.node.installation import find_rundir
from ovsnet.node.version import Version, parse_version, shown
from ovsnet.ovsdb import Session
from ovsnet.texts import for_line
from ovsnet.tune.advise import Advice
from ovsnet.tune.advise import advise as make_advice
from ovsnet.tune.apply import Overtaken
from ovsnet.tune.apply import apply as write
from ovsnet.tune.catalogue import knob_named
from ovsnet.tune.facts import Facts
from ovsnet.tune.lint import Kind, LintResult, faults
from ovsnet.tune.lint import lint as judge
from ovsnet.tune.offline import facts_of_environment, facts_of_text
from ovsnet.tune.plan import Plan
from ovsnet.tune.plan import plan as make_plan
from ovsnet.tune.profiles import PROFILES
from ovsnet.tune.record import plan_revert
from ovsnet.tune.sessions import opened, read_facts
from ovsnet.tune.wanted import Wanted, wanted

Command = Callable[..., Any]

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FORCE = click.option("--force", is_flag=True, help="Also write values that have no effect here or are not safe.")


@dataclass(frozen=True, slots=True)
class Databases:
    """Those to tune: the node's own by its settings, and the remotes of the others."""

    settings: Settings
    nb: str
    sb: str
    timeout: float

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[tuple[dict[str, Session], Facts]]:
        """The sessions, held, and what was found over them."""
        rundir = find_rundir(self.settings.rundir, self.settings.ovn_rundir, os.environ)
        own = Address.parse(self.settings.database) if self.settings.database else rundir.database
        remotes: dict[str, tuple[Address, ...]] = {"Open_vSwitch": (own,)}
        for database, text in (("OVN_Northbound", self.nb), ("OVN_Southbound", self.sb)):
            if text:
                remotes[database] = parse_remotes(text)
        async with opened(remotes, timeout=self.timeout, tls=self.settings.tls) as sessions:
            yield sessions, await read_facts(sessions, rundir, timeout=self.timeout)


def with_databases(command: Command) -> Command:
    """Give a command the flags that say where, and Databases made of them."""

    @functools.wraps(command)
    def located(settings: Settings, nb: str, sb: str, timeout: float, **arguments: object) -> object:
        return command(databases=Databases(settings, nb, sb, timeout), **arguments)

    with_where = with_settings(Group.NODE, Group.TLS)(located)
    seconds = Number(min=0.02, max=3600)
    for option in (
        click.option(
            "--timeout",
            default=5.0,
            show_default=True,
            type=seconds,
            metavar="SECONDS",
            help="How long to wait for each answer.",
        ),
        click.option("--sb", default="", metavar="ADDRESS", help="Also use this southbound database."),
        click.option("--nb", default="", metavar="ADDRESS", help="Also use this northbound database."),
    ):
        with_where = option(with_where)
    return with_where


def with_wishes(command: Command) -> Command:
    """Give a command the flags that say what is wanted, and them as ``wishes`` and ``create``."""

    @functools.wraps(command)
    def wishing(
        profile: str,
        file: TextIO | None,
        pairs: tuple[str, ...],
        create: tuple[str, ...],
        force: bool,
        **arguments: object,
    ) -> object:
        toml, name = ("", "") if file is None else (file.read(), file.name)
        wishes = wanted(profile=profile, toml=toml, toml_name=name, pairs=pairs, force=force)
        if not wishes:
            raise ConfigError("Nothing is wanted.", remedy="Give --profile, --file or --set.")
        return command(wishes=wishes, create=_targets(create), force=force, **arguments)

    with_flags: Command = FORCE(wishing)
    for option in (
        click.option(
            "--create",
            multiple=True,
            metavar="KNOB=TARGET",
            help="Create the row that holds this knob if there is none.",
        ),
        click.option(
            "--set", "pairs", multiple=True, metavar="KNOB=VALUE", help="One value; an empty one removes the setting."
        ),
        click.option("--file", type=click.File("r"), help="TOML with `knob = value`, and perhaps `profile = NAME`."),
        click.option("--profile", default="", type=click.Choice(["", *PROFILES]), help="A known set of values."),
    ):
        with_flags = option(with_flags)
    return with_flags


@click.group()
def tune() -> None:
    """Check, plan, apply and revert the settings that tune OVS and OVN."""


@tune.command()
@click.option("--from", "saved", type=click.File("r"), help="A saved `ovs-vsctl list Open_vSwitch`, or Kube-OVN's env.")
@click.option("--environment", is_flag=True, help="Check Kube-OVN's variables in our own environment.")
@click.option("--ovn-version", default="", metavar="VERSION", help="What runs, for --from and --environment.")
@click.option("--ovs-version", default="", metavar="VERSION", help="What runs, for --from and --environment.")
@click.option("--all", "everything", is_flag=True, help="Also list knobs without findings.")
@AS_JSON
@with_databases
def lint(
    databases: Databases,
    saved: TextIO | None,
    environment: bool,
    ovn_version: str,
    ovs_version: str,
    everything: bool,
    as_json: bool,
) -> None:
    """Check every configured knob against the running daemons.

    Says of each what its daemon really does with it. Exit code 1 when something should be set otherwise.
    """
    ovn, ovs = _version(ovn_version), _version(ovs_version)
    if saved is not None:
        facts = facts_of_text(saved.read(), ovn=ovn, ovs=ovs)
    elif environment:
        facts = facts_of_environment(os.environ, ovn=ovn, ovs=ovs)
    else:
        facts = asyncio.run(_facts(databases))
    results = judge(facts)
    if as_json:
        versions = {reader: shown(version) for reader, version in facts.versions.items()}
        say(json.dumps({"versions": versions, "findings": [asdict(each) for each in results]}, indent=2))
    else:
        _echo_results(facts, results, everything=everything)
    raise click.exceptions.Exit(1 if faults(results) else 0)


@tune.command()
@AS_JSON
@with_wishes
@with_databases
def plan(databases: Databases, wishes: list[Wanted], create: dict[str, str], force: bool, as_json: bool) -> None:
    """Show what would be written, and why. Writes nothing."""

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

    One guarded transaction per database. Exit code 1 when somebody else changed a value in the meantime; nothing is
    overwritten then.
    """
    _write(databases, lambda facts: make_plan(facts, wishes, create=create, force=force), as_json=as_json)


@tune.command()
@click.option("--force", is_flag=True, help="Also restore values that somebody else has changed since.")
@AS_JSON
@with_databases
def revert(databases: Databases, force: bool, as_json: bool) -> None:
    """Restore the values from before ovsnet wrote.

    In each database that is given. What somebody else has changed since is left alone, and makes the exit code 1;
    --force restores that too.
    """
    reverted = _write(databases, lambda facts: plan_revert(facts, force=force), as_json=as_json)
    raise click.exceptions.Exit(1 if reverted.notes else 0)


@tune.command()
@click.option("--agent", default="", metavar="ADDRESS", help="Where the agent serves. [127.0.0.1:10670]")
@click.option("--status", "saved", type=click.File("r"), help="A saved /status, instead of asking an agent.")
@AS_JSON
@with_databases
def advise(databases: Databases, agent: str, saved: TextIO | None, as_json: bool) -> None:
    """Derive probe intervals from the stalls an agent has measured."""

    async def run() -> list[Advice]:
        listen = agent or databases.settings.listen[0]
        document = read_status(saved.read()) if saved else await fetch_status(listen, timeout=databases.timeout)
        stalls, every = measured(document)
        return make_advice(await _facts(databases), stalls, every=every)

    advices = asyncio.run(run())
    if as_json:
        say(json.dumps([asdict(each) for each in advices], indent=2))
        return
    for line in advice_lines(advices):
        say(for_line(line))


def _write(databases: Databases, planned: Callable[[Facts], Plan], *, as_json: bool) -> Plan:
    async def run() -> Plan:
        async with databases.asked() as (sessions, facts):
            found = planned(facts)
            await write(found, sessions, timeout=databases.timeout)
            _echo_plan(found, sessions, as_json=as_json)
            return found

    try:
        return asyncio.run(run())
    except Overtaken as error:
        say(f"ovsnet: {error} {error.remedy}", err=True)
        raise click.exceptions.Exit(1) from error


async def _facts(databases: Databases) -> Facts:
    async with databases.asked() as (_, facts):
        return facts


def _echo_results(facts: Facts, results: Sequence[LintResult], *, everything: bool) -> None:
    listed = [each for each in results if everything or each.kind is not Kind.EFFECTIVE]
    for line in lint_lines(listed):
        say(for_line(line))
    say(f"{counters(list(results))} ({versions_line(facts)})")


def _echo_plan(found: Plan, sessions: dict[str, Session], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(plan_document(found), indent=2))
        return
    addresses = {database: str(session.address) for database, session in sessions.items()}
    for line in plan_lines(found, addresses):
        say(for_line(line))


def _targets(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, target = pair.partition("=")
        if not equals or not target:
            raise ConfigError(f"{pair!r} names no target.", remedy="Write --create manager-inactivity-probe=ptcp:6640.")
        found[knob_named(name).name] = target
    return found


def _version(text: str) -> Version | None:
    if not text:
        return None
    if (found := parse_version(text)) is None:
        raise ConfigError(f"{text!r} is no version.", remedy="Write it as 24.03 or 3.1.0.")
    return found
