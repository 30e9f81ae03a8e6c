"""A page for an incident review: what was measured, as plots and as a table, in one file without references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from ovsnet.bench.result import Document, Run, in_turn
from ovsnet.bench.workload import find

_STYLE = (
    "body{font:15px sans-serif;margin:2em auto;max-width:70em}td,th{padding:.2em .8em;text-align:right}svg{width:100%}"
)


def page(document: Document) -> bytes:
    """The document as HTML."""
    runs = [in_turn(rounds) for rounds in document.named().values()]
    parts = [
        f"<h1>{escape(document.command)}</h1><p>{escape(document.began)}, seed {document.seed}</p>",
        *(f"<p class=problem><b>{escape(problem)}</b></p>" for problem in document.problems),
        *_plots(runs),
        _table(runs),
        *(f"<p>{escape(str(machine))}</p>" for machine in document.machines),
        *(f"<p>{escape(name)}: {escape(number)}</p>" for name, number in document.versions.items()),
    ]
    head = f"<!doctype html><meta charset=utf-8><title>{escape(document.command)}</title><style>{_STYLE}</style>"
    return (head + "\n".join(parts)).encode()


def _plots(runs: Sequence[Run[Any]]) -> Iterator[str]:
    for kind in dict.fromkeys(run.kind for run in runs):
        yield from find(kind).plots([run for run in runs if run.kind == kind])


def _table(runs: Sequence[Run[Any]]) -> str:
    rows = [
        f"<tr><th>{escape(run.name)}<td>{escape(run.measures.title(field))}<td>{histogram.count}"
        + "".join(f"<td>{histogram.percentile(share) / 1e6:.3f}" for share in (0.5, 0.99, 0.999, 0.9999, 1.0))
        for run in runs
        for field, histogram in run.measures.histograms()
    ]
    counts = [
        f"<tr><th>{escape(run.name)}<td colspan=7>"
        + escape(", ".join(f"{what} {count}" for what, count in run.measures.counts()))
        for run in runs
    ]
    titles = "".join(f"<th>{title}" for title in ("", "latency, ms", "count", "p50", "p99", "p99.9", "p99.99", "max"))
    return f"<table><tr>{titles}{''.join(rows)}{''.join(counts)}</table>"
