"""The tables that ``ovsnet bench`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from ovsnet.bench.compare import Change
from ovsnet.bench.result import ENGINE, Document, Run, in_turn
from ovsnet.bench.storm.sweep import figures, sweeps, verdict

SHARES = (0.5, 0.99, 0.999, 0.9999)


def table(document: Document) -> str:
    """One block for each kind of run; the rounds of a run are one line."""
    lines: list[str] = []
    rows = [in_turn(rounds) for rounds in document.named().values()]
    for kind in dict.fromkeys(row.kind for row in rows):
        cells = {"race": _race, "echo": _echo, "restart": _restart, "storm": _storm}.get(kind, _samples)
        lines += [*_aligned([cells(row) for row in rows if row.kind == kind]), ""]
    storms = [run for run in document.runs if run.kind == "storm"]
    lines += [verdict(place, group) for place, group in sweeps(storms).items()]
    losses = [(row.name, what, count) for row in rows for what, count in row.counts.items() if what.startswith("lost ")]
    lines += [f"{name}: {count} {what}" for name, what, count in losses]
    lines += [str(machine) for machine in document.machines]
    return "\n".join([*lines, *(f"{name}: {number}" for name, number in document.versions.items())])


def _race(run: Run) -> dict[str, str]:
    counts = {what: str(run.counts.get(what, 0)) for what in ("done", "lost", "EAGAIN")}
    shares = {f"p{share * 100:g} ms": _ms(run, "from connect", share) for share in SHARES}
    return {
        "race": run.name,
        **counts,
        "per s": f"{run.rate:.0f}",
        **shares,
        "arrival p99": _ms(run, "from arrival", 0.99),
        "lag p99": _ms(run, "generator lag", 0.99),
        **_cpu(run),
        "bystander p99": f"{_ms(run, 'bystander at rest', 0.99)} -> {_ms(run, 'bystander', 0.99)}",
    }


def _echo(run: Run) -> dict[str, str]:
    shares = {f"p{share * 100:g} ms": _ms(run, "from request", share) for share in SHARES}
    return {"echo": run.name, "done": str(run.done), "per s": f"{run.rate:.0f}", **shares, **_cpu(run), **_busy(run)}


def _restart(run: Run) -> dict[str, str]:
    """Medians; the slowest of several rounds in brackets."""
    found = {
        f"{what} s": f"{median(values):.2f}" + (f" ({max(values):.2f})" if len(values) > 1 else "")
        for what, values in run.samples.items()
        if values
    }
    visits = {f"clients {what}": str(run.counts.get(f"hammer {what}", "-")) for what in ("done", "lost")}
    return {"restart": run.name, "done": str(run.done), **found, **visits}


def _storm(run: Run) -> dict[str, str]:
    found = figures(run)
    return {
        "storm": run.name,
        "synced": str(run.done),
        "false disconnects": str(run.counts.get("false disconnects", "-")),
        "of them unheard": str(run.counts.get("gave up unheard", 0)),
        "connect timeouts": str(run.counts.get("connect timeouts", 0)),
        "all joined s": _seconds(found.all_joined),
        "all back s": _seconds(found.all_back),
        "probe p99 ms": _ms(run, "probe", 0.99),
        "lag max ms": _ms(run, "generator lag", 1.0),
        **{f"{who} CPU s": f"{used:.2f}" for who, used in run.cpu_seconds.items()},
        **{f"{who} MiB": str(peak >> 20) for who, peak in run.peak_bytes.items()},
    }


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"


def _samples(run: Run) -> dict[str, str]:
    spread = {
        f"{what} s": f"{min(values):.2f} / {sorted(values)[len(values) // 2]:.2f} / {max(values):.2f}"
        for what, values in run.samples.items()
        if values
    }
    return {run.kind: run.name, **{what: str(count) for what, count in run.counts.items()}, **spread}


def _cpu(run: Run) -> dict[str, str]:
    names = [ENGINE, *(who for who in run.cpu_seconds if who != ENGINE)]
    return {f"{who} us": f"{used:.1f}" for who in names if (used := run.cpu_us(who)) is not None}


def _busy(run: Run) -> dict[str, str]:
    """What part of the time the daemon's main thread ran: the rate as a share of what it can serve at most."""
    seconds = run.ended - run.began
    daemons = [used for who, used in run.cpu_seconds.items() if who != ENGINE]
    return {"daemon busy": f"{daemons[0] / seconds:.2f}"} if daemons and seconds else {}


def _ms(run: Run, what: str, share: float) -> str:
    found = run.latencies.get(what)
    return f"{found.percentile(share) / 1e6:.2f}" if found and found.counts else "-"


def change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """One line for each figure; those that surely changed bear a mark."""
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
    yield "* changed by more than chance"


def _bounds(change: Change) -> str:
    if change.low is None:
        return "-" if change.ratio is None else "one round only"
    return f"{change.low:.2f} to {change.high:.2f}"


def _aligned(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines: Iterable[Sequence[str]] = [names, *([row.get(name, "") for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
