"""A row of the table: what was measured in each round, what was wanted, and whether it was met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isinf
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on our own figure, or on its ratio to the peer's."""

    of: Literal["ours", "ratio"]
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        """True on the bound itself."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        bounds = [f"≥ {self.at_least:.3g}"] if self.at_least is not None else []
        bounds += [f"≤ {self.at_most:.3g}"] if self.at_most is not None else []
        return " and ".join(bounds) + (" x" if self.of == "ratio" else "")


@dataclass(frozen=True, slots=True)
class Row:
    """``ours`` and ``peers`` hold one figure a round, in ``unit``. A row without a target is there to be read."""

    question: str
    unit: str
    ours: Sequence[float]
    peers: Sequence[float] = ()
    peer: str = ""
    target: Target | None = None

    @property
    def our_median(self) -> float:
        """The middle of our rounds."""
        return median(self.ours)

    @property
    def peer_median(self) -> float | None:
        """The middle of the peer's rounds, or None without a peer."""
        return median(self.peers) if self.peers else None

    @property
    def ratio(self) -> float | None:
        """The middle of ours / theirs, each pair from one round; None without a peer."""
        if not self.peers:
            return None
        return median(our / their for our, their in zip(self.ours, self.peers, strict=True))

    @property
    def passed(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.target is None:
            return None
        value = self.our_median if self.target.of == "ours" else self.ratio
        assert value is not None
        return self.target.met(value)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed (nearest rank)."""
    ranked = sorted(values)
    rank = -int(-share * len(ranked) // 1)
    return ranked[min(max(rank, 1), len(ranked)) - 1]


HEADINGS = ("question", "unit", "target", "ours", "peer", "ratio", "verdict")


def table(rows: Sequence[Row]) -> str:
    """All rows as aligned text, which is also a Markdown table."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    peer = "" if row.peer_median is None else f"{figure(row.peer_median)} ({row.peer})"
    ratio = f"{_times(row.ratio)} x" if row.ratio is not None and isfinite(row.peer_median or 0) else ""
    verdict = {True: "pass", False: "SHORT", None: ""}[row.passed]
    return row.question, row.unit, str(row.target or ""), figure(row.our_median), peer, ratio, verdict


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.01 else f"{ratio:.1g}"


def figure(value: float) -> str:
    """Three significant digits, without an exponent; what is infinitely late is never."""
    if isinf(value):
        return "never"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"
