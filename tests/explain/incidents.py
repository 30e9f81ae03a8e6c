"""Incidents made on real daemons, and whether ``explain`` names their root from the logs alone.

``python -m tests.explain.incidents [NAME...]`` takes some twelve minutes; ``python -m ovsnet.sandbox.suite sid python
-m tests.explain.incidents`` does the same on another generation. The truth is what was done. ``--jobs`` has several
nodes at once, ``--keep`` names a directory for the logs, ``--again`` explains
those that lie there and makes nothing, ``--results`` a file that this run's results are added to,
and ``--page`` writes the table of docs/explain.md from that file.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ovsnet.errors import OvsnetError
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from tests.explain.catalogue import INCIDENTS
from tests.explain.steps import Incident
from tests.generations import versions

SETTLE = 1.5
"""Seconds before and after what is done, in which the daemons log what they are about."""
PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
BEGIN, END = "<!-- incidents -->\n", "<!-- end of incidents -->"
Results = dict[str, dict[str, list[str]]]
"""The codes that were found, by incident, of each generation."""


async def codes(incident: Incident, keep: Path) -> list[str]:
    """The roots that the logs name."""
    kept = keep / incident.name
    kept.mkdir(parents=True)
    async with incident.node() as node:
        await asyncio.sleep(SETTLE)
        for step in incident.steps:
            await step(node)
        await asyncio.sleep(SETTLE)
        for path in node.directory.rglob("*.log"):
            shutil.copy(path, kept)
    return explained(kept)


def explained(kept: Path) -> list[str]:
    """The roots that the logs in a directory name."""
    found = explain([str(kept)], io.BytesIO(), Zone(), lambda name, count: None)
    return sorted({outage.code for outage in found.outages})


def said(incident: Incident, found: list[str]) -> list[str]:
    """It, printed."""
    right = "ok" if found == incident.code.split() else "WRONG"
    print(f"{right:6} {incident.name:32} {', '.join(found) or 'nothing'}", flush=True)  # noqa: T201
    return found


async def made(incidents: Sequence[Incident], keep: Path, jobs: int) -> dict[str, list[str]]:
    """What was found of each incident, with as many nodes at once."""
    free = asyncio.Semaphore(jobs)
    results: dict[str, list[str]] = {}

    async def make(incident: Incident) -> None:
        async with free:
            try:
                found = await codes(incident, keep)
            except OvsnetError as error:
                found = [f"it could not be made: {error}"]
        results[incident.name] = said(incident, found)

    await asyncio.gather(*map(make, incidents))
    return results


def table(results: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """A row for each incident, a column for each generation."""
    rows = [f"| incident | root | {' | '.join(results)} |", f"|---|---|{'---|' * len(results)}"]
    for incident in INCIDENTS:
        right = incident.code.split()
        cells = [_cell(right, found.get(incident.name)) for found in results.values()]
        rows.append(f"| {incident.name} | {', '.join(right) or 'none'} | {' | '.join(cells)} |")
    named = [
        sum(_cell(each.code.split(), found.get(each.name)) == "named" for each in INCIDENTS)
        for found in results.values()
    ]
    rows.append(f"| of {len(INCIDENTS)} | | {' | '.join(map(str, named))} |")
    return "\n".join(rows) + "\n"


def _cell(right: Sequence[str], found: Sequence[str] | None) -> str:
    if found is None:
        return "not made"
    return "named" if list(found) == list(right) else f"**{', '.join(found) or 'nothing'}**"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explain.incidents", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=1, help="nodes at once, default 1")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep the logs there")
    parser.add_argument("--again", action="store_true", help="explain what --keep has; make nothing")
    parser.add_argument("--results", type=Path, metavar="FILE", help="add the results to this file")
    parser.add_argument("--page", action="store_true", help="write the table of docs/explain.md from --results")
    options = parser.parse_args(arguments)
    if options.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        text = table(_read(options.results))
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
        return 0
    chosen = [each for each in INCIDENTS if not options.names or each.name in options.names]
    if options.again:
        found = {each.name: said(each, explained(options.keep / each.name)) for each in chosen}
    else:
        with tempfile.TemporaryDirectory() as directory:
            found = asyncio.run(made(chosen, options.keep or Path(directory), options.jobs))
    if options.results:
        results = _read(options.results)
        results.setdefault(versions(), {}).update(found)
        options.results.write_bytes(msgspec.json.encode(results))
    return int(any(found[each.name] != each.code.split() for each in chosen))


def _read(file: Path) -> Results:
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
