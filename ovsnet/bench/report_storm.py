"""The sweep of a storm, as a plot and as a table: what each probe interval costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from matplotlib.axes import Axes

from ovsnet.bench.report_latency import section
from ovsnet.bench.result import ENGINE, Run
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.sweep import figures, probe_interval, sweeps, title, verdict

NEVER = "never"


def plots(runs: Sequence[Run[StormMeasures]]) -> Iterator[str]:
    """The sections of all storms."""
    if several := [run for group in sweeps(runs) if len(set(map(probe_interval, group))) > 1 for run in group]:
        yield section("What each probe interval costs", lambda axes: sweep(axes, several), height=6.0)
    yield summary(runs)
    if fallen := [run for run in runs if run.measures.fault_to_synced.counts]:
        yield section("When each chassis was back", lambda axes: comeback(axes, fallen))


def sweep(axes: Axes, runs: Sequence[Run[StormMeasures]]) -> None:
    """False disconnects, and the time until all were synced again, over the probe interval: a colour for each place and
    number of chassis."""
    later = axes.twinx()
    for number, group in enumerate(sweeps(runs)):
        points, place = sorted(group, key=probe_interval), title(group[0].settings)
        intervals, color = [probe_interval(run) for run in points], f"C{number}"
        false = [(run.measures.false_disconnects or 0) / max(run.measures.chassis, 1) for run in points]
        axes.plot(intervals, false, "o-", color=color, label=f"{place}: false disconnects")
        if times := [
            (at, seconds)
            for at, run in zip(intervals, points, strict=True)
            if (seconds := figures(run).all_back) is not None
        ]:
            later.plot(*zip(*times, strict=True), "s--", color=color, alpha=0.6, label=f"{place}: all synced again")
    axes.set_xscale("symlog", linthresh=1.0)
    every = sorted(set(map(probe_interval, runs)))
    axes.set_xticks(every, [f"{interval:g}" for interval in every])
    axes.set_xlabel("probe interval, s (0: no probes)")
    axes.set_ylabel("false disconnects for each chassis (solid)")
    later.set_ylabel("seconds until all were synced again (dashed)")
    axes.set_ylim(bottom=0)
    later.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    solid, dashed = axes.get_legend_handles_labels(), later.get_legend_handles_labels()
    axes.legend(solid[0] + dashed[0], solid[1] + dashed[1], loc="upper center", bbox_to_anchor=(0.5, -0.15))


def comeback(axes: Axes, runs: Sequence[Run[StormMeasures]]) -> None:
    """What share of the chassis was synced how long after the fault. It falls at once to those that the fault did not
    throw out."""
    for run in runs:
        ranks, chassis = run.measures.fault_to_synced.ranks(), max(run.measures.chassis, 1)
        if not ranks.count:
            continue
        stayed = max(run.done - ranks.count, 0)
        curve = [(value / 1e9, (stayed + share * ranks.count) / chassis) for value, share in ranks.curve()]
        points = [(0.0, stayed / chassis), *curve]
        axes.step([at for at, _ in points], [share for _, share in points], where="post", label=run.name)
    axes.set_xlabel("seconds after the fault")
    axes.set_ylabel("share of the chassis that is synced")
    axes.set_ylim(0, 1.05)
    axes.set_xlim(left=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="lower right")


def summary(runs: Sequence[Run[StormMeasures]]) -> str:
    """The verdicts, and a row for each storm, as HTML."""
    verdicts = "".join(f"<p><b>{escape(verdict(group))}</b></p>" for group in sweeps(runs))
    rows = [_row(run) for run in runs]
    titles = "".join(f"<th>{escape(heading)}" for heading in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}' for text in row.values())}" for row in rows)
    return f"{verdicts}<div class=wide><table><tr>{titles}{body}</table></div>"


def _row(run: Run[StormMeasures]) -> Mapping[str, str]:
    found = figures(run)
    servers = [who for who in run.cpu_seconds if who != ENGINE]
    return {
        "storm": run.name,
        "synced at the end": f"{run.done} of {run.measures.chassis}",
        "false disconnects": "-" if run.measures.false_disconnects is None else str(run.measures.false_disconnects),
        "of them unheard": str(run.measures.gave_up_unheard),
        "connect timeouts": str(run.measures.connect_timeouts),
        "all joined, s": seconds(found.all_joined),
        "all synced again, s": seconds(found.all_back),
        "engine CPU, s": f"{run.cpu_seconds.get(ENGINE, 0.0):.1f}",
        "servers' CPU, s": f"{sum(run.cpu_seconds[who] for who in servers):.1f}" if servers else "-",
        "servers' memory, MiB": " ".join(str(run.peak_bytes.get(who, 0) >> 20) for who in servers) or "-",
        "engine late at most, ms": f"{run.measures.generator_lag.highest / 1e6:.0f}",
    }


def seconds(value: float | None) -> str:
    """With one decimal; ``never`` for what did not come to be."""
    return NEVER if value is None else f"{value:.1f}"
