"""What changed between two benches, and whether that is more than chance. Pure but for the ``rng`` passed in.

The interval is a bootstrap's: the bench is thought to be done again many times, each time with the same rounds drawn
again. Within a round, the p-quantile of n values drawn with replacement is the value at a share that follows
Beta(k, n - k + 1), k = np: so nothing needs to be drawn but that share (Efron and Tibshirani, An Introduction to the
Bootstrap, chapters 6 and 13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import msgspec

from ovsnet.bench.result import Document, Run
from ovsnet.bench.workload import find
from ovsnet.errors import UsageError
from ovsnet.node.histogram import Ranks

if TYPE_CHECKING:
    from random import Random

DRAWS = 1000
CONFIDENCE = 0.95
SHARES = (0.5, 0.99, 0.999)

Draw = Callable[[], float]


class Difference(msgspec.Struct, frozen=True):
    """One figure before and after. ``low`` and ``high`` bound their ratio with 95 % confidence; None when a single
    round cannot show them."""

    run: str
    figure: str
    unit: str
    before: float
    after: float
    low: float | None
    high: float | None

    @property
    def ratio(self) -> float | None:
        """After / before; None of nothing."""
        return self.after / self.before if self.before else None

    @property
    def certain(self) -> bool:
        """True when the interval leaves out 1."""
        return self.low is not None and self.high is not None and not self.low <= 1.0 <= self.high


def compare(before: Document, after: Document, rng: Random) -> list[Difference]:
    """Every figure that both documents have. Raises UsageError when they have no run in common."""
    ours, theirs = before.named(), after.named()
    common = [key for key in ours if key in theirs]
    if not common:
        raise UsageError(
            "The two files have no run in common.",
            remedy=f"One holds {_names(before)}, the other {_names(after)}.",
        )
    return [change for key in common for change in _differences(key[1], ours[key], theirs[key], rng)]


def _differences(name: str, before: Sequence[Run[Any]], after: Sequence[Run[Any]], rng: Random) -> Iterator[Difference]:
    known = dict(_figures(after))
    for (figure, unit), value in _figures(before):
        if (figure, unit) not in known:
            continue
        was, now = value(before, rng), known[figure, unit](after, rng)
        low, high = _interval(was.again, now.again)
        yield Difference(name, figure, unit, was.value, now.value, low, high)


class _Estimate:
    """A figure, and how to draw it again; ``again`` is None when that cannot be known."""

    def __init__(self, value: float, again: Draw | None) -> None:
        self.value = value
        self.again = again


_Figure = Callable[[Sequence[Run[Any]], "Random"], _Estimate]


def _figures(runs: Sequence[Run[Any]]) -> Iterator[tuple[tuple[str, str], _Figure]]:
    for declared in find(runs[0].kind).figures:
        if any(declared.value(run) is not None for run in runs):
            yield (declared.name, declared.unit), partial(_once_a_round, declared.value)
    for who in runs[0].cpu_seconds:
        yield (f"CPU of {who}", "us"), partial(_cpu, who)
    title = type(runs[0].measures).title
    for field in _fields(run.measures.histograms() for run in runs):
        for share in SHARES:
            yield (f"{title(field)} p{share * 100:g}", "ms"), partial(_quantile, field, share)
    for field in _fields(run.measures.samples() for run in runs):
        yield (title(field), "s"), partial(_sample, field)


def _fields(found: Iterable[Iterable[tuple[str, object]]]) -> list[str]:
    return list(dict.fromkeys(field for each in found for field, _ in each))


def _once_a_round(value: Callable[[Run[Any]], float | None], runs: Sequence[Run[Any]], rng: Random) -> _Estimate:
    return _of_rounds([found for run in runs if (found := value(run)) is not None], rng)


def _cpu(who: str, runs: Sequence[Run[Any]], rng: Random) -> _Estimate:
    return _of_rounds([run.cpu_us(who) or 0.0 for run in runs], rng)


def _quantile(field: str, share: float, runs: Sequence[Run[Any]], rng: Random) -> _Estimate:
    return _of_quantile([getattr(run.measures, field).ranks() for run in runs], share, rng)


def _sample(field: str, runs: Sequence[Run[Any]], rng: Random) -> _Estimate:
    return _of_samples([value for run in runs for value in getattr(run.measures, field)], rng)


def _of_rounds(values: Sequence[float], rng: Random) -> _Estimate:
    if len(values) < 2:
        return _Estimate(values[0], None)
    return _Estimate(fmean(values), lambda: fmean(rng.choices(values, k=len(values))))


def _of_samples(values: Sequence[float], rng: Random) -> _Estimate:
    if len(values) < 2:
        return _Estimate(values[0] if values else 0.0, None)
    return _Estimate(median(values), lambda: median(rng.choices(values, k=len(values))))


def _of_quantile(rounds: Sequence[Ranks], share: float, rng: Random) -> _Estimate:
    rounds = [ranks for ranks in rounds if ranks.count]
    if not rounds:
        return _Estimate(0.0, None)

    def again() -> float:
        return fmean(_quantile_again(ranks, share, rng) for ranks in rng.choices(rounds, k=len(rounds))) / 1e6

    return _Estimate(fmean(ranks.percentile(share) for ranks in rounds) / 1e6, again)


def _quantile_again(ranks: Ranks, share: float, rng: Random) -> float:
    rank = min(max(-int(-share * ranks.count // 1), 1), ranks.count)
    return ranks.percentile(rng.betavariate(rank, ranks.count - rank + 1))


def _interval(before: Draw | None, after: Draw | None) -> tuple[float | None, float | None]:
    if before is None or after is None:
        return None, None
    ratios = sorted(after() / was for _ in range(DRAWS) if (was := before()))
    if not ratios:
        return None, None
    tail = (1 - CONFIDENCE) / 2
    return ratios[int(tail * len(ratios))], ratios[-1 - int(tail * len(ratios))]


def _names(document: Document) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in document.named()) or "nothing"
