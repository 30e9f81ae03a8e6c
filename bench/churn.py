"""What do northd and real ovn-controllers make of changes of the network?

``python -m bench.churn`` adds ports to networks of several real chassis, keeps all that was measured in
``bench/results/churn*.json``, and writes the section of ``docs/bench.md``. ``--help`` says how long it takes on a
machine that does nothing else: all chassis and their daemons share its cores.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.page import spread
from bench.sections import main
from bench.suites import generation
from ovsnet.bench.cells import ENOUGH
from ovsnet.bench.churn import Churn, ChurnMeasures
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.machine import busy_cores
from ovsnet.bench.result import Document, Run, in_turn
from ovsnet.bench.rounds import Announce, in_rounds
from ovsnet.bench.workloads.churn import WORKLOAD as CHURN

DAEMONS = ("ovn-northd", "ovn-sb", "ovn-controller", "ovs-vswitchd")
"""Those whose cost follows the changes; of all chassis together."""

ENGINES = ("ovn-northd", "ovn-controller")


@dataclass(frozen=True, slots=True)
class Section:
    """The table of all networks."""

    planned: Sequence[Churn]
    seconds: float
    key: str = "churn"
    mark: str = "churn"
    stem: str = "churn"
    rounds: int = ENOUGH
    page: Path = Path(__file__).parents[1] / "docs" / "bench.md"

    async def measure(self, document: Document, announce: Announce, rounds: int) -> None:
        await in_rounds(CHURN, self.planned, document, rounds=rounds, announce=announce, busy=busy_cores)

    def content(self, kept: Mapping[str, Document]) -> Sequence[str]:
        return [*table(kept), ""]


SECTIONS = (Section([Churn(chassis, 100, 50, 1, 30.0) for chassis in (3, 10, 20)], seconds=120),)


def table(kept: Mapping[str, Document]) -> Iterator[str]:
    """In Markdown, a row for each network, of all its rounds."""
    rows = [
        _row(rounds, generation(document.versions))
        for document in kept.values()
        for rounds in document.named().values()
    ]
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" * len(rows[0]) + "|"
    yield from ("| " + " | ".join(row.values()) + " |" for row in rows)


def _row(rounds: Sequence[Run[ChurnMeasures]], versions: str) -> dict[str, str]:
    whole = in_turn(rounds)
    changes = max(whole.done, 1)
    return {
        "network": whole.name,
        "generation": versions,
        "n: rounds, changes": f"{len(rounds)}, {whole.done}",
        "lost": str(whole.measures.lost),
        "until `ovn-installed`: median, p99": _quantiles(whole.measures.installed),
        "until all chassis have it": _quantiles(whole.measures.everywhere),
        "recomputes a change: northd, controllers": _of_each(
            {who: count / changes for who, count in whole.measures.recomputes.items()}, ENGINES, "{:.2f}"
        ),
        "CPU a change: northd, southbound, controllers, switches": _of_each(
            {who: used / changes * 1e3 for who, used in whole.cpu_seconds.items()}, DAEMONS, "{:.1f} ms"
        ),
        "memory of each": ", ".join(
            f"{spread([run.peak_bytes[who] / (1 << 20) for run in rounds], 0)} MiB" if who in whole.peak_bytes else "-"
            for who in DAEMONS
        ),
    }


def _quantiles(found: Histogram) -> str:
    """The middle of the changes of all rounds, and the slowest of a hundred; a dash for none."""
    if not found.counts:
        return "-"
    return ", ".join(f"{found.percentile(share) / 1e6:.0f} ms" for share in (0.5, 0.99))


def _of_each(found: Mapping[str, float], names: Sequence[str], form: str) -> str:
    return ", ".join(form.format(found[name]) if name in found else "-" for name in names)


if __name__ == "__main__":
    sys.exit(1 if main("bench.churn", SECTIONS, sys.argv[1:]) else 0)
