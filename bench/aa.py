"""Does ``ovsnet bench compare`` mark figures of a thing that is compared with itself?

``python -m bench.aa`` does short runs of each workload twice, one right after the other, compares the two, and counts
the figures that are marked: at most 5 % may be. Twenty times; each run is a command of its own, with sandboxes of its
own. All comparisons are kept in ``bench/results/aa*.json``. ``--help`` says how long it takes.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from bench.processes import OVSNET
from bench.runner import versions
from bench.suites import INSTALLED, RESULTS, SUITES, generation, on_suite, with_suite
from ovsnet.bench.compare import Difference, compare
from ovsnet.bench.files import decode
from ovsnet.bench.machine import Machine, this_machine
from ovsnet.bench.result import Document
from ovsnet.errors import OvsnetError, UnfitEnvironment

TIMES = 20
ALLOWED = 0.05
"""The share of figures that may be marked, as the confidence of a comparison is 95 %."""

LONGEST = 300.0
"""Seconds for one command."""

WORKLOADS: dict[str, tuple[str, ...]] = {
    "race": ("race", "openflow", "--clients", "64", "--processes", "3", "--rounds", "2"),
    "echo": ("echo", "openflow", "--processes", "3", "--rounds", "2", "--count", "5000"),
    "restart": ("restart", "--variant", "plain", "--rounds", "5"),
    "churn": ("churn", "--chassis", "3", "--changes", "10", "--ports", "5", "--rounds", "3"),
}
SECONDS = {"race": 10, "echo": 10, "restart": 20, "churn": 30}
"""What one command takes on two cores, about."""


class Comparison(msgspec.Struct):
    """One workload, compared with itself once. ``doubts`` are those of both runs."""

    workload: str
    changes: list[Difference]
    doubts: list[str] = []

    @property
    def figures(self) -> int:
        """Those of which a comparison can be certain."""
        return sum(change.chance is not None for change in self.changes)

    @property
    def marked(self) -> list[Difference]:
        """Those that are said to differ."""
        return [change for change in self.changes if change.certain]


class Outcome(msgspec.Struct):
    """All comparisons, and what is needed to judge them."""

    began: str
    machine: Machine
    versions: dict[str, str]
    comparisons: list[Comparison] = []

    @property
    def share(self) -> float:
        """Of all figures, those that are marked."""
        return sum(len(each.marked) for each in self.comparisons) / max(
            sum(each.figures for each in self.comparisons), 1
        )


def measured(name: str) -> Document:
    """One run of a workload. On a busy machine too, which the document then says. Raises UnfitEnvironment."""
    command = [OVSNET, "bench", *WORKLOADS[name], "--any-load", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
    if done.returncode not in (0, 1) or not done.stdout:
        raise UnfitEnvironment(f"{' '.join(command)} failed: {done.stderr.strip()[-400:]}")
    return decode(done.stdout.encode())


def compared(name: str, number: int) -> Comparison:
    """A workload with itself."""
    before, after = measured(name), measured(name)
    return Comparison(name, compare(before, after, random.Random(number)), [*before.problems, *after.problems])


def lines(outcome: Outcome) -> Iterator[str]:
    """For a person: by workload, how many figures were compared and how many are marked."""
    yield f"{generation(outcome.versions)}, {outcome.machine}"
    for name in dict.fromkeys(each.workload for each in outcome.comparisons):
        found = [each for each in outcome.comparisons if each.workload == name]
        marked = [change for each in found for change in each.marked]
        yield f"{name:8} {len(found)} comparisons, {sum(each.figures for each in found)} figures, {len(marked)} marked"
        for change in marked:
            yield f"         {change.run}: {change.figure} {change.before:.4g} -> {change.after:.4g} {change.unit}"
    doubtful = sum(bool(each.doubts) for each in outcome.comparisons)
    if doubtful:
        yield f"{doubtful} of {len(outcome.comparisons)} comparisons have a run that was not as wanted."
    yield f"{outcome.share:.1%} of all figures are marked; {ALLOWED:.0%} may be."


def main(words: Sequence[str]) -> int:
    """1 when more figures are marked than may be."""
    minutes = TIMES * 2 * sum(SECONDS.values()) / 60
    parser = argparse.ArgumentParser(
        prog="python -m bench.aa",
        description="Compare short runs with themselves, and count the figures that are marked as different.",
        epilog=f"{TIMES} times all of them take {minutes:.0f} minutes for a suite, on two cores that do nothing else.",
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all of them")
    parser.add_argument("--times", type=int, default=TIMES, help="comparisons of each workload")
    parser.add_argument("--suite", action="append", choices=SUITES, help="Open vSwitch and OVN; repeat for several")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.workloads) - WORKLOADS.keys():
        parser.error(f"there is no workload {', '.join(unknown)}")
    try:
        outcomes = [
            on(suite, chosen.workloads or list(WORKLOADS), chosen.times) for suite in chosen.suite or [INSTALLED]
        ]
    except OvsnetError as error:
        sys.exit(f"{error} {error.remedy}".rstrip())
    return 1 if any(outcome.share > ALLOWED for outcome in outcomes) else 0


def on(suite: str, names: Sequence[str], times: int) -> Outcome:
    """All comparisons on one suite, kept and shown."""
    with on_suite(suite):
        outcome = Outcome(datetime.now(UTC).isoformat(timespec="seconds"), this_machine(), versions())
        for number in range(times):
            for name in names:
                print(f"{suite}: {name}, {number + 1} of {times}", file=sys.stderr, flush=True)
                outcome.comparisons.append(compared(name, number))
    path = RESULTS / f"{with_suite('aa', suite)}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=1) + b"\n")
    print("\n".join(lines(outcome)))
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
