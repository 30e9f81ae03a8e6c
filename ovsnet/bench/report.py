"""A page for an incident review: what was measured, as plots and as a table, in one file without references."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ovsnet.bench.report_restart import samples, timeline
from ovsnet.bench.report_storm import comeback, summary, sweep
from ovsnet.bench.result import Document, Run, in_turn

LATENCY = {"race": "from arrival", "echo": "from request"}
"""The latency that a kind of run is about."""

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


def _plots(runs: Sequence[Run]) -> Iterator[str]:
    for kind, what in LATENCY.items():
        if chosen := [run for run in _with(what, runs) if run.kind == kind]:
            yield f"<h2>Latency {what}</h2>{_drawn(chosen, what)}"
    if suffering := _with("bystander", runs):
        yield f"<h2>What a bystander's echo suffered</h2>{_drawn(suffering, 'bystander')}"
    if restarts := [run for run in runs if run.kind == "restart" and any(run.samples.values())]:
        figure = Figure(figsize=(11, 1.5 + 0.5 * len(restarts)), layout="constrained")
        timeline(figure.subplots(), restarts)
        yield f"<h2>What came back when, after the start</h2>{_svg(figure)}{samples(restarts)}"
    if storms := [run for run in runs if run.kind == "storm"]:
        figure = Figure(figsize=(10, 6), layout="constrained")
        sweep(figure.subplots(), storms)
        yield f"<h2>What each probe interval costs</h2>{_svg(figure)}{summary(storms)}"
    if fallen := _with("fault to synced", storms):
        figure = Figure(figsize=(10, 5), layout="constrained")
        comeback(figure.subplots(), fallen)
        yield f"<h2>Who was back when</h2>{_svg(figure)}"


def _with(what: str, runs: Sequence[Run]) -> list[Run]:
    """Those that have at least one value of this latency: a run may be cut short before any."""
    return [run for run in runs if what in run.latencies and run.latencies[what].counts]


def _drawn(runs: Sequence[Run], what: str) -> str:
    figure = Figure(figsize=(10, 5), layout="constrained")
    _latency(figure.subplots(), runs, what)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    return drawn.getvalue().partition("<!DOCTYPE")[2].partition(">")[2]  # an SVG inside HTML has no prologue


def _latency(axes: Axes, runs: Sequence[Run], what: str) -> None:
    """Percentiles on an axis that widens towards the tail, where the trouble is; the slowest of n is at n/(n + 1)."""
    for run in runs:
        ranks = run.latencies[what].ranks()
        most = ranks.count + 1
        curve = [(most / (most - share * ranks.count), max(value, 1.0) / 1e6) for value, share in ranks.curve()]
        axes.step([1.0, *(x for x, _ in curve)], [curve[0][1], *(y for _, y in curve)], where="pre", label=run.name)
    ticks = (0.5, 0.9, 0.99, 0.999, 0.9999)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([1 / (1 - share) for share in ticks], [f"{share * 100:g} %" for share in ticks])
    axes.set_xlabel("share of all that are not slower")
    axes.set_ylabel("ms")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()


def _table(runs: Sequence[Run]) -> str:
    rows = [
        f"<tr><th>{escape(run.name)}<td>{escape(what)}<td>{ranks.count}"
        + "".join(f"<td>{ranks.percentile(share) / 1e6:.3f}" for share in (0.5, 0.99, 0.999, 0.9999, 1.0))
        for run in runs
        for what, histogram in run.latencies.items()
        if (ranks := histogram.ranks()).count
    ]
    counts = [
        f"<tr><th>{escape(run.name)}<td colspan=7>"
        + escape(", ".join(f"{what} {count}" for what, count in run.counts.items()))
        for run in runs
    ]
    titles = "".join(f"<th>{title}" for title in ("", "latency, ms", "count", "p50", "p99", "p99.9", "p99.99", "max"))
    return f"<table><tr>{titles}{''.join(rows)}{''.join(counts)}</table>"
