"""``ovsnet check``: one-shot, without an agent."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time

import click
import msgspec

from ovsnet.agent.document import document
from ovsnet.cli.options import NODE_SETTINGS, Number, with_settings
from ovsnet.config import Settings
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Status
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.health.state import HealthState
from ovsnet.node.installation import find_rundir
from ovsnet.node.node import Node

MARKS = {Status.OK: "ok", Status.SLOW: "slow", Status.FAILED: "FAILED", Status.UNKNOWN: "unknown", Status.SKIPPED: "-"}

COULD_NOT_TELL = frozenset({"permission-denied"})


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--timeout",
    default=2.0,
    show_default=True,
    type=Number(min=0.02, max=3600),
    metavar="SECONDS",
    help="How long to wait for all answers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the same document as /status.")
@with_settings(*NODE_SETTINGS)
def check(names: tuple[str, ...], timeout: float, as_json: bool, settings: Settings) -> None:
    """Ask the node every question (or those NAMEd) once, and say what is wrong.

    Exit code 0 when the node is ready or degraded, 1 when it is not, 3 when this user may not ask.
    """
    checks = with_needs(names) if names else list(CHECKS.values())
    # Two looks at a silent daemon prove that it stands still; the first round may wait for two questions in a row.
    settings = msgspec.structs.replace(settings, timeout=timeout / 3, hung_after=timeout * 0.9)
    found = asyncio.run(_ask(settings, checks))
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))
    diagnosis = found["diagnosis"]
    assert isinstance(diagnosis, dict)
    if diagnosis["code"] in COULD_NOT_TELL:
        raise click.exceptions.Exit(3)
    if found["state"] not in ("ready", "degraded"):
        raise click.exceptions.Exit(1)


async def _ask(settings: Settings, checks: list[Check]) -> dict[str, object]:
    rundir = find_rundir(settings.rundir, settings.ovn_rundir, os.environ)
    # Nothing is known of a start here, so none is excused: the allowance is 0.
    health = HealthState(time.monotonic(), [check.name for check in checks], allowance=0.0)
    async with Node(settings, rundir, clock=time.monotonic, rng=random.Random()) as node:
        results = await ask_all(checks, node)
        if any(result.status in (Status.SLOW, Status.UNKNOWN) for result in results.values()):
            results = await ask_all(checks, node)
        health.record(results.values(), node.clock())
        return document(health, node, name=os.uname().nodename, wall_offset=time.time() - time.monotonic())


def _lines(found: dict[str, object]) -> list[str]:
    diagnosis, checks = found["diagnosis"], found["checks"]
    assert isinstance(diagnosis, dict)
    assert isinstance(checks, list)
    lines = [f"{diagnosis['code']}: {diagnosis['summary']}"]
    if diagnosis["remedy"]:
        lines.append(f"  remedy: {diagnosis['remedy']}")
    if diagnosis["also"]:
        lines.append(f"  also: {', '.join(diagnosis['also'])}")
    width = max((len(each["name"]) for each in checks), default=0)
    for each in checks:
        rtt = f"  {each['rtt_seconds'] * 1000:.2f} ms" if each["rtt_seconds"] is not None else ""
        lines.append(f"  {MARKS[Status(each['status'])]:8}{each['name']:{width}}  {each['detail']}{rtt}")
    return lines
