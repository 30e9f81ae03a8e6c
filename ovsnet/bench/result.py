"""What a bench has found, as a document that can be kept, merged and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic

import msgspec

from ovsnet.bench.machine import Machine
from ovsnet.bench.measures import AnyMeasures

Setting = str | int | float | bool | None

ENGINE = "engine"
"""The name of our own CPU time and memory; the other names are daemons."""

FORMAT = 2


class Run(msgspec.Struct, Generic[AnyMeasures], kw_only=True):
    """One measurement. ``name`` distinguishes it from others of its document; those of one name are its rounds.

    ``process`` tells the engines apart that measured one after the other. ``settings`` are what was asked for;
    ``peak_bytes`` is resident memory; ``began`` and ``ended`` are Unix times. ``doubts`` are what the machine did
    beside it.
    """

    kind: str
    name: str
    measures: AnyMeasures
    round: int = 0
    process: int = 0
    settings: dict[str, Setting] = {}
    began: float = 0.0
    ended: float = 0.0
    cpu_seconds: dict[str, float] = {}
    peak_bytes: dict[str, int] = {}
    problems: list[str] = []
    doubts: list[str] = []

    @property
    def done(self) -> int:
        """Operations that succeeded."""
        return self.measures.done

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.done / (self.ended - self.began) if self.ended > self.began else 0.0

    def cpu_us(self, who: str) -> float | None:
        """Microseconds of CPU for each operation; None when it was not measured."""
        return self.cpu_seconds[who] / self.done * 1e6 if self.done and who in self.cpu_seconds else None


class Document(msgspec.Struct, kw_only=True):
    """All runs of one command, and what is needed to judge them."""

    ovsnet_bench: int = FORMAT
    command: str
    began: str
    machines: list[Machine]
    versions: dict[str, str] = {}
    seed: int = 0
    shards: list[str] = []
    runs: list[Run[Any]] = []

    def named(self) -> Mapping[tuple[str, str], list[Run[Any]]]:
        """The rounds of each run, by kind and name, in the order of the document."""
        groups: dict[tuple[str, str], list[Run[Any]]] = {}
        for run in self.runs:
            groups.setdefault((run.kind, run.name), []).append(run)
        return groups

    @property
    def problems(self) -> list[str]:
        """Why these figures may not be trusted, once each."""
        return list(dict.fromkeys(why for run in self.runs for why in (*run.problems, *run.doubts)))


def together(runs: Iterable[Run[AnyMeasures]]) -> Run[AnyMeasures]:
    """Shards of one run as one: they went at the same time, so the time is that of all, and a daemon's CPU was seen
    by each of them in full."""
    runs = list(runs)
    whole = _added(runs)
    whole.began, whole.ended = min(run.began for run in runs), max(run.ended for run in runs)
    for who in whole.cpu_seconds:
        if who != ENGINE:
            whole.cpu_seconds[who] = max(run.cpu_seconds.get(who, 0.0) for run in runs)
    for who in _keys(run.peak_bytes for run in runs):
        peaks = [run.peak_bytes.get(who, 0) for run in runs]
        whole.peak_bytes[who] = sum(peaks) if who == ENGINE else max(peaks)
    return whole


def in_turn(runs: Iterable[Run[AnyMeasures]]) -> Run[AnyMeasures]:
    """Rounds of one run as one: the time is the sum of theirs."""
    runs = list(runs)
    whole = _added(runs)
    whole.began, whole.ended = 0.0, sum(run.ended - run.began for run in runs)
    for who in _keys(run.peak_bytes for run in runs):
        whole.peak_bytes[who] = max(run.peak_bytes.get(who, 0) for run in runs)
    return whole


def _added(runs: Sequence[Run[AnyMeasures]]) -> Run[AnyMeasures]:
    first = runs[0]
    return Run(
        kind=first.kind,
        name=first.name,
        measures=type(first.measures).added(run.measures for run in runs),
        round=first.round,
        process=first.process,
        settings=first.settings,
        cpu_seconds={
            who: sum(run.cpu_seconds.get(who, 0.0) for run in runs) for who in _keys(run.cpu_seconds for run in runs)
        },
        problems=list(dict.fromkeys(problem for run in runs for problem in run.problems)),
        doubts=list(dict.fromkeys(doubt for run in runs for doubt in run.doubts)),
    )


def _keys(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))
