"""How much of "20 seconds or 2 minutes" does each cause explain, and what does each setting save?

``python -m bench.causes`` restarts daemons of sandbox nodes in every way that is blamed, keeps all samples in
``bench/results/causes-*.json``, and writes the tables and plots of ``bench/README.md``. It takes some ten minutes.
``python -m bench.causes hammer order`` does two sections only; ``python -m bench.causes write`` measures nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure
from msgspec.structs import replace

from bench.sections import main
from ovsnet.bench.race import Strategy
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.report_restart import timeline
from ovsnet.bench.restart import NODE_TIMEOUT, Restart, restart_on
from ovsnet.bench.result import Document, Run, in_turn
from ovsnet.bench.rounds import Announce, in_rounds
from ovsnet.bench.variant import DaemonName, Variant
from ovsnet.bench.versions import versions
from ovsnet.bench.workload import Turn
from ovsnet.bench.workloads.restart import WORKLOAD as RESTART
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox

HERE = Path(__file__).parent

FIRST_START = "first-start"
MANY = "many-ports"
MANY_PORTS = 3000
NAIVE = Strategy.parse("naive")


@dataclass(frozen=True, slots=True)
class Cause:
    """One section: what is restarted, how often, and the facts that its table shows."""

    key: str
    title: str
    planned: Sequence[Restart]
    shown: Sequence[str]
    rounds: int = 2

    @property
    def mark(self) -> str:
        return self.key

    @property
    def results(self) -> Path:
        return HERE / "results" / f"causes-{self.key}.json"

    async def measure(self, document: Document, announce: Announce) -> None:
        if self.key == FIRST_START:
            for number in range(self.rounds):
                for bridge in (True, False):
                    document.runs.append(await first_start(bridge=bridge, number=number))
        elif self.key == MANY:
            await _on_one_node(self, document, announce)
        else:
            await in_rounds(RESTART, self.planned, document, rounds=self.rounds, announce=announce)

    def content(self, document: Document) -> Sequence[str]:
        runs = [in_turn(rounds) for rounds in document.named().values()]
        return [*_table(runs, self.shown), "", _plot(self, runs), ""]


def _each(target: DaemonName, *variants: str, **shape: float) -> list[Restart]:
    many = {"ports": MANY_PORTS, "deadline": NODE_TIMEOUT} if shape.pop("many", 0) else {}
    return [Restart(target, Variant.parse(text), **{**shape, **many}) for text in variants]  # type: ignore[arg-type]


def _down(target: DaemonName, *seconds: float) -> list[Restart]:
    return [Restart(target, Variant.parse("plain"), down=each) for each in seconds]


def _under_load(target: DaemonName) -> list[Restart]:
    plain = Variant.parse("plain")
    return [Restart(target, plain, clients, NAIVE if clients else None) for clients in (0, 100, 1000)]


CAUSES = (
    Cause(FIRST_START, "A node's first start", [], ("ready",), rounds=3),
    Cause(
        "backoff",
        "ovn-controller's backoff, by how long the switch was away",
        _down("ovs-vswitchd", 0, 1.5, 4, 10),
        ("openflow", "flows", "short_of_flows"),
    ),
    Cause(
        "carried-over",
        "Backoff that is carried over from restarts right before",
        _each("ovs-vswitchd", "carried-over:1", "carried-over:2", "carried-over:3"),
        ("openflow", "flows", "short_of_flows"),
    ),
    Cause(
        "order",
        "ovn-controller started too early, at once, or by `ovsnet wait`",
        _each("ovs-vswitchd", "together", "ahead:2", "ahead:3.5", "waited:0", "waited:2", "waited:3.5"),
        ("openflow", "flows", "short_of_flows"),
    ),
    Cause(
        "hammer",
        "Clients that hammer br-int.mgmt",
        [*_under_load("ovs-vswitchd"), *_under_load("ovn-controller")],
        ("socket", "openflow", "flows", "ready"),
        rounds=4,
    ),
    Cause(
        "database",
        "ovsdb-server is away",
        _down("ovsdb-server", 0, 0.5, 3.5, 12),
        ("database", "openflow", "short_of_flows", "all_back"),
    ),
    Cause(
        "southbound",
        "The southbound database is away",
        [
            *_each("ovs-vswitchd", "southbound-down:5"),
            *_each("ovn-controller", "southbound-down:5"),
            *_each("southbound", "plain"),
            Restart("southbound", Variant.parse("plain"), raft=True),
        ],
        ("flows", "controller", "synced", "short_of_flows"),
    ),
    Cause(
        MANY,
        f"{MANY_PORTS} ports",
        [
            *_each("ovs-vswitchd", "plain", many=1),
            *_each("ovn-controller", "plain", "monitor-all", "wait-before-clear:8000", "released", many=1),
        ],
        ("flows", "all_flows", "ready", "short_of_flows"),
        rounds=1,
    ),
)


async def _on_one_node(cause: Cause, document: Document, announce: Announce) -> None:
    """A node with thousands of ports takes up to two minutes to make: one serves all."""
    announce(f"making a node with {MANY_PORTS} ports", 1)
    made = Run(
        kind=RESTART.kind, name=f"{MANY_PORTS} ports, first start", measures=RestartMeasures(), began=time.time()
    )
    async with Sandbox(ports=MANY_PORTS) as node:
        await node.wait_ready(NODE_TIMEOUT)
        made.ended = time.time()
        made.measures.done, made.measures.ready = 1, [made.ended - made.began]
        document.runs.append(made)
        document.versions = await versions(Rundir(node.rundir, node.rundir))

        async def measure(plan: Restart, run: Run[RestartMeasures], turn: Turn) -> None:
            turn.begin(run)
            await restart_on(node, plan, run)

        on_node = replace(RESTART, measure=measure)
        await in_rounds(on_node, cause.planned, document, rounds=cause.rounds, announce=announce)


async def first_start(*, bridge: bool, number: int) -> Run[RestartMeasures]:
    """A node's very first start: who makes br-int decides whether its first connect finds a socket."""
    name = f"br-int made {'before' if bridge else 'by ovn-controller'}"
    run = Run(kind=RESTART.kind, name=name, round=number, measures=RestartMeasures(), began=time.time())
    async with Sandbox(bridge=bridge) as node:
        await node.wait_ready(NODE_TIMEOUT)
        run.ended = time.time()
    run.measures.done, run.measures.ready = 1, [run.ended - run.began]
    return run


def _table(runs: Sequence[Run[RestartMeasures]], shown: Sequence[str]) -> Iterator[str]:
    yield "| restart | rounds | " + " | ".join(map(RestartMeasures.title, shown)) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for run in runs:
        samples = dict(run.measures.samples())
        yield f"| {run.name} | {run.done} | " + " | ".join(_spread(samples.get(fact, [])) for fact in shown) + " |"


def _spread(values: Sequence[float]) -> str:
    """Median, fastest and slowest; one value stands alone."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.2f} s"
    return f"**{median(values):.2f} s** ({min(values):.2f} to {max(values):.2f})"


def _plot(cause: Cause, runs: Sequence[Run[RestartMeasures]]) -> str:
    figure = Figure(figsize=(11, 1.5 + 0.5 * len(runs)), layout="constrained")
    timeline(figure.subplots(), runs)
    figure.savefig(HERE / f"causes-{cause.key}.png", dpi=80, metadata={"Software": None})
    return f"![{cause.title}](causes-{cause.key}.png)"


if __name__ == "__main__":
    sys.exit(1 if main("bench.causes", CAUSES, sys.argv[1:]) else 0)
