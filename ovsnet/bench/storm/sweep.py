"""What storms that differ in nothing but their probe interval show together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ovsnet.bench.result import Run, Setting
from ovsnet.bench.storm.measures import StormMeasures


class Figures(msgspec.Struct, frozen=True):
    """Seconds from the first arrival until all had joined, and from the fault until all that it threw out were synced
    again; None for never. A fault that threw none out took 0."""

    all_joined: float | None
    all_back: float | None


def figures(run: Run[StormMeasures]) -> Figures:
    """Of one run, or of all its shards together."""
    measures = run.measures
    joined, back = measures.join_to_synced, measures.fault_to_synced
    came_back = measures.chassis and measures.done >= measures.chassis
    return Figures(
        all_joined=joined.highest / 1e9 if joined.count and joined.count == measures.chassis else None,
        all_back=back.highest / 1e9 if came_back else None,
    )


VARIES = ("probe_interval", "hold_seconds")
"""Settings in which the storms of a sweep differ: the hold follows the interval unless it is given."""


def title(settings: Mapping[str, Setting]) -> str:
    """What the storms of a sweep have in common, for a person."""
    place = settings.get("address") or f"{settings.get('scheme')} {'raft' if settings.get('raft') else 'standalone'}"
    fault = settings.get("fault")
    injected = "" if fault in (None, "none") else f", {fault} {settings.get('fault_seconds'):g} s"
    return f"{settings.get('chassis')} on {place}{injected}"


def sweeps(runs: Sequence[Run[StormMeasures]]) -> list[Sequence[Run[StormMeasures]]]:
    """The runs whose settings are alike but for those that vary in a sweep."""
    groups: dict[object, list[Run[StormMeasures]]] = {}
    for run in runs:
        common = frozenset((name, value) for name, value in run.settings.items() if name not in VARIES)
        groups.setdefault(common, []).append(run)
    return list(groups.values())


def probe_interval(run: Run[StormMeasures]) -> float:
    """Seconds; 0 for no probes."""
    return float(run.settings.get("probe_interval") or 0.0)


def smallest_quiet_interval(runs: Sequence[Run[StormMeasures]]) -> float | None:
    """The smallest probe interval without false disconnects, neither with it nor with a longer one; None when there is
    none. A run that ended with a problem, or with a chassis missing, counts as one with false disconnects."""
    quiet: dict[float, bool] = {}
    for run in runs:
        calm = run.measures.false_disconnects == 0 and not run.measures.lost and not run.problems
        if interval := probe_interval(run):
            quiet[interval] = quiet.get(interval, True) and calm
    found = None
    for interval in sorted(quiet, reverse=True):
        if not quiet[interval]:
            break
        found = interval
    return found


def verdict(runs: Sequence[Run[StormMeasures]]) -> str:
    """One sentence on a sweep."""
    place = title(runs[0].settings)
    if not any(map(probe_interval, runs)):
        return f"{place}: probes were off, so no client could give up."
    if runs[0].settings.get("fault") != "freeze":
        return f"{place}: only a freeze shows which probe interval is long enough: else no server is alive but silent."
    tried = sorted({interval for run in runs if (interval := probe_interval(run))})
    smallest = smallest_quiet_interval(runs)
    if smallest is None:
        return f"{place}: no probe interval of this sweep is proven free of false disconnects."
    if smallest == tried[0]:
        each = (
            " and ".join(f"{interval:g}" for interval in tried) if len(tried) < 3 else f"{tried[0]:g} to {tried[-1]:g}"
        )
        return f"{place}: no false disconnects at {'any of ' * (len(tried) > 1)}{each} s; smaller ones were not tried."
    return f"{place}: {smallest:g} s is the smallest tested probe interval without false disconnects."
