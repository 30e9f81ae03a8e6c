"""A page for an incident review: what was measured, as plots and as a table, in one file without references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from ovsnet.bench.result import Document, Run, in_turn
from ovsnet.bench.workload import find

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--line:#c8ccd1;--bad:#a40000}
@media(prefers-color-scheme:dark){:root{--ink:#e4e6e9;--paper:#16181b;--line:#4a4f57;--bad:#ff8a80}}
body{font:15px/1.5 sans-serif;color:var(--ink);background:var(--paper);margin:2em auto;padding:0 1em;max-width:70em}
h1{font-size:1.4em;overflow-wrap:anywhere}h2{font-size:1.1em}p{overflow-wrap:anywhere}.problem{color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right}
tr+tr>*{border-top:1px solid var(--line)}svg{display:block;width:100%;height:auto}
.plot{overflow-x:auto}.plot svg{min-width:36em}
@media(prefers-color-scheme:dark){.plot svg{filter:invert(.91) hue-rotate(180deg)}}
"""
"""Tables and plots scroll by themselves, so that the page never does sideways. A plot is drawn in black on white, and
turned round where the page is dark."""


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
    head = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=width=device-width>"
    head += f"<title>{escape(document.command)}</title><style>{_STYLE}</style>"
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
    return f"<div class=wide><table><tr>{titles}{''.join(rows)}{''.join(counts)}</table></div>"
