"""``ovsnet report``: one archive with the state of a node, for a bug report."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import click

from ovsnet import __version__
from ovsnet.cli.agent_client import fetch_document, fetch_status
from ovsnet.cli.check import ask
from ovsnet.cli.doctor import examined, findings_document
from ovsnet.cli.options import Duration, with_settings
from ovsnet.cli.terminal import say
from ovsnet.cli.tune_databases import Databases
from ovsnet.cli.tune_lint import Material, judged, lint_document
from ovsnet.config import Group, Settings
from ovsnet.errors import OvsnetError, UnfitEnvironment, UsageError
from ovsnet.files import replace
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.node.installation import find_rundir
from ovsnet.node.rundir import Rundir
from ovsnet.node.version import shown
from ovsnet.ovsdb.values import wire
from ovsnet.report.contents import ROOT, Contents, packed
from ovsnet.report.disguise import Disguise
from ovsnet.report.logs import tails
from ovsnet.texts import for_line
from ovsnet.tune.facts import Facts


@click.command()
@click.option("--out", default="", metavar="FILE", help="Where to write the archive. [ovsnet-report-TIME.tar.gz]")
@click.option("--anonymous", is_flag=True, help="Replace names and addresses, each consistently throughout.")
@click.option("--logs", "directories", multiple=True, metavar="DIR",
              help="Also include the logs in this directory; those of running daemons are found automatically.",
              type=click.Path(exists=True, file_okay=False, path_type=Path))  # fmt: skip
@click.option("--timeout", default="2s", show_default=True, type=Duration(0.02, 3600),
              help="How long to wait for each part.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the archive's path and contents as JSON.")
@with_settings(Group.NODE, Group.TLS, "bridge", "listen")
def report(
    out: str, anonymous: bool, directories: tuple[Path, ...], timeout: float, as_json: bool, settings: Settings
) -> None:
    """Write one archive for a bug report: status, history, knobs, versions, doctor, lint, and the logs' last lines.

    Needs no agent, but asks one that is running. Passwords, tokens and keys are never included. `check`, `doctor` and
    `tune lint` take the archive with --from, and `explain` reads it.

    Exit code 0 when it was written, 3 when neither a check nor a log could be seen.

    \b
    Examples:
      ovsnet report
      ovsnet report --anonymous --out incident.tar.gz
    """
    rundir = find_rundir(settings.rundir, settings.ovn_rundir, os.environ)
    contents = _gathered(settings, rundir, directories, timeout)
    path = Path(out or f"{ROOT}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(contents.made))}.tar.gz")
    try:
        replace(path, packed(contents, __version__, _disguise() if anonymous else None), 0o600)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.", remedy="Name another file with --out.") from error
    parts = [*contents.documents, *(f"logs/{name}" for name in contents.logs)]
    if as_json:
        say(json.dumps({"path": str(path), "parts": parts, "missing": contents.missing}))
    else:
        say(for_line(f"{path}: {', '.join(parts)}."))
        for name, why in contents.missing.items():
            say(for_line(f"missing: {name}: {why}"))
    if "status" in contents.missing and not contents.logs:
        raise UnfitEnvironment("Neither a check nor a log could be seen.", remedy="Name the node's --rundir or --logs.")


def _disguise() -> Disguise:
    disguise = Disguise()
    disguise.know("node", os.uname().nodename)
    return disguise


def _gathered(settings: Settings, rundir: Rundir, directories: tuple[Path, ...], timeout: float) -> Contents:
    """Each part, or why it is missing."""
    documents: dict[str, object] = {"versions": _own_versions()}
    missing: dict[str, str] = {}
    databases: dict[str, list[object]] = {}
    observer = "agent"

    def take(name: str, get: Callable[[], object]) -> None:
        try:
            documents[name] = get()
        except OvsnetError as error:
            missing[name] = str(error)

    def of_the_databases() -> object:
        facts = asyncio.run(_facts(settings, timeout))
        documents["versions"] = {**_own_versions(), **{name: shown(each) for name, each in facts.versions.items()}}
        databases.update(_tables(facts))
        return lint_document(Material([facts]), judged([facts]))

    take("status", lambda: asyncio.run(_status(settings, rundir, timeout)))
    if "status" in documents:
        take("history", lambda: asyncio.run(_history(settings, timeout)))
    else:
        observer, missing["history"] = "check", missing.pop("status")
        take("status", lambda: asyncio.run(ask(settings, list(CHECKS.values()), timeout))[1])
    take("doctor", lambda: findings_document(examined(Path("/"), settings), []))
    take("lint", of_the_databases)
    logs, unread = tails(rundir, directories)
    if not logs:
        missing["logs"] = "no daemon has a log open here, and the usual directories have none: name one with --logs."
    return Contents(time.time(), observer, documents, databases, logs, missing | unread)


async def _status(settings: Settings, rundir: Rundir, timeout: float) -> object:
    """As the agent serves it. Raises UnfitEnvironment where none runs, or one that watches another node."""
    listen = settings.listen[0]
    status = await fetch_status(listen, timeout=timeout)
    watched = status.get("rundir")
    if settings.rundir and isinstance(watched, dict) and watched.get("ovs") != str(rundir.ovs):
        raise UnfitEnvironment(f"The agent at {listen} watches another Open vSwitch.")
    return status


async def _history(settings: Settings, timeout: float) -> object:
    if (found := await fetch_document(settings.listen[0], "/history", timeout=timeout)) is None:
        raise UnfitEnvironment("This agent does not serve /history.")
    return found


async def _facts(settings: Settings, timeout: float) -> Facts:
    async with Databases(settings, "", "", timeout).asked() as (_, facts):
        return facts


def _own_versions() -> dict[str, str]:
    return {"ovsnet": __version__, "kernel": os.uname().release, "python": platform.python_version()}


def _tables(facts: Facts) -> dict[str, list[object]]:
    """By database, its tables as `ovsdb-client dump --format=json` prints them."""
    found: dict[str, list[object]] = {}
    for (database, table), rows in facts.tables.items():
        columns = list(dict.fromkeys(name for row in rows for name in row.columns))
        data = [[wire(row.columns.get(name)) for name in columns] for row in rows]
        found.setdefault(database, []).append({"headings": columns, "data": data, "caption": f"{table} table"})
    return found
