"""How do hundreds and thousands of chassis come back, and which probe interval is too short for them?

``python -m bench.storms`` lets simulated chassis lose the southbound of sandbox nodes, keeps all that was measured in
``bench/results/storm-*.json``, and writes the section "Storm" of ``bench/README.md`` anew. It takes nine minutes on a
machine that does nothing else.
``python -m bench.storms servers`` does one part only; ``python -m bench.storms write`` measures nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.page import README, platform, replaced
from ovsnet.bench.machine import this_machine
from ovsnet.bench.report_storm import comeback, seconds, sweep
from ovsnet.bench.result import ENGINE, Document, Run, read
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.storm import Scheme, Storm, storms
from ovsnet.bench.storm.sweep import figures, sweeps, verdict

HERE = Path(__file__).parent

WRITE = "write"
SWEEP = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
FROZEN = 6.0
"""Seconds for which the server of a sweep is frozen: some intervals are shorter, some are longer."""

Draw = Callable[[Axes, Sequence[Run]], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One table with its plot."""

    key: str
    title: str
    planned: Sequence[Storm]
    draw: Draw

    @property
    def results(self) -> Path:
        """The file with all that was measured."""
        return HERE / "results" / f"storm-{self.key}.json"


def _storm(chassis: int, scheme: Scheme = "tcp", **shape: object) -> Storm:
    plain = Storm(chassis, 5.0, scheme=scheme, ports=10, over=chassis / 200, hold=2.0, patience=40.0)
    return replace(plain, **shape)  # type: ignore[arg-type]


def _swept(chassis: int) -> list[Storm]:
    frozen = _storm(chassis, blow="freeze", blow_seconds=FROZEN, patience=15.0)
    return [replace(frozen, probe_interval=interval) for interval in SWEEP]


PARTS = (
    Part(
        "number",
        "100 to 5000 chassis on one server that is killed for 2 s",
        [_storm(100), _storm(500), _storm(2000), _storm(5000, "unix", blow="none", over=40.0, patience=12.0)],
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


async def measure(part: Part, document: Document) -> None:
    """One part; what takes long is said on stderr."""
    began = time.monotonic()

    def tell(title: str, total: int) -> None:
        print(f"{part.key}: {time.monotonic() - began:4.0f} s  {title}", file=sys.stderr, flush=True)

    await storms(document, tell, planned=part.planned, rounds=1, shard=Shard())


def write() -> None:
    """The tables and plots of all that was measured, between their marks in the README."""
    text = README.read_text()
    for part in PARTS:
        if part.results.exists():
            document = read(part.results)
            lines = [*table(document.runs), "", *_verdicts(part, document.runs), _plot(part, document.runs), ""]
            text = replaced(text, f"storm-{part.key}", "\n".join([*lines, *platform(document)]))
    README.write_text(text)


def table(runs: Sequence[Run]) -> Iterator[str]:
    """In Markdown, a row for each storm."""
    rows = [_row(run) for run in runs]
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" * len(rows[0]) + "|"
    yield from ("| " + " | ".join(row.values()) + " |" for row in rows)


def _row(run: Run) -> dict[str, str]:
    found = figures(run)
    servers = [who for who in run.cpu_seconds if who != ENGINE]
    cpu, memory = sum(run.cpu_seconds[who] for who in servers), max(run.peak_bytes[who] for who in servers)
    false = run.counts.get("false disconnects")
    return {
        "storm": run.name,
        "synced at the end": str(run.done),
        "false disconnects (never heard)": "-"
        if false is None
        else f"{false} ({run.counts.get('gave up unheard', 0)})",
        "connects that timed out": str(run.counts.get("connect timeouts", 0)),
        "all joined": _with_unit(seconds(found.all_joined)),
        "all synced again": "-" if run.settings["fault"] == "none" else _with_unit(seconds(found.all_back)),
        "CPU: servers, engine": f"{cpu:.1f} s, {run.cpu_seconds[ENGINE]:.1f} s",
        "memory: server, engine": f"{memory >> 20} MiB, {run.peak_bytes[ENGINE] >> 20} MiB",
        "engine late at most": f"{run.latency('generator lag').highest / 1e6:.0f} ms",
    }


def _with_unit(text: str) -> str:
    return f"{text} s" if text[0].isdigit() else text


def _verdicts(part: Part, runs: Sequence[Run]) -> Iterator[str]:
    if part.draw is sweep:
        yield from (f"**{verdict(place, group)}**\n" for place, group in sweeps(runs).items())


def _plot(part: Part, runs: Sequence[Run]) -> str:
    figure = Figure(figsize=(10, 5), layout="constrained")
    part.draw(figure.subplots(), runs)
    figure.savefig(HERE / f"storm-{part.key}.png", dpi=80, metadata={"Software": None})
    return f"![{part.title}](storm-{part.key}.png)"


def main(words: Sequence[str]) -> None:
    """Measure the parts that are named, or all, and write the page. What was not as wanted stands there."""
    logging.getLogger("ovsnet").disabled = True
    known = {part.key: part for part in PARTS}
    if unknown := set(words) - set(known) - {WRITE}:
        raise SystemExit(f"There is no part {', '.join(unknown)}; there are {', '.join(known)}, and {WRITE}.")
    for key in [] if WRITE in words else words or known:
        document = Document(
            command=f"python -m bench.storms {key}",
            began=datetime.now(UTC).isoformat(timespec="seconds"),
            machines=[this_machine()],
        )
        asyncio.run(measure(known[key], document))
        known[key].results.write_bytes(msgspec.json.encode(document) + b"\n")
    write()


if __name__ == "__main__":
    main(sys.argv[1:])
