"""A workload is one declaration: what can be asked for, how it is measured, and how the outcome is shown.

Each file of ``ovsnet.bench.workloads`` holds one, as ``WORKLOAD``, under the name of the file: to add a workload is to
add a file. Its command, rounds, shards, table, document, report and comparison follow from the declaration.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ovsnet.bench import workloads
from ovsnet.bench.measures import Measures
from ovsnet.bench.option import Option
from ovsnet.bench.result import Document, Run, Setting
from ovsnet.bench.shard import Shard
from ovsnet.config import Group, Settings
from ovsnet.errors import UsageError
from ovsnet.node.rundir import Rundir


class Request(msgspec.Struct, frozen=True):
    """What every workload is asked with, besides its own options."""

    shard: Shard = msgspec.field(default_factory=Shard)
    sandbox: bool = True
    seed: int = 1
    any_load: bool = False
    """Whether figures of a busy machine pass."""
    named: bool = False
    """Whether the caller said which of the two it is to be, a sandbox or this host's node."""
    start_at: float | None = None
    """Unix time; None for now."""
    settings: Settings = msgspec.field(default_factory=Settings)

    @property
    def node_settings(self) -> Settings:
        """Those of the node that is measured: what is set is about the host's node, and not about a sandbox."""
        return Settings() if self.sandbox else self.settings


class Turn(msgspec.Struct, frozen=True):
    """Where a run belongs. ``begin`` it once there is something to record: what fails before is not a run."""

    document: Document
    shard: Shard

    def begin(self, run: Run[Any]) -> None:
        """From now on the run is part of the document, however it ends."""
        self.document.runs.append(run)


class Plan(Protocol):
    """One measurement, done once each round."""

    @property
    def name(self) -> str:
        """Distinguishes it from the other plans of a document."""
        ...

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it, by field."""
        ...

    def operations(self, shard: Shard) -> int:
        """How many operations our part is, for the progress bar."""
        ...


class OnNode(msgspec.Struct, frozen=True):
    """Plans for one node: the host's, or a sandbox made for all of them."""

    rounds: int
    plans: Callable[[Rundir], Sequence[Plan]]
    until_problem: bool = False
    """Whether a run with a problem is the last one."""


class OnOwnNodes(msgspec.Struct, frozen=True):
    """Plans that make the nodes they need themselves."""

    rounds: int
    plans: Sequence[Plan]


Job = OnNode | OnOwnNodes


class Figure(msgspec.Struct, frozen=True):
    """One value of each run that is compared; None where it never came to be."""

    name: str
    unit: str
    value: Callable[[Run[Any]], float | None]


RATE = Figure("rate", "1/s", lambda run: run.rate or None)


def no_remarks(runs: Sequence[Run[Any]]) -> Iterable[str]:
    """A workload without anything to say."""
    return ()


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """``plan`` gets the ``options`` by name, and the ``Request`` as ``request``. It raises UsageError for what is
    impossible, before anything is done. Its docstring is the help of the command."""

    kind: str
    options: Sequence[Option]
    settings: Sequence[Group | str]
    """The settings that it takes as flags: groups, and single names."""
    plan: Callable[..., Job]
    measures: type[Measures]
    measure: Callable[[Any, Run[Any], Turn], Awaitable[None]]
    """Fills a run of one of the plans. Raises an OvsnetError when that is not possible; what goes wrong on the way is a
    problem of the run."""
    columns: Callable[[Run[Any]], Mapping[str, str]]
    """A row of the table; all rounds of a plan are one row."""
    remarks: Callable[[Sequence[Run[Any]]], Iterable[str]] = no_remarks
    """Sentences below the table, from all runs of this kind."""
    figures: Sequence[Figure] = (RATE,)
    """What is compared besides CPU time, histograms and samples."""
    cost: str = ""
    """What it costs this host's node, as a sentence."""
    fresh_rounds: bool = False
    """Whether each round has daemons of its own, so that rounds are independent of each other."""
    plots: Callable[[Sequence[Run[Any]]], Iterable[str]] = no_remarks
    """Sections of the report, as HTML; all rounds of a plan are one run."""

    @property
    def help(self) -> str:
        """What the command does, for a person: the docstring of ``plan``."""
        return inspect.cleandoc(self.plan.__doc__ or "")

    def run(self, plan: Plan, number: int = 0) -> Run[Any]:
        """An empty run of this plan, round ``number``."""
        return Run(kind=self.kind, name=plan.name, measures=self.measures(), round=number, settings=plan.settings())


def kinds() -> Iterator[str]:
    """The names of all workloads, in order."""
    yield from sorted(module.name for module in pkgutil.iter_modules(workloads.__path__))


def find(kind: str) -> Workload:
    """The workload of that name. Raises UsageError when there is none."""
    if kind not in kinds():
        raise UsageError(f"There is no workload {kind!r}.", remedy=f"Use one of {', '.join(kinds())}.")
    workload: Workload = importlib.import_module(f"{workloads.__name__}.{kind}").WORKLOAD
    return workload
