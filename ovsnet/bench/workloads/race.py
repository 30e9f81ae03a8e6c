"""``bench race``: many one-shot clients at once, and three ways to meet a full backlog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ovsnet.bench.cells import cpu_of_each, milliseconds, percentiles
from ovsnet.bench.node_address import address_of, require_one_node
from ovsnet.bench.option import ADDRESS, DEADLINE, NODE, Number, Option, Whole, Words, rounds
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.race import Race, RaceMeasures, Strategy, measure
from ovsnet.bench.result import Run
from ovsnet.bench.workload import OnNode, Request, Workload
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir

OPTIONS = (
    Option("protocol", Words("openflow", "ovsdb")),
    Option("--clients", Whole(1, 4096), "Number of concurrent clients.", 256),
    Option("--count", Whole(1, 10_000_000), "Total number of connections. [8 per client]"),
    Option("--rate", Number(0.1, 1e6), "Open loop: arrivals per second, however slow the answers are."),
    Option(
        "--strategy", str, "How clients connect: naive, retry, gated or gated:N; repeat to compare.",
        ("naive", "retry", "gated"), name="strategies", many=True, metavar="STRATEGY",
    ),
    rounds(3),
    DEADLINE,
    ADDRESS,
)  # fmt: skip


def plan(
    *, protocol: ProtocolName, clients: int, count: int | None, rate: float | None, strategies: Sequence[str],
    rounds: int, deadline: float, address: str | None, request: Request,
) -> OnNode:  # fmt: skip
    """Race many clients to connect, get an echo and close, on br-int.mgmt (openflow) or db.sock (ovsdb).

    \b
    Examples:
      ovsnet bench race openflow
      ovsnet bench race ovsdb --clients 1000 --strategy naive --strategy gated:16 --report race.html
      ovsnet bench race openflow --node --clients 16
    """
    named = None if address is None else Address.parse(address)
    parsed = [Strategy.parse(strategy) for strategy in strategies]
    count = count or 8 * clients
    request.shard.require_parts(clients=clients, count=count)
    require_one_node(request, named)

    def plans(rundir: Rundir) -> Sequence[Race]:
        where = named or address_of(protocol, request.node_settings, rundir)
        tls = request.node_settings.tls
        return [Race(protocol, where, clients, count, strategy, rate, deadline, tls) for strategy in parsed]

    return OnNode(rounds, plans)


def columns(run: Run[RaceMeasures]) -> Mapping[str, str]:
    """Counts, latencies, CPU, and the canary's echo at rest and under load."""
    found = run.measures
    at_rest, under_load = (milliseconds(echoes, 0.99) for echoes in (found.canary_at_rest, found.canary))
    return {
        "race": run.name,
        "done": str(found.done),
        "lost": str(found.lost),
        "EAGAIN": str(found.backlog_full),
        "per s": f"{run.rate:.0f}",
        **percentiles(found.from_connect),
        "arrival p99": milliseconds(found.from_arrival, 0.99),
        "lag p99": milliseconds(found.generator_lag, 0.99),
        **cpu_of_each(run),
        "bystander p99": f"{at_rest} -> {under_load}",
    }


def losses(runs: Sequence[Run[RaceMeasures]]) -> Iterator[str]:
    """Why clients were lost, in all rounds."""
    rounds: dict[str, list[Run[RaceMeasures]]] = {}
    for run in runs:
        rounds.setdefault(run.name, []).append(run)
    for name, named in rounds.items():
        lost_by = RaceMeasures.added(run.measures for run in named).lost_by
        yield from (f"{name}: {times} lost {why}" for why, times in lost_by.items())


def plots(runs: Sequence[Run[RaceMeasures]]) -> Iterator[str]:
    """Latencies, and the canary's."""
    from ovsnet.bench.report_latency import latency  # matplotlib is an extra

    yield from latency("Latency from arrival", "from_arrival", runs, of_each=True)
    yield from latency("What a bystander's echo suffered", "canary", runs)


WORKLOAD = Workload(
    kind="race",
    options=OPTIONS,
    settings=NODE,
    plan=plan,
    measures=RaceMeasures,
    measure=measure,
    columns=columns,
    cost="This load crowds the host's daemon: other clients wait, or are refused when its backlog is full.",
    remarks=losses,
    plots=plots,
)
