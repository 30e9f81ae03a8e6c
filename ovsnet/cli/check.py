"""``ovsnet check``: one-shot, without an agent."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Collection, Iterable, Mapping

import click
import msgspec

from ovsnet.agent.document import document
from ovsnet.cli.completers import check_names, files
from ovsnet.cli.options import Duration, with_settings
from ovsnet.cli.terminal import marked, say
from ovsnet.config import Group, Settings
from ovsnet.health.cause import State
from ovsnet.health.causes import codes
from ovsnet.health.checks.asking import look_again
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.health.diagnosis import partly_asked
from ovsnet.health.state import HealthState
from ovsnet.io.pending import after_next_poll
from ovsnet.node.installation import find_rundir
from ovsnet.node.node import Node
from ovsnet.node.silence import Verdict
from ovsnet.texts import for_line

MARKS = {Status.OK: "ok", Status.SLOW: "slow", Status.FAILED: "FAILED", Status.UNKNOWN: "unknown", Status.SKIPPED: "-"}

WRONG_FIRST = (Status.FAILED, Status.SLOW, Status.UNKNOWN)
"""The rest follows in the order of the chain."""

ANSWER_SHARE = 0.5
"""Share of ``--timeout`` for one answer: by default as long as an agent waits, so both call the same thing slow."""

PROOF_SHARE = 0.9
"""Share of ``--timeout`` after which a daemon without progress is called hung."""

LOOK = 0.05
"""Seconds between two samples of a silent daemon's process."""


def _text(found: dict[str, object]) -> str:
    diagnosis, checks, rundir = found["diagnosis"], found["checks"], found["rundir"]
    assert isinstance(diagnosis, dict)
    assert isinstance(checks, list)
    assert isinstance(rundir, dict)
    lines = [marked(str(found["state"]), f"{diagnosis['code']}: {diagnosis['summary']}", bold=True)]
    if diagnosis["remedy"]:
        lines.append(f"  remedy: {diagnosis['remedy']}")
    if diagnosis["also"]:
        lines.append(f"  also: {', '.join(diagnosis['also'])}")
    lines += [
        f"  of {rundir['ovs']}; another Open vSwitch, which --rundir can name: {each}" for each in rundir["others"]
    ]
    width = max((len(each["name"]) for each in checks), default=0)
    for each in sorted(checks, key=lambda each: _turn(Status(each["status"]))):
        status = Status(each["status"])
        mark = marked(status, f"{MARKS[status]:8}")
        rtt = f"  {each['rtt_seconds'] * 1000:.2f} ms" if each["rtt_seconds"] is not None else ""
        lines.append(f"  {mark}{each['name']:{width}}  {each['detail']}{rtt}")
    return "\n".join(lines)


def _turn(status: Status) -> int:
    return WRONG_FIRST.index(status) if status in WRONG_FIRST else len(WRONG_FIRST)


def _npd(found: dict[str, object]) -> str:
    """The condition's message, which node-problem-detector cuts off at ``max_output_length``."""
    diagnosis = found["diagnosis"]
    assert isinstance(diagnosis, dict)
    return f"{diagnosis['code']}: {diagnosis['summary']}"


def _json(found: dict[str, object]) -> str:
    return json.dumps(found, indent=2)


FORMATS = {"text": _text, "json": _json, "npd": _npd}

