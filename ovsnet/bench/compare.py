"""What changed between two benches, and whether that is more than chance. Pure but for the ``rng`` passed in.

What is measured twice differs by process, by round and by sample, and a comparison must know all three. So the bench is
thought to be done again many times: processes drawn again, of each its rounds, of each its samples (a hierarchical
bootstrap; Saravanan and others, Hierarchical bootstrapping for multilevel data). Within a round, the p-quantile of n
values drawn with replacement is the value at a share that follows Beta(k, n - k + 1), k = np: so nothing needs to be
drawn but that share (Efron and Tibshirani, An Introduction to the Bootstrap, chapters 6 and 13).

A bootstrap of few processes is too sure of itself: its spread is that of n values and not of n - 1, and its tails are
not Student's. Both are set right (Hesterberg, What Teachers Should Know About the Bootstrap, section 3.2; Welch). Of
many figures some differ by chance: what has a mark passes the correction of Benjamini and Hochberg.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from statistics import fmean, median, pstdev
from typing import TYPE_CHECKING, Any

import msgspec

from ovsnet.bench.result import Document, Run
from ovsnet.bench.student import quantile, two_sided
from ovsnet.bench.workload import find
from ovsnet.errors import UsageError
from ovsnet.node.histogram import Ranks

if TYPE_CHECKING:
    from random import Random

DRAWS = 400
"""Enough to know a spread to 4 %: it is not the tails that are read from them."""
CONFIDENCE = 0.95
SHARES = (0.5, 0.99, 0.999)

Draw = Callable[[], float]
Unit = Sequence[Run[Any]]
"""Rounds of one process; or one round, where each has daemons of its own."""


class Difference(msgspec.Struct, frozen=True):
    """One figure before and after. ``low`` and ``high`` bound their ratio with 95 % confidence, and ``chance`` is that
    of such a difference between two benches of one thing; None when a single process cannot show them. ``certain``:
    it passes the correction for the number of figures."""

    run: str
    figure: str
    unit: str
    before: float
    after: float
    low: float | None
    high: float | None
    chance: float | None
    certain: bool = False

    @property
    def ratio(self) -> float | None:
        """After / before; None of nothing."""
        return self.after / self.before if self.before else None


def compare(before: Document, after: Document, rng: Random) -> list[Difference]:
    """Every figure that both documents have. Raises UsageError when they have no run in common."""
    ours, theirs = before.named(), after.named()
    common = [key for key in ours if key in theirs]
    if not common:
        raise UsageError(
            "The two files have no run in common.",
            remedy=f"One holds {_names(before)}, the other {_names(after)}.",
        )
    return marked([change for key in common for change in _differences(key[1], ours[key], theirs[key], rng)])


def marked(changes: Sequence[Difference]) -> list[Difference]:
    """``certain`` are those whose chance is at most k/m of 5 %, as far as the k-th smallest of all m."""
    chances = sorted(change.chance for change in changes if change.chance is not None)
    allowed = (1 - CONFIDENCE) / max(len(chances), 1)
    passing = [chance for rank, chance in enumerate(chances, start=1) if chance <= rank * allowed]
    bound = max(passing, default=-1.0)
    return [
        msgspec.structs.replace(change, certain=change.chance is not None and change.chance <= bound)
        for change in changes
    ]


def _differences(name: str, before: Sequence[Run[Any]], after: Sequence[Run[Any]], rng: Random) -> Iterator[Difference]:
    known = dict(_figures(after))
    for (figure, unit), value in _figures(before):
        if (figure, unit) not in known:
            continue
        was, now = value(_units(before), rng), known[figure, unit](_units(after), rng)
        low, high, chance = _judged(was, now)
        yield Difference(name, figure, unit, was.value, now.value, low, high, chance)


def _units(runs: Sequence[Run[Any]]) -> list[Unit]:
    if find(runs[0].kind).fresh_rounds:
        return [[run] for run in runs]
    processes: dict[int, list[Run[Any]]] = {}
    for run in runs:
        processes.setdefault(run.process, []).append(run)
    return list(processes.values())


class _Estimate:
    """A figure, its standard error, and from how many independent units it is; no error from a single one."""

    def __init__(self, value: float, units: int, draw: Draw | None = None) -> None:
        self.value = value
        self.units = units
        self.error: float | None = None
        if units > 1 and draw is not None:
            self.error = pstdev(draw() for _ in range(DRAWS)) * math.sqrt(units / (units - 1))


_Figure = Callable[[Sequence[Unit], "Random"], _Estimate]


def _figures(runs: Sequence[Run[Any]]) -> Iterator[tuple[tuple[str, str], _Figure]]:
    for declared in find(runs[0].kind).figures:
        if any(declared.value(run) is not None for run in runs):
            yield (declared.name, declared.unit), partial(_once_a_round, declared.value)
    for who in runs[0].cpu_seconds:
        yield (f"CPU of {who}", "us"), partial(_once_a_round, partial(_cpu, who))
    title = type(runs[0].measures).title
    for field in _fields(run.measures.histograms() for run in runs):
        for share in SHARES:
            yield (f"{title(field)} p{share * 100:g}", "ms"), partial(_quantile, field, share)
    for field in _fields(run.measures.samples() for run in runs):
        yield (title(field), "s"), partial(_sample, field)


def _fields(found: Iterable[Iterable[tuple[str, object]]]) -> list[str]:
    return list(dict.fromkeys(field for each in found for field, _ in each))


def _cpu(who: str, run: Run[Any]) -> float:
    return run.cpu_us(who) or 0.0


def _once_a_round(value: Callable[[Run[Any]], float | None], units: Sequence[Unit], rng: Random) -> _Estimate:
    found = [[each for run in unit if (each := value(run)) is not None] for unit in units]
    found = [values for values in found if values]

    def draw() -> float:
        return fmean(fmean(rng.choices(values, k=len(values))) for values in rng.choices(found, k=len(found)))

    return _Estimate(fmean(map(fmean, found)), len(found), draw)


def _sample(field: str, units: Sequence[Unit], rng: Random) -> _Estimate:
    """The median. Each sample of a restart is of a round of its own."""
    found = [value for unit in units for run in unit for value in getattr(run.measures, field)]
    return _Estimate(median(found) if found else 0.0, len(found), lambda: median(rng.choices(found, k=len(found))))


def _quantile(field: str, share: float, units: Sequence[Unit], rng: Random) -> _Estimate:
    found = [[ranks for run in unit if (ranks := getattr(run.measures, field).ranks()).count] for unit in units]
    found = [rounds for rounds in found if rounds]
    if not found:
        return _Estimate(0.0, 0)

    def draw() -> float:
        return fmean(
            fmean(quantile_again(ranks, share, rng) for ranks in rng.choices(rounds, k=len(rounds)))
            for rounds in rng.choices(found, k=len(found))
        ) / 1e6  # fmt: skip

    value = fmean(fmean(ranks.percentile(share) for ranks in rounds) for rounds in found) / 1e6
    return _Estimate(value, len(found), draw)


def quantile_again(ranks: Ranks, share: float, rng: Random) -> float:
    """The quantile of as many values, drawn from these with replacement."""
    rank = min(max(-int(-share * ranks.count // 1), 1), ranks.count)
    return ranks.percentile(rng.betavariate(rank, ranks.count - rank + 1))


def _judged(was: _Estimate, now: _Estimate) -> tuple[float | None, float | None, float | None]:
    """The bounds of the ratio, and the chance of such a difference."""
    if was.error is None or now.error is None:
        return None, None, None
    change, squares = now.value - was.value, (was.error**2, now.error**2)
    error = math.sqrt(sum(squares))
    if not error:
        ratio = now.value / was.value if was.value else None
        return ratio, ratio, 0.0 if change else 1.0
    freedom = sum(squares) ** 2 / sum(
        square**2 / (each.units - 1) for square, each in zip(squares, (was, now), strict=True)
    )
    chance = two_sided(change / error, freedom)
    if not was.value:
        return None, None, chance
    reach = quantile(CONFIDENCE, freedom) * error
    return 1 + (change - reach) / was.value, 1 + (change + reach) / was.value, chance


def _names(document: Document) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in document.named()) or "nothing"
