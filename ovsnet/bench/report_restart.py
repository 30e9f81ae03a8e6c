"""The timeline of restarts, as a plot and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from statistics import median

from matplotlib.axes import Axes

from ovsnet.bench.cells import ENOUGH
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.report_latency import section
from ovsnet.bench.result import Run

MARKS = {
    "socket": "|",
    "database": "<",
    "switch": ">",
    "openflow": "o",
    "controller": "s",
    "flows": "^",
    "all_flows": "D",
    "ready": "*",
    "synced": "x",
}
"""Each fact's mark; ``short_of_flows`` is a bar."""


def plots(runs: Sequence[Run[RestartMeasures]]) -> Iterator[str]:
    """The section of all restarts that have a sample."""
    if restarts := [run for run in runs if any(run.measures.samples())]:
        height = 1.5 + 0.5 * len(restarts)
        title = "What was back when, after the start"
        yield section(title, lambda axes: timeline(axes, restarts), width=11.0, height=height)
        yield samples(restarts)


def timeline(axes: Axes, runs: Sequence[Run[RestartMeasures]]) -> None:
    """A line for each run, the first on top: when each fact came back, in seconds from the start."""
    colors = {what: f"C{number}" for number, what in enumerate(MARKS)}
    for row, run in enumerate(runs):
        known = dict(run.measures.samples())
        if short := known.get("short_of_flows"):
            axes.barh(
                row,
                median(short) if len(short) >= ENOUGH else max(short),
                height=0.7,
                color="C3",
                alpha=0.2,
                label="short of flows" * (not row),
            )
        for what, mark in MARKS.items():
            if values := known.get(what):
                axes.plot([min(values), max(values)], [row, row], color=colors[what], linewidth=1)
                for value in values if len(values) < ENOUGH else [median(values)]:
                    axes.plot(value, row, mark, color=colors[what], markersize=8)
    for what, mark in MARKS.items():
        if any(getattr(run.measures, what) for run in runs):
            axes.plot([], [], mark, color=colors[what], label=RestartMeasures.title(what))
    axes.set_yticks(range(len(runs)), [run.name for run in runs])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(
        "seconds from the start of the daemon, from the fastest to the slowest round; of ten and more, the median"
    )
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))


def samples(runs: Sequence[Run[RestartMeasures]]) -> str:
    """All samples as an HTML table."""
    rows = [
        f"<tr><th>{escape(run.name)}<td>{escape(run.measures.title(what))}<td>{len(values)}"
        + f"<td>{min(values):.3f}<td>{f'{median(values):.3f}' if len(values) >= ENOUGH else '-'}<td>{max(values):.3f}"
        for run in runs
        for what, values in run.measures.samples()
    ]
    titles = "".join(f"<th>{title}" for title in ("", "seconds", "rounds", "fastest", "median", "slowest"))
    return f"<div class=wide><table><tr>{titles}{''.join(rows)}</table></div>"
