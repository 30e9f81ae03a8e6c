"""The tables that ``ovsnet bench`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ovsnet.bench.compare import Difference
from ovsnet.bench.result import Document, in_turn
from ovsnet.bench.workload import find


def table(document: Document) -> str:
    """One block for each kind of run; the rounds of a run are one line."""
    lines: list[str] = []
    remarks: list[str] = []
    rows = [in_turn(rounds) for rounds in document.named().values()]
    for kind in dict.fromkeys(row.kind for row in rows):
        workload = find(kind)
        lines += [*_aligned([workload.columns(row) for row in rows if row.kind == kind]), ""]
        remarks += workload.remarks([run for run in document.runs if run.kind == kind])
    lines += remarks
    lines += [str(machine) for machine in document.machines]
    return "\n".join([*lines, *(f"{name}: {number}" for name, number in document.versions.items())])


def change_lines(changes: Sequence[Difference]) -> Iterator[str]:
    """One line for each figure; those that certainly changed have a mark."""
    rows = [
        {
            "": "*" if change.certain else "",
            "run": change.run,
            "figure": change.figure,
            "before": f"{change.before:.4g} {change.unit}",
            "after": f"{change.after:.4g} {change.unit}",
            "ratio": "-" if change.ratio is None else f"{change.ratio:.2f}",
            "95 % of chance": _bounds(change),
        }
        for change in changes
    ]
    yield from _aligned(rows)
    yield "* changed by more than chance, with all figures taken together"
    if any(change.chance is None for change in changes):
        yield "A single process does not show how much processes differ by chance. Use --processes 5."


def _bounds(change: Difference) -> str:
    if change.low is None:
        return "-" if change.chance is not None else "one process only"
    return f"{change.low:.2f} to {change.high:.2f}"


def _aligned(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines: Iterable[Sequence[str]] = [names, *([row.get(name, "") for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
