"""``python -m tests.matrix``: every fault of the catalogue against every observer, on three generations of OVS and OVN.

Exit code 0 when all that was said was right.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from ovsnet.sandbox.suite import programs
from ovsnet.sandbox.supervisor import die_with_parent
from tests.faults.catalogue import FAULTS
from tests.generations import versions
from tests.matrix.expected import pairs
from tests.matrix.page import compared, page, summary, told
from tests.matrix.row import Generation, retaken
from tests.matrix.run import Task, run

SUITES = ("installed", "trixie", "sid")
PAGE = Path(__file__).parents[2] / "docs" / "matrix.md"
README = Path(__file__).parents[2] / "README.md"
RECORD = Path(__file__).parents[2] / ".matrix.json"
"""All that was said in the last whole run."""

HOST_OF_ITS_OWN = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
"""Each node is alone on its host, as far as anybody can see."""

LAST = "last"
"""The part of the rows for which nothing else may run."""


def main() -> int:
    options = _parser().parse_args()
    logging.getLogger("ovsnet").addHandler(logging.NullHandler())
    if options.record:
        options.record.write_bytes(msgspec.json.encode(_generation(options)))
        return 0
    began = time.monotonic()
    generations = [_run_on(suite, options) for suite in (options.suite or SUITES)]
    rows = [row for generation in generations for row in generation.rows]
    if options.only and RECORD.exists():
        generations = retaken(msgspec.json.decode(RECORD.read_bytes(), type=list[Generation]), generations)
    if len(generations) == len(SUITES) and (RECORD.exists() or not options.only):
        RECORD.write_bytes(msgspec.json.encode(generations))
        PAGE.write_text(page(generations, options.seed), encoding="utf-8")
        README.write_text(compared(README.read_text(encoding="utf-8"), generations[0].rows), encoding="utf-8")
    _say(f"\n{summary(rows)}\nin {time.monotonic() - began:.0f} s, seed {options.seed}")
    return 0 if all(row.right for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="GLOB", help="rows by this name alone; the page of the last whole run takes them"
    )
    parser.add_argument("--seed", type=int, default=1, help="what the choice of pairs follows from, default 1")
    parser.add_argument("--pairs", type=int, default=60, help="how many, default 60")
    parser.add_argument("--suite", action="append", choices=SUITES, help="repeatable; default: all three")
    parser.add_argument("--jobs", type=int, default=7, help="nodes at once, default 7")
    parser.add_argument("--part", default="", help=argparse.SUPPRESS)
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    return parser


def _run_on(suite: str, options: argparse.Namespace) -> Generation:
    """Processes of their own, for PATH says which programs of OVS and OVN are run."""
    environment = dict(os.environ)
    if suite != "installed":
        environment["PATH"] = f"{programs(suite)}{os.pathsep}{environment.get('PATH', os.defpath)}"
    before = [*die_with_parent(), *(HOST_OF_ITS_OWN if os.geteuid() == 0 else ())]
    with tempfile.TemporaryDirectory() as directory:

        def start(part: str) -> subprocess.Popen[bytes]:
            words = [*before, sys.executable, "-m", "tests.matrix", *sys.argv[1:], f"--suite={suite}"]
            return subprocess.Popen([*words, f"--part={part}", f"--record={directory}/{part}"], env=environment)

        for parts in ([str(number) for number in range(options.jobs)], [LAST]):
            ended = [process.wait() for process in [start(part) for part in parts]]
            if any(ended):
                raise SystemExit(f"A part of the rows ended with exit code {max(ended)}.")
        found = [msgspec.json.decode(path.read_bytes(), type=Generation) for path in Path(directory).iterdir()]
    rows = {(row.name, row.kind): row for generation in found for row in generation.rows}
    order = [task.empty() for task in _tasks(options.only, options.pairs, options.seed)]
    return Generation(suite=suite, versions=found[0].versions, rows=[rows[each.name, each.kind] for each in order])


def _generation(options: argparse.Namespace) -> Generation:
    suite = options.suite[-1]
    tasks = _tasks(options.only, options.pairs, options.seed)
    ordinary = [task for task in tasks if not task.alone]
    last = [task for task in tasks if task.alone]
    chosen = last if options.part == LAST else ordinary[int(options.part) :: options.jobs]
    rows = asyncio.run(run(chosen, lambda row: _say(told(row, suite))))
    return Generation(suite=suite, versions=versions(), rows=rows)


def _tasks(only: str, count: int, seed: int) -> list[Task]:
    singles = list(FAULTS.values())
    tasks = [Task([fault]) for fault in singles]
    tasks += [Task([fault], long=True) for fault in singles if fault.long]
    tasks += [Task(pair) for pair in pairs(singles, count, seed)]
    return [task for task in tasks if not only or fnmatch.fnmatch(task.empty().name, only)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
