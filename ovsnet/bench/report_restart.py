"""The timeline of restarts, as a plot and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median

from matplotlib.axes import Axes

from ovsnet.bench.result import Run

MARKS = {
    "socket": "|",
    "database": "<",
    "switch": ">",
    "openflow": "o",
    "controller": "s",
    "flows": "^",
    "all flows": "D",
    "ready": "*",
    "synced": "x",
}
"""Each fact's mark; ``short of flows`` and ``all back`` are bars."""


def timeline(axes: Axes, runs: Sequence[Run]) -> None:
    """A line for each run, the first on top: the median moment of each fact, in seconds from the start."""
    colors = {what: f"C{number}" for number, what in enumerate(MARKS)}
    for row, run in enumerate(runs):
        known = {what: values for what, values in run.samples.items() if values}
        if short := known.get("short of flows"):
            axes.barh(row, median(short), height=0.7, color="C3", alpha=0.2, label="short of flows" * (not row))
        for what, mark in MARKS.items():
            if values := known.get(what):
                axes.plot([min(values), max(values)], [row, row], color=colors[what], linewidth=1)
                axes.plot(median(values), row, mark, color=colors[what], markersize=8)
    for what, mark in MARKS.items():
        if any(run.samples.get(what) for run in runs):
            axes.plot([], [], mark, color=colors[what], label=what)
    axes.set_yticks(range(len(runs)), [run.name for run in runs])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds from the start of the daemon: median, and from the fastest to the slowest round")
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))


def samples(runs: Sequence[Run]) -> str:
    """All samples as an HTML table."""
    rows = [
        f"<tr><th>{escape(run.name)}<td>{escape(what)}<td>{len(values)}"
        + "".join(f"<td>{value:.3f}" for value in (min(values), median(values), max(values)))
        for run in runs
        for what, values in run.samples.items()
        if values
    ]
    titles = "".join(f"<th>{title}" for title in ("", "seconds", "rounds", "fastest", "median", "slowest"))
    return f"<table><tr>{titles}{''.join(rows)}</table>"
