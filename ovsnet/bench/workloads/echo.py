"""``bench echo``: throughput and latency of held connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ovsnet.bench.cells import cpu_of_each, percentiles
from ovsnet.bench.echo import Echo, EchoMeasures, measure
from ovsnet.bench.harness import require_files
from ovsnet.bench.node_address import address_of, require_one_node
from ovsnet.bench.option import ADDRESS, DEADLINE, NODE, Option, Whole, Words, rounds
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.result import ENGINE, Run
from ovsnet.bench.workload import OnNode, Request, Workload
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir

OPTIONS = (
    Option("protocol", Words("openflow", "ovsdb", "unixctl")),
    Option("--connections", Whole(1, 4096), "Number of held connections; repeat to compare.", (1, 8), many=True),
    Option(
        "--window",
        Whole(1, 4096),
        "Requests in flight on each connection; repeat to compare.",
        (1, 16, 64),
        name="windows",
        many=True,
    ),
    Option("--count", Whole(1, 100_000_000), "Number of requests.", 20_000),
    rounds(3),
    DEADLINE,
    ADDRESS,
)


def plan(
    *, protocol: ProtocolName, connections: Sequence[int], windows: Sequence[int], count: int, rounds: int,
    deadline: float, address: str | None, request: Request,
) -> OnNode:  # fmt: skip
    """Measure throughput and latency of held connections, for each number of connections and each window."""
    named = None if address is None else Address.parse(address)
    request.shard.require_parts(connections=min(connections), count=count)
    require_one_node(request, named)
    require_files(max(connections))  # or the largest would fail after all others were measured

    def plans(rundir: Rundir) -> Sequence[Echo]:
        where = named or address_of(protocol, request.node_settings, rundir)
        return [
            Echo(protocol, where, number, window, count, deadline, request.node_settings.tls)
            for number in connections
            for window in windows
        ]

    return OnNode(rounds, plans)


def columns(run: Run[EchoMeasures]) -> Mapping[str, str]:
    """Throughput, latency and CPU."""
    found = run.measures
    return {
        "echo": run.name,
        "done": str(found.done),
        "per s": f"{run.rate:.0f}",
        **percentiles(found.from_request),
        **cpu_of_each(run),
        **_busy(run),
    }


def _busy(run: Run[EchoMeasures]) -> Mapping[str, str]:
    """What part of the time the daemon's main thread ran: the rate as a share of what it can serve at most."""
    seconds = run.ended - run.began
    daemons = [used for who, used in run.cpu_seconds.items() if who != ENGINE]
    return {"daemon busy": f"{daemons[0] / seconds:.2f}"} if daemons and seconds else {}


def plots(runs: Sequence[Run[EchoMeasures]]) -> Iterator[str]:
    """Latencies."""
    from ovsnet.bench.report_latency import latency  # matplotlib is an extra

    return latency("Latency from request", "from_request", runs, of_each=True)


WORKLOAD = Workload(
    kind="echo",
    options=OPTIONS,
    settings=NODE,
    plan=plan,
    measures=EchoMeasures,
    measure=measure,
    columns=columns,
    cost="This load keeps the host's daemon busy: other clients wait longer, and it uses up to one core.",
    plots=plots,
)
