"""Run questions, each on a sandbox node of its own, and write down what came out and where."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.comparison import Row, table
from bench.suites import INSTALLED, RESULTS, with_suite
from ovsnet.bench.machine import Machine, this_machine
from ovsnet.errors import OvsnetError
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

Measure = Callable[[Sandbox], Awaitable[list[Row]]]

LIBRARIES = ("ovsnet", "aiohttp", "anyio", "msgspec", "ovs", "prometheus-client", "uvloop")


class Outcome(msgspec.Struct):
    """One row as JSON: the medians, and the rounds they come from. What never came is null."""

    question: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    target: str
    passed: bool | None
    our_rounds: list[float]
    peer_rounds: list[float]


class Report(msgspec.Struct):
    """One run. ``versions`` are those of the daemons."""

    began: str
    machine: Machine
    versions: Mapping[str, str]
    seconds: float
    rows: list[Outcome]


def alone(measure: Measure) -> None:
    """The ``__main__`` of one question: its table, and exit code 1 when it fell short."""
    _exit(run([measure]))


def everything(questions: list[Measure], suite: str = INSTALLED) -> None:
    """All questions: one table, and a file in ``bench/results``."""
    date, where, daemons = datetime.now(UTC).isoformat(timespec="seconds"), this_machine(LIBRARIES), versions()
    began = time.monotonic()
    rows = run(questions)
    path = RESULTS / f"{with_suite(f'{date[:10]}-{slug(where.cpu)}', suite)}.json"
    path.parent.mkdir(exist_ok=True)
    seconds = round(time.monotonic() - began, 1)
    report = Report(date, where, daemons, seconds, [outcome(row) for row in rows])
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    print(f"\n{date}: {where}, {', '.join(daemons.values())}\nwritten to {shown}")
    _exit(rows)


def versions() -> dict[str, str]:
    """What the sandbox runs, by program."""
    programs = binaries.find()
    return {name: programs.version(name) for name in ("ovs-vswitchd", "ovn-controller")}


def slug(text: str) -> str:
    """``text`` as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def run(questions: list[Measure]) -> list[Row]:
    """The rows of all questions, in order; prints the table."""
    rows: list[Row] = []
    for measure in questions:
        began = time.monotonic()
        print(f"{measure.__module__.removeprefix('bench.')} ...", end=" ", file=sys.stderr, flush=True)
        try:
            rows += asyncio.run(_on_a_node(measure))
        except OvsnetError as error:
            sys.exit(f"{error} {error.remedy}".rstrip())
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(rows))
    return rows


def outcome(row: Row) -> Outcome:
    """What the file holds of a row."""
    return Outcome(
        row.question,
        row.unit,
        row.our_median,
        row.peer_median,
        row.peer,
        row.ratio,
        str(row.target or ""),
        row.passed,
        list(row.ours),
        list(row.peers),
    )


async def _on_a_node(measure: Measure) -> list[Row]:
    async with Sandbox() as node:
        await node.wait_ready()
        return await measure(node)


def _exit(rows: list[Row]) -> None:
    sys.exit(1 if any(row.passed is False for row in rows) else 0)
