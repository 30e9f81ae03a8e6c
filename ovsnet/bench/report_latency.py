"""Latencies as a plot, and what all plots of a report share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ovsnet.bench.result import Run


def section(title: str, draw: Callable[[Axes], None], *, width: float = 10.0, height: float = 5.0) -> str:
    """A heading and a plot, as HTML."""
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots())
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    svg = drawn.getvalue().partition("<!DOCTYPE")[2].partition(">")[2]  # an SVG inside HTML has no prologue
    return f"<h2>{title}</h2><div class=plot>{svg}</div>"


def latency(title: str, field: str, runs: Sequence[Run[Any]], *, of_each: bool = False) -> Iterator[str]:
    """The section of one latency, from the runs that have a value of it: a run may be cut short before any.

    ``of_each`` operation: those that were lost count as slower than all others, so that nobody looks fast by losing
    clients.
    """
    if chosen := [run for run in runs if getattr(run.measures, field).counts]:
        yield section(title, lambda axes: percentiles(axes, chosen, field, of_each=of_each))


def percentiles(axes: Axes, runs: Sequence[Run[Any]], field: str, *, of_each: bool = False) -> None:
    """Percentiles on an axis that widens towards the tail, where the trouble is; the slowest of n is at n/(n + 1)."""
    for run in runs:
        ranks = getattr(run.measures, field).ranks()
        lost = run.measures.lost if of_each else 0
        most = ranks.count + lost + 1
        curve = [(most / (most - share * ranks.count), max(value, 1.0) / 1e6) for value, share in ranks.curve()]
        label = f"{run.name}, {lost} lost" if lost else run.name
        axes.step([1.0, *(x for x, _ in curve)], [curve[0][1], *(y for _, y in curve)], where="pre", label=label)
    ticks = (0.5, 0.9, 0.99, 0.999, 0.9999)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([1 / (1 - share) for share in ticks], [f"{share * 100:g} %" for share in ticks])
    axes.set_xlabel("share of requests that were at least as fast")
    axes.set_ylabel("ms")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
