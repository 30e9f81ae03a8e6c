"""``ovsnet tune lint``, for a node or for what was saved of one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence

import click
import msgspec
from msgspec.structs import replace

from ovsnet.cli.completers import files
from ovsnet.cli.terminal import say, styled
from ovsnet.cli.tune_databases import Databases, with_databases
from ovsnet.cli.tune_text import counters, lint_lines, versions_line
from ovsnet.errors import ConfigError
from ovsnet.node.version import Version, parse_version, shown
from ovsnet.texts import for_line
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import Kind, LintResult
from ovsnet.tune.judge_keys import keys_known
from ovsnet.tune.lint import faults, harmful, unset
from ovsnet.tune.lint import lint as judge
from ovsnet.tune.offline import facts_of_readings, reading_of_environment
from ovsnet.tune.readers import refused
from ovsnet.tune.readers.files import Found, read_path

SHOWN_UNREAD = 10


class Material(msgspec.Struct, frozen=True):
    """What is judged: ``recognised`` and ``unread`` are lines for a person."""

    facts: Sequence[Facts]
    recognised: Sequence[str] = ()
    unread: Sequence[str] = ()


@click.command()
@click.argument("path", default="", shell_complete=files)
@click.option(
    "--from",
    "saved",
    metavar="PATH",
    default="",
    shell_complete=files,
    help="Saved output of ovs-vsctl or ovsdb-client, a database file, a chart's values or an environment; or a "
    "directory or tar of them. - reads standard input.",
)
@click.option("--environment", is_flag=True, help="Check Kube-OVN's variables in the environment of this command.")
@click.option("--ovn-version", default="", metavar="VERSION", help="Version of OVN, for --from and --environment.")
@click.option("--ovs-version", default="", metavar="VERSION", help="Version of OVS, for --from and --environment.")
@click.option(
    "--chassis",
    metavar="NAME",
    default="",
    help="Name of the chassis, for --from, where ovn-controller has it from -n or from a file and not from system-id.",
)
@click.option("--all", "everything", is_flag=True, help="Also list knobs without findings.")
@click.option("--strict", is_flag=True, help="Exit with 1 for harmless leftovers too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_databases
def lint(
    databases: Databases,
    path: str,
    saved: str,
    environment: bool,
    ovn_version: str,
    ovs_version: str,
    chassis: str,
    everything: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Check every configured knob against the running daemons. With PATH, the same as --from PATH, check saved ones.

    Reports what the daemon really does with each. Exit code 1 when a harmful setting should be changed, 2 when
    something that may hold a setting could not be read.

    \b
    Examples:
      ovsnet tune lint
      ovsnet tune lint values.yaml --ovn-version 24.03
      ovs-vsctl list Open_vSwitch | ovsnet tune lint -
    """
    ovn, ovs = named_version(ovn_version), named_version(ovs_version)
    if path and saved:
        raise click.UsageError("PATH and --from mean the same: use only one of them.")
    if path or saved:
        material = _saved(path or saved, ovn, ovs, chassis)
    elif environment:
        material = _of_environment(ovn, ovs)
    else:
        material = Material([asyncio.run(_facts(databases))])
    results = judged(material.facts)
    if as_json:
        say(json.dumps(lint_document(material, results), indent=2))
    else:
        _echo(material, results, everything=everything)
    if faults(results) if strict else harmful(results):
        raise click.exceptions.Exit(1)
    if material.unread:
        why = f"Not everything was understood, so this is not a clean bill of health: {material.unread[0]}."
        raise ConfigError(why, remedy="Give that as `ovs-vsctl list` prints it.")


def _saved(path: str, ovn: Version | None, ovs: Version | None, chassis: str) -> Material:
    found = read_path(path)
    readings = [each.reading for each in found if each.reading is not None]
    facts = [replace(each, chassis=chassis) for each in facts_of_readings(readings, ovn=ovn, ovs=ovs)]
    return Material(facts, tuple(_recognised(found)), tuple(_unread(found)))


def _of_environment(ovn: Version | None, ovs: Version | None) -> Material:
    reading = reading_of_environment(os.environ)
    if reading is None:
        raise refused("This environment has no variable of Kube-OVN or OVN-Kubernetes.")
    found = [Found("environment", reading)]
    return Material(facts_of_readings([reading], ovn=ovn, ovs=ovs), tuple(_recognised(found)), tuple(_unread(found)))


def _recognised(found: Sequence[Found]) -> Iterator[str]:
    for each in found:
        if each.reading is not None:
            yield f"{each.name}: {each.reading.form}"
            yield from (f"{each.name}: {note}" for note in each.reading.notes)
    for mentions, what in ((True, "only mention a knob"), (False, "name no knob")):
        if skipped := sum(not each.reading and not each.damaged and each.mentions is mentions for each in found):
            yield f"{skipped} other files {what}"


def _unread(found: Sequence[Found]) -> Iterator[str]:
    """A template's value is read where it is written, if that is among the files."""
    resolved = {knob for each in found if each.reading for knob, _ in each.reading.values}
    for each in found:
        if each.damaged:
            yield f"{each.name} ({each.why.rstrip('.')})"
        elif each.reading is not None:
            yield from (f"{each.name}: {part}" for part in each.reading.unread)
            for name, knobs in each.reading.unresolved.items():
                if not resolved.issuperset(knobs):
                    yield f"{each.name}: {name}, whose value is not a literal here"


def judged(facts: Sequence[Facts]) -> list[LintResult]:
    """The findings of each node, harmful ones first."""
    found = dict.fromkeys(result for each in facts for result in judge(each))
    return sorted(found, key=lambda each: (not each.is_harmful, list(Kind).index(each.kind)))


def lint_document(material: Material, results: Sequence[LintResult]) -> dict[str, object]:
    """As ``--json`` prints it."""
    versions = {reader: shown(version) for each in material.facts for reader, version in each.versions.items()}
    return {
        "versions": versions,
        "recognised": list(material.recognised),
        "unread": list(material.unread),
        "unset": list(dict.fromkeys(line for each in material.facts for line in unset(each))),
        "findings": [msgspec.to_builtins(each) for each in results],
    }


def _echo(material: Material, results: Sequence[LintResult], *, everything: bool) -> None:
    for line in material.recognised:
        say(styled(for_line(f"read          {line}"), dim=True))
    for line in material.unread[:SHOWN_UNREAD]:
        say(styled(for_line(f"not read      {line}"), fg="red"))
    if len(material.unread) > SHOWN_UNREAD:
        say(styled(for_line(f"not read      and {len(material.unread) - SHOWN_UNREAD} more"), fg="red"))
    for line in dict.fromkeys(line for each in material.facts for line in unset(each)):
        say(styled(for_line(f"not set       {line}"), dim=True))
    listed = [each for each in results if everything or each.kind is not Kind.EFFECTIVE]
    for line in lint_lines(listed):
        say(for_line(line))
    versions = dict.fromkeys(versions_line(each) for each in material.facts)
    keys = sum(keys_known(each) for each in material.facts)
    summary = counters(list(results))
    if keys and not results:
        summary = f"nothing is wrong with what is set: {keys} keys, and no knob"
    say(f"{summary} ({'; '.join(versions) or 'no version is known'})")


async def _facts(databases: Databases) -> Facts:
    async with databases.asked() as (_, facts):
        return facts


def named_version(text: str) -> Version | None:
    """A version that was given; None for none. Raises ConfigError."""
    if not text:
        return None
    if (found := parse_version(text)) is None:
        raise ConfigError(f"{text!r} is not a version.", remedy="Write it as 24.03 or 3.1.0.")
    return found
