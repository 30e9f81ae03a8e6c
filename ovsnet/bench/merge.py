"""Join the documents of several machines that ran shards of one bench. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ovsnet.bench.result import Document, Run, together
from ovsnet.bench.shard import Shard
from ovsnet.errors import UsageError


def merge(documents: Sequence[Document]) -> Document:
    """One document as if one machine had done all. Raises UsageError when they are not shards of one run. Shards that
    are missing are a problem of every run."""
    first = documents[0]
    shards = [shard for document in documents for shard in document.shards]
    _require_one_bench(documents, shards)
    return Document(
        command=first.command,
        began=min(document.began for document in documents),
        machines=list({machine.node: machine for document in documents for machine in document.machines}.values()),
        versions={name: number for document in documents for name, number in document.versions.items()},
        seed=first.seed,
        shards=sorted(shards),
        runs=[_whole(group, _missing(shards)) for group in _same_runs(documents)],
    )


def _whole(group: Sequence[Run[Any]], missing: Sequence[str]) -> Run[Any]:
    run = together(group)
    run.problems += [f"{run.name}: shard {shard} is missing." for shard in missing]
    return run


def _missing(shards: Sequence[str]) -> list[str]:
    of = Shard.parse(shards[0]).of
    return [shard for number in range(1, of + 1) if (shard := str(Shard(number, of))) not in shards]


def _same_runs(documents: Sequence[Document]) -> list[list[Run[Any]]]:
    groups: dict[tuple[str, str, int], list[Run[Any]]] = {}
    for document in documents:
        for run in document.runs:
            groups.setdefault((run.kind, run.name, run.round), []).append(run)
    return list(groups.values())


def _require_one_bench(documents: Sequence[Document], shards: Sequence[str]) -> None:
    if len(shards) < len(documents):
        raise UsageError(
            "One of the files is not a shard: it was made without --shard.",
            remedy="Merge the files of one bench that ran with --shard 1/n to n/n. bench compare is for two benches.",
        )
    if twice := next((shard for shard in shards if shards.count(shard) > 1), None):
        raise UsageError(f"Two of the files are shard {twice}.", remedy="Name each file once.")
    if len({shard.partition("/")[2] for shard in shards}) > 1:
        raise UsageError(f"Shards {', '.join(sorted(shards))} do not belong to one bench.")
    if len({tuple(sorted({(run.kind, run.name) for run in document.runs})) for document in documents}) > 1:
        raise UsageError("The files hold different runs.", remedy="Run the same command for every shard.")
