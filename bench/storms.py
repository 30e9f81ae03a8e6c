"""How do hundreds and thousands of chassis come back, and which probe interval is too short for them?

``python -m bench.storms`` lets simulated chassis lose the southbound of sandbox nodes, keeps all that was measured in
``bench/results/storm-*.json``, and writes the section "Storm" of ``bench/README.md``. It takes nine minutes on a
machine that does nothing else.
``python -m bench.storms servers`` does one part only; ``python -m bench.storms write`` measures nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from msgspec.structs import replace

from bench.sections import main
from ovsnet.bench.report_storm import comeback, seconds, sweep
from ovsnet.bench.result import ENGINE, Document, Run
from ovsnet.bench.rounds import Announce, in_rounds
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.storm import Scheme, Storm
from ovsnet.bench.storm.sweep import figures, sweeps, verdict
from ovsnet.bench.workloads.storm import WORKLOAD as STORM

HERE = Path(__file__).parent

SWEEP = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
FROZEN = 6.0
"""Seconds for which the server of a sweep is frozen: some intervals are shorter, some are longer."""

Draw = Callable[[Axes, Sequence[Run[StormMeasures]]], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One table with its plot."""

    key: str
    title: str
    planned: Sequence[Storm]
    draw: Draw

    @property
    def mark(self) -> str:
        return f"storm-{self.key}"

    @property
    def results(self) -> Path:
        return HERE / "results" / f"{self.mark}.json"

    async def measure(self, document: Document, announce: Announce) -> None:
        await in_rounds(STORM, self.planned, document, rounds=1, announce=announce)

    def content(self, document: Document) -> Sequence[str]:
        runs = document.runs
        return [*table(runs), "", *_verdicts(self, runs), _plot(self, runs), ""]


def _storm(chassis: int, scheme: Scheme = "tcp", **shape: object) -> Storm:
    plain = Storm(chassis, 5.0, scheme=scheme, ports=10, ramp_seconds=chassis / 200, hold=2.0, sync_timeout=40.0)
    return replace(plain, **shape)


def _swept(chassis: int) -> list[Storm]:
    frozen = _storm(chassis, fault="freeze", fault_seconds=FROZEN, sync_timeout=15.0)
    return [replace(frozen, probe_interval=interval) for interval in SWEEP]


PARTS = (
    Part(
        "number",
        "100 to 5000 chassis on one server that is killed for 2 s",
        [
            _storm(100),
            _storm(500),
            _storm(2000),
            _storm(5000, "unix", fault="none", ramp_seconds=40.0, sync_timeout=12.0),
        ],
        comeback,
    ),
    Part(
        "servers",
        "500 chassis on other servers",
        [_storm(500, "unix"), _storm(500, "ssl"), _storm(500, raft=True)],
        comeback,
    ),
    Part(
        "sweep", f"Probe intervals, and a server that is frozen for {FROZEN:g} s", [*_swept(500), *_swept(2000)], sweep
    ),
)


def table(runs: Sequence[Run[StormMeasures]]) -> Iterator[str]:
    """In Markdown, a row for each storm."""
    rows = [_row(run) for run in runs]
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" * len(rows[0]) + "|"
    yield from ("| " + " | ".join(row.values()) + " |" for row in rows)


def _row(run: Run[StormMeasures]) -> dict[str, str]:
    found = figures(run)
    servers = [who for who in run.cpu_seconds if who != ENGINE]
    cpu, memory = sum(run.cpu_seconds[who] for who in servers), max(run.peak_bytes[who] for who in servers)
    false = run.measures.false_disconnects
    return {
        "storm": run.name,
        "synced at the end": str(run.done),
        "false disconnects (never heard)": "-" if false is None else f"{false} ({run.measures.gave_up_unheard})",
        "connects that timed out": str(run.measures.connect_timeouts),
        "all joined": _with_unit(seconds(found.all_joined)),
        "all synced again": "-" if run.settings["fault"] == "none" else _with_unit(seconds(found.all_back)),
        "CPU: servers, engine": f"{cpu:.1f} s, {run.cpu_seconds[ENGINE]:.1f} s",
        "memory: server, engine": f"{memory >> 20} MiB, {run.peak_bytes[ENGINE] >> 20} MiB",
        "engine late at most": f"{run.measures.generator_lag.highest / 1e6:.0f} ms",
    }


def _with_unit(text: str) -> str:
    return f"{text} s" if text[0].isdigit() else text


def _verdicts(part: Part, runs: Sequence[Run[StormMeasures]]) -> Iterator[str]:
    if part.draw is sweep:
        yield from (f"**{verdict(group)}**\n" for group in sweeps(runs))


def _plot(part: Part, runs: Sequence[Run[StormMeasures]]) -> str:
    figure = Figure(figsize=(10, 5), layout="constrained")
    part.draw(figure.subplots(), runs)
    figure.savefig(HERE / f"storm-{part.key}.png", dpi=80, metadata={"Software": None})
    return f"![{part.title}](storm-{part.key}.png)"


if __name__ == "__main__":
    main("bench.storms", PARTS, sys.argv[1:])  # what was not as wanted is part of the page