NPD_UNKNOWN = 2
"""Exit codes of its custom plugins: 0 no problem, 1 a problem, 2 unknown."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=check_names)
@click.option(
    "--timeout",
    default="2s",
    show_default=True,
    type=Duration(0.02, 3600),
    help="How long to wait for a silent daemon. A single answer may take half of it.",
)
@click.option("--from", "saved", default="", metavar="REPORT", shell_complete=files,
              help="Show the result as of when this `ovsnet report` archive was written.")  # fmt: skip
@click.option("--json", "form", flag_value="json", help="Print the same JSON document as /status.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    help="Format of the output. npd: one line and exit code 0, 1 or 2, for a custom plugin of node-problem-detector.",
)
@with_settings(Group.NODE, Group.TLS, "bridge", "switch")
def check(names: tuple[str, ...], timeout: float, saved: str, form: str, settings: Settings) -> None:
    """Run every check once, or only those named, and report what is wrong first.

    Exit code 0 when the node is ready or degraded, 1 when it is not ready, 2 for a wrong setting, 3 when that cannot be
    determined.

    \b
    Examples:
      ovsnet check
      ovsnet check vswitchd.tunnels vswitchd.bfd --timeout 5
      ovsnet check --from ovsnet-report-20261127T120000Z.tar.gz
    """
    checks = with_needs(names) if names else list(CHECKS.values())
    if saved:
        found, exit_code = _saved(saved, {check.name for check in checks} if names else None, form)
    else:
        health, found = asyncio.run(ask(settings, checks, timeout))
        exit_code = _exit_code(health.diagnosis.code, serves=health.diagnosis.state.serves)
    say(FORMATS[form](found))
    raise click.exceptions.Exit(min(exit_code, NPD_UNKNOWN) if form == "npd" else exit_code)


def _saved(path: str, names: Collection[str] | None, form: str) -> tuple[dict[str, object], int]:
    """The document of a report, with only the checks of these names, and the exit code that follows from it."""
    # Imported here: a probe runs this command often, and never needs it.
    from ovsnet.report.reading import SavedStatus, heading, read_report

    report = read_report(path, sys.stdin.buffer)
    found, known = report.document("status", SavedStatus)
    if names is not None:
        checks = msgspec.convert(found["checks"], list[dict[str, object]])
        found["checks"] = [each for each in checks if each["name"] in names]
    if form == "text":
        for line in heading(report, known.node):
            say(for_line(line))
    serves = any(state.label == known.state and state.serves for state in State)
    return found, _exit_code(known.diagnosis.code, serves=serves)


def _exit_code(code: str, *, serves: bool) -> int:
    cause = codes().get(code)
    if serves and (cause is None or not cause.blind):
        return 0
    return 1 if cause is None else cause.exit_code


async def ask(settings: Settings, checks: list[Check], timeout: float) -> tuple[HealthState, dict[str, object]]:
    """The answers to ``checks`` within ``timeout`` seconds, and the document about them."""
    settings = msgspec.structs.replace(settings, timeout=timeout * ANSWER_SHARE, hung_after=timeout * PROOF_SHARE)
    rundir = find_rundir(settings.rundir, settings.ovn_rundir, os.environ)
    began = time.monotonic()
    health = HealthState(began, [check.name for check in checks], allowance=settings.start_allowance)

    def started(daemon: str, at: float) -> None:
        health.restarted(daemon, at, time.monotonic())

    async with Node(settings, rundir, clock=time.monotonic, rng=random.Random(), on_start=started) as node:
        results = await ask_all(checks, node)
        if any(result.status in (Status.SLOW, Status.UNKNOWN) for result in results.values()):
            proven = node.clock() + longest_wait(results.values(), settings.hung_after)
            await _watch_silence(node, results, until=max(began + timeout, proven))
            results = await ask_all(checks, node)
        health.record(results.values(), node.clock())
        if len(checks) < len(CHECKS):
            health.diagnosis = partly_asked(health.diagnosis, len(checks), len(CHECKS))
        found = document(health, node, name=os.uname().nodename, wall_offset=time.time() - time.monotonic())
        return health, found


def longest_wait(results: Iterable[Result], hung_after: float) -> float:
    """Seconds until the most recent silence can prove something. On a busy machine the first answers may have taken the
    whole ``--timeout``, and without the proof a stopped daemon would be called slow."""
    silences = (result.values.get("silent_seconds") for result in results if result.reason == Verdict.LATE)
    return max((hung_after - float(silent) for silent in silences if silent is not None), default=0.0)


async def _watch_silence(node: Node, results: Mapping[str, Result], *, until: float) -> None:
    """Sample the processes of silent daemons until each has answered or is proven to make no progress."""
    silent = {CHECKS[name].daemon: CHECKS[name] for name, result in results.items() if result.status is Status.SLOW}
    while silent and node.clock() < until:
        await asyncio.sleep(LOOK)
        await after_next_poll()  # an answer that came while we were held up ends the silence
        for daemon, check in list(silent.items()):
            again = look_again(check, node)
            if again is None or again.status is Status.FAILED:
                del silent[daemon]
