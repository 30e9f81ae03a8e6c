"""``bench storm``: every chassis loses the southbound at once, and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ovsnet.bench.cells import milliseconds
from ovsnet.bench.harness import require_files
from ovsnet.bench.option import Duration, Option, Whole, Words, rounds
from ovsnet.bench.result import Run
from ovsnet.bench.storm.measure import measure
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.storm import FaultName, Scheme, Storm, require_possible
from ovsnet.bench.storm.sweep import figures, sweeps, verdict
from ovsnet.bench.workload import Figure, OnOwnNodes, Request, Workload
from ovsnet.config import Group
from ovsnet.errors import UsageError

ARRIVALS_PER_SECOND = 200

OPTIONS = (
    Option("--chassis", Whole(1, 10_000), "Number of chassis; repeat to compare.", (100,), name="numbers", many=True),
    Option(
        "--probe-interval", Duration(0, 3600), "Probe interval of each chassis; repeat to sweep, 0 for no probes.",
        (5.0,), name="intervals", many=True,
    ),
    Option("--scheme", Words("unix", "tcp", "ssl"), "How the chassis reach the sandbox's southbound.", "unix"),
    Option("--raft", bool, "Make the sandbox's southbound a cluster of three."),
    Option("--ports", Whole(1, 10_000), "Logical ports in the sandbox.", 100),
    Option("--fault", Words("kill", "freeze", "none"), "Fault injected into the leader. [kill]"),
    Option("--fault-time", Duration(0, 600), "How long the leader stays dead or frozen.", 2.0),
    Option(
        "--over", Duration(0, 3600), "Time over which the chassis join; 0 for all at once. [200 a second]",
    ),
    Option(
        "--hold", Duration(0, 86400), "How long to watch once all have joined. [two probe intervals, at least 3]",
    ),
    Option(
        "--patience", Duration(0.1, 3600), "Time limit for all to join, and to come back.", 120.0
    ),
    Option("--monitor-all", bool, "Monitor everything from every chassis, as with ovn-monitor-all."),
    Option("--register", bool, "Write a Chassis row for each, of which all others are notified."),
    Option("--workers", Whole(1, 64), "Number of processes. [one per processor or per 1000 chassis]"),
    Option("--address", str, "Real southbound, such as tcp:10.0.0.1:6642,tcp:10.0.0.2:6642.", metavar="ADDRESSES"),
    rounds(1),
)  # fmt: skip


def plan(
    *, numbers: Sequence[int], intervals: Sequence[float], scheme: Scheme, raft: bool, ports: int,
    fault: FaultName | None, fault_time: float, over: float | None, hold: float | None, patience: float,
    monitor_all: bool, register: bool, workers: int | None, address: str | None, rounds: int, request: Request,
) -> OnOwnNodes:  # fmt: skip
    """Have simulated chassis monitor a southbound, lose its leader, and all reconnect.

    Each connects, probes, gives up and backs off as ovn-controller does. Every run has its own sandbox, unless
    --address names a real southbound, on which no fault is injected and nothing is written. Reports the smallest probe
    interval (ovn-remote-probe-interval) at which no chassis disconnected from a healthy server.
    """
    planned = [
        Storm(
            chassis=number,
            probe_interval=interval,
            address=address,
            scheme=scheme,
            raft=raft,
            ports=ports,
            fault=fault or ("none" if address else "kill"),
            fault_seconds=fault_time,
            ramp_seconds=number / ARRIVALS_PER_SECOND if over is None else over,
            hold=hold,
            sync_timeout=patience,
            monitor_all=monitor_all,
            register=register,
            workers=workers,
            tls=request.settings.tls,
        )
        for number in numbers
        for interval in intervals
    ]
    if address and request.sandbox and request.named:
        raise UsageError("--sandbox and --address exclude each other.", remedy="Omit one of them.")
    for each in planned:
        require_possible(each, request.shard)
    require_files(max(numbers))  # or the largest would fail after all others were measured
    return OnOwnNodes(rounds, planned)


def columns(run: Run[StormMeasures]) -> Mapping[str, str]:
    """False disconnects, times, and what it cost."""
    found, times = run.measures, figures(run)
    return {
        "storm": run.name,
        "synced": str(found.done),
        "false disconnects": "-" if found.false_disconnects is None else str(found.false_disconnects),
        "of them unheard": str(found.gave_up_unheard),
        "connect timeouts": str(found.connect_timeouts),
        "all joined s": _seconds(times.all_joined),
        "all back s": _seconds(times.all_back),
        "probe p99 ms": milliseconds(found.probe, 0.99),
        "lag max ms": milliseconds(found.generator_lag, 1.0),
        **{f"{who} CPU s": f"{used:.2f}" for who, used in run.cpu_seconds.items()},
        **{f"{who} MiB": str(peak >> 20) for who, peak in run.peak_bytes.items()},
    }


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"


def verdicts(runs: Sequence[Run[StormMeasures]]) -> Iterator[str]:
    """One of each sweep."""
    yield from (verdict(sweep) for sweep in sweeps(runs))


def plots(runs: Sequence[Run[StormMeasures]]) -> Iterator[str]:
    """The sweeps, and when each chassis was back."""
    from ovsnet.bench.report_storm import plots as drawn  # matplotlib is an extra

    return drawn(runs)


WORKLOAD = Workload(
    kind="storm",
    options=OPTIONS,
    settings=(Group.TLS,),
    plan=plan,
    measures=StormMeasures,
    measure=measure,
    columns=columns,
    fresh_rounds=True,
    cost="This load slows the southbound at that address: the real chassis wait for it meanwhile.",
    remarks=verdicts,
    figures=(
        # The rate of a storm would be that of its own waiting.
        Figure("false disconnects", "", lambda run: run.measures.false_disconnects),
        Figure("all joined", "s", lambda run: figures(run).all_joined),
        Figure("all synced again", "s", lambda run: figures(run).all_back),
    ),
    plots=plots,
)
