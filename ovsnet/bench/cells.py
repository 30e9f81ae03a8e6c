"""Cells that the tables of several workloads share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from ovsnet.bench.histogram import Histogram
from ovsnet.bench.result import ENGINE, Run

ENOUGH = 10
"""Rounds below which a median says less than the fastest and the slowest do."""

SHARES = (0.5, 0.99, 0.999, 0.9999)


def seconds(values: Sequence[float]) -> str:
    """The median and the slowest; the fastest and the slowest of few."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    if len(values) < ENOUGH:
        return f"{min(values):.2f} to {max(values):.2f}"
    return f"{median(values):.2f} ({max(values):.2f})"


def milliseconds(histogram: Histogram, share: float) -> str:
    """One percentile; a dash when there is none."""
    return f"{histogram.percentile(share) / 1e6:.2f}" if histogram.counts else "-"


def percentiles(histogram: Histogram) -> dict[str, str]:
    """The usual ones."""
    return {f"p{share * 100:g} ms": milliseconds(histogram, share) for share in SHARES}


def cpu_of_each(run: Run[Any]) -> dict[str, str]:
    """CPU time for each operation, our own first."""
    names = [ENGINE, *(who for who in run.cpu_seconds if who != ENGINE)]
    return {f"{who} us": f"{used:.1f}" for who in names if (used := run.cpu_us(who)) is not None}
