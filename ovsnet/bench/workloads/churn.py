"""``bench churn``: what northd and many ovn-controllers make of changes of the northbound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ovsnet.bench.cells import milliseconds
from ovsnet.bench.churn import Churn, ChurnMeasures, measure
from ovsnet.bench.option import Duration, Option, Whole, rounds
from ovsnet.bench.result import ENGINE, Run
from ovsnet.bench.workload import Job, OnOwnNodes, Request, Workload
from ovsnet.errors import UsageError

OPTIONS = (
    Option(
        "--chassis",
        Whole(3, 20),
        "Number of nodes on one southbound; repeat to compare.",
        (3,),
        name="numbers",
        many=True,
    ),
    Option("--changes", Whole(1, 10_000), "Number of ports to add.", 100),
    Option("--ports", Whole(0, 10_000), "Number of ports that exist before the first change.", 50),
    Option("--at-once", Whole(1, 100), "Number of changes in flight at once.", 1),
    Option("--deadline", Duration(0.1, 600), "Time limit for a change.", default=30.0),
    rounds(3),
)


def plan(
    *, numbers: Sequence[int], changes: int, ports: int, at_once: int, deadline: float, rounds: int, request: Request
) -> Job:
    """Add logical ports, and report when their own chassis and when all chassis have the flows.

    Every round has its own network: a central node, and a real Open vSwitch and ovn-controller for each chassis.
    Recomputes are how often ovn-northd and ovn-controller computed all their flows from nothing.
    """
    if not request.sandbox:
        raise UsageError("churn writes to the northbound, so it runs only in sandboxes.", remedy="Omit --node.")
    if request.shard.of > 1:
        raise UsageError("churn cannot be split into shards.", remedy="Omit --shard.")
    return OnOwnNodes(rounds, [Churn(number, changes, ports, at_once, deadline) for number in numbers])


def columns(run: Run[ChurnMeasures]) -> Mapping[str, str]:
    """Times, recomputes for each change, and what each daemon used, all chassis together."""
    found = run.measures
    return {
        "churn": run.name,
        "done": str(found.done),
        "lost": str(found.lost),
        "installed p50 ms": milliseconds(found.installed, 0.5),
        "p99 ms": milliseconds(found.installed, 0.99),
        "everywhere p50 ms": milliseconds(found.everywhere, 0.5),
        "everywhere p99 ms": milliseconds(found.everywhere, 0.99),
        **{f"{who} recomputes": str(count) for who, count in sorted(found.recomputes.items())},
        **{f"{who} ms": f"{used / 1e3:.1f}" for who in run.cpu_seconds if (used := run.cpu_us(who)) is not None},
        **{f"{who} MiB": str(peak >> 20) for who, peak in run.peak_bytes.items() if who != ENGINE},
    }


def plots(runs: Sequence[Run[ChurnMeasures]]) -> Iterator[str]:
    """Both times."""
    from ovsnet.bench.report_latency import latency  # matplotlib is an extra

    yield from latency("From a change until its port has its flows", "installed", runs, of_each=True)
    yield from latency("From a change until all chassis have it", "everywhere", runs, of_each=True)


WORKLOAD = Workload(
    kind="churn",
    options=OPTIONS,
    settings=(),
    plan=plan,
    measures=ChurnMeasures,
    measure=measure,
    columns=columns,
    fresh_rounds=True,
    plots=plots,
)
