"""How do hundreds and thousands of chassis come back, and which probe interval is too short for them?

``python -m bench.storms`` lets simulated chassis lose the southbound of sandbox nodes, keeps all that was measured in
``bench/results/storm-*.json``, and writes the section "Storm" of ``bench/README.md``. ``--help`` says how long it
takes on a machine that does nothing else. Three rounds show a range; a median is quoted of ten and more.
``python -m bench.storms servers`` does one part only; ``python -m bench.storms write`` measures nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from msgspec.structs import replace

from bench.page import README, spread
from bench.sections import main
from bench.suites import generation, with_suite
from ovsnet.bench.machine import busy_cores
from ovsnet.bench.report_storm import NEVER, comeback, sweep
from ovsnet.bench.result import ENGINE, Document, Run, in_turn
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
    seconds: float
    rounds: int = 3
    page: Path = README

    @property
    def mark(self) -> str:
        return f"storm-{self.key}"

    @property
    def stem(self) -> str:
        return self.mark

    async def measure(self, document: Document, announce: Announce, rounds: int) -> None:
        await in_rounds(STORM, self.planned, document, rounds=rounds, announce=announce, busy=busy_cores)

    def content(self, kept: Mapping[str, Document]) -> Sequence[str]:
        shown = [line for suite, document in kept.items() for line in _shown(self, suite, document)]
        return [*table(kept.values()), "", *shown]


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
        seconds=158,
    ),
    Part(
        "servers",
        "500 chassis on other servers",
        [_storm(500, "unix"), _storm(500, "ssl"), _storm(500, raft=True)],
        comeback,
        seconds=92,
    ),
    Part(
        "sweep",
        f"Probe intervals, and a server that is frozen for {FROZEN:g} s",
        [*_swept(500), *_swept(2000)],
        sweep,
        seconds=290,
    ),
)


def table(documents: Iterable[Document]) -> Iterator[str]:
    """In Markdown, a row for each storm, of all its rounds."""
    rows = [_row(rounds, generation(found.versions)) for found in documents for rounds in found.named().values()]
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" * len(rows[0]) + "|"
    yield from ("| " + " | ".join(row.values()) + " |" for row in rows)


def _row(rounds: Sequence[Run[StormMeasures]], versions: str) -> dict[str, str]:
    first, every = rounds[0], [run.measures for run in rounds]
    found = [figures(run) for run in rounds]
    servers = [who for who in first.cpu_seconds if who != ENGINE]
    false = [each.false_disconnects for each in every if each.false_disconnects is not None]
    unheard = spread([each.gave_up_unheard for each in every], 0)
    cpu = spread([sum(run.cpu_seconds[who] for who in servers) for run in rounds], 1)
    memory = spread([max(run.peak_bytes[who] for who in servers) >> 20 for run in rounds], 0)
    return {
        "storm": first.name,
        "generation": versions,
        "n": str(len(rounds)),
        "synced at the end": spread([run.done for run in rounds], 0),
        "false disconnects (never heard)": f"{spread(false, 0)} ({unheard})" if false else "-",
        "connects that timed out": spread([each.connect_timeouts for each in every], 0),
        "all joined": _moments([each.all_joined for each in found]),
        "all synced again": "-" if first.settings["fault"] == "none" else _moments([each.all_back for each in found]),
        "CPU: servers, engine": f"{cpu} s, {spread([run.cpu_seconds[ENGINE] for run in rounds], 1)} s",
        "memory: server, engine": f"{memory} MiB, {spread([run.peak_bytes[ENGINE] >> 20 for run in rounds], 0)} MiB",
        "engine late at most": f"{max(each.generator_lag.highest for each in every) / 1e6:.0f} ms",
    }


def _moments(found: Sequence[float | None]) -> str:
    """Seconds; what did not come within its time is counted apart."""
    known = [each for each in found if each is not None]
    missing = len(found) - len(known)
    never = NEVER if missing == len(found) else f"{NEVER} in {missing} of {len(found)}"
    return ", ".join([*([f"{spread(known, 1)} s"] if known else []), *([never] if missing else [])])


def _shown(part: Part, suite: str, document: Document) -> Iterator[str]:
    """What follows of all rounds together, and their plot."""
    runs = [in_turn(rounds) for rounds in document.named().values()]
    if part.draw is sweep:
        yield from (f"**{verdict(group)}**\n" for group in sweeps(runs))
    figure = Figure(figsize=(10, 5), layout="constrained")
    part.draw(figure.subplots(), runs)
    name = f"{with_suite(part.stem, suite)}.png"
    figure.savefig(HERE / name, dpi=80, metadata={"Software": None})
    yield f"![{part.title}, {suite}]({name})"
    yield ""


if __name__ == "__main__":
    main("bench.storms", PARTS, sys.argv[1:])  # what was not as wanted is part of the page
