"""What a bench has found, as a document that can be kept, merged and compared.

Only what adds up is kept: counts, seconds of CPU, histograms, samples. Rates and shares follow from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ovsnet.bench.histogram import Histogram, merged
from ovsnet.bench.machine import Machine
from ovsnet.errors import UsageError

Kind = Literal["race", "echo", "restart", "storm"]
Setting = str | int | float | bool | None

ENGINE = "engine"
"""Under this name stands our own CPU time; the others are daemons."""


class Run(msgspec.Struct, kw_only=True):
    """One measurement. ``name`` tells it from others of its document; those of one name are its rounds.

    ``peak_bytes`` is resident memory; ``began`` and ``ended`` are Unix times; ``samples`` are seconds, one of each
    round's events.
    """

    kind: Kind
    name: str
    round: int = 0
    settings: dict[str, Setting] = {}
    began: float = 0.0
    ended: float = 0.0
    counts: dict[str, int] = {}
    cpu_seconds: dict[str, float] = {}
    peak_bytes: dict[str, int] = {}
    latencies: dict[str, Histogram] = {}
    samples: dict[str, list[float]] = {}
    problems: list[str] = []

    def count(self, what: str, times: int = 1) -> None:
        """Add to one of the counts."""
        self.counts[what] = self.counts.get(what, 0) + times

    def latency(self, what: str) -> Histogram:
        """The histogram of that name, made when it is first asked for."""
        return self.latencies.setdefault(what, Histogram())

    @property
    def done(self) -> int:
        """Operations that came to their end."""
        return self.counts.get("done", 0)

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.done / (self.ended - self.began) if self.ended > self.began else 0.0

    def cpu_us(self, who: str) -> float | None:
        """Microseconds of CPU for each operation; None when it was not measured."""
        return self.cpu_seconds[who] / self.done * 1e6 if self.done and who in self.cpu_seconds else None


class Document(msgspec.Struct, kw_only=True):
    """All runs of one command, and what is needed to judge them."""

    ovsnet_bench: int = 1
    command: str
    began: str
    machines: list[Machine]
    versions: dict[str, str] = {}
    seed: int = 0
    shards: list[str] = []
    runs: list[Run] = []

    def named(self) -> Mapping[tuple[Kind, str], list[Run]]:
        """The rounds of each run, in the order of the document."""
        groups: dict[tuple[Kind, str], list[Run]] = {}
        for run in self.runs:
            groups.setdefault((run.kind, run.name), []).append(run)
        return groups

    @property
    def problems(self) -> list[str]:
        """Why these figures may not be trusted, once each."""
        return list(dict.fromkeys(problem for run in self.runs for problem in run.problems))


def together(runs: Iterable[Run]) -> Run:
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


def in_turn(runs: Iterable[Run]) -> Run:
    """Rounds of one run as one: the time is the sum of theirs."""
    runs = list(runs)
    whole = _added(runs)
    whole.began, whole.ended = 0.0, sum(run.ended - run.began for run in runs)
    for who in _keys(run.peak_bytes for run in runs):
        whole.peak_bytes[who] = max(run.peak_bytes.get(who, 0) for run in runs)
    return whole


def _added(runs: list[Run]) -> Run:
    first = runs[0]
    return Run(
        kind=first.kind,
        name=first.name,
        round=first.round,
        settings=first.settings,
        counts={what: sum(run.counts.get(what, 0) for run in runs) for what in _keys(run.counts for run in runs)},
        cpu_seconds={
            who: sum(run.cpu_seconds.get(who, 0.0) for run in runs) for who in _keys(run.cpu_seconds for run in runs)
        },
        latencies={
            what: merged(run.latencies[what] for run in runs if what in run.latencies)
            for what in _keys(run.latencies for run in runs)
        },
        samples={
            what: [value for run in runs for value in run.samples.get(what, [])]
            for what in _keys(run.samples for run in runs)
        },
        problems=list(dict.fromkeys(problem for run in runs for problem in run.problems)),
    )


def _keys(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


_OF_JSON = (b"{", b"}", b" ", b"\t")
"""How a line of a document begins, and no sentence."""


def encode(document: Document) -> bytes:
    """JSON for a file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def read(path: Path) -> Document:
    """A document that ``--out`` or ``--json`` wrote, or the log of a container that printed it, where sentences of
    stderr may stand between its lines. Raises UsageError when the file holds something else."""
    try:
        lines = path.read_bytes().splitlines()
        return msgspec.json.decode(b"\n".join(line for line in lines if line[:1] in _OF_JSON), type=Document)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{path} is no result of ovsnet bench: {error}.", remedy="Name a file that --out wrote."
        ) from error
