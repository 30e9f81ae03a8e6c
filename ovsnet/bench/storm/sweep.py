"""What storms that differ in nothing but their probe interval say together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovsnet.bench.result import Run


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from the first arrival until all had joined, and from the fault until all that it threw out were synced
    again; None for never. A fault that threw nobody out took 0."""

    all_joined: float | None
    all_back: float | None


def figures(run: Run) -> Figures:
    """Of one run, or of all its shards together."""
    chassis = run.counts.get("chassis", 0)
    joined, back = run.latencies.get("join to synced"), run.latencies.get("fault to synced")
    return Figures(
        all_joined=joined.highest / 1e9 if joined and joined.count == chassis else None,
        all_back=None if run.done < chassis or not chassis else back.highest / 1e9 if back else 0.0,
    )


def sweeps(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    """The runs by what they have in common, in words."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.name.rpartition(", probe ")[0], []).append(run)
    return groups


def smallest_quiet_interval(runs: Sequence[Run]) -> float | None:
    """The smallest probe interval without false disconnects, neither with it nor with a longer one; None when there is
    none. A run that ended with a problem, or with somebody missing, counts as one with false disconnects."""
    quiet: dict[float, bool] = {}
    for run in runs:
        calm = run.counts.get("false disconnects") == 0 and not run.counts.get("lost") and not run.problems
        if interval := float(run.settings.get("probe interval") or 0.0):
            quiet[interval] = quiet.get(interval, True) and calm
    found = None
    for interval in sorted(quiet, reverse=True):
        if not quiet[interval]:
            break
        found = interval
    return found


def verdict(place: str, runs: Sequence[Run]) -> str:
    """One sentence for a person."""
    if not any(run.settings.get("probe interval") for run in runs):
        return f"{place}: nobody probed, so nobody could give up."
    smallest = smallest_quiet_interval(runs)
    if smallest is None:
        return f"{place}: no probe interval of this sweep is proven to be without false disconnects."
    return f"{place}: {smallest:g} s is the smallest probe interval without false disconnects."
