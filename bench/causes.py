"""How much of "20 seconds or 2 minutes" does each cause explain, and what does each setting save?

``python -m bench.causes`` restarts daemons of sandbox nodes in every way that is blamed, keeps all samples in
``bench/results/causes-*.json``, and writes the tables and plots of ``bench/README.md``. ``--help`` says how long it
takes. ``python -m bench.causes hammer order`` does two sections only, and ``write`` measures nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from msgspec.structs import replace

from bench.page import README, spread
from bench.sections import main
from bench.suites import generation, with_suite
from ovsnet.bench.cells import ENOUGH
from ovsnet.bench.machine import busy_cores
from ovsnet.bench.race import Strategy
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.report_restart import timeline
from ovsnet.bench.restart import NODE_TIMEOUT, Restart, restart_on
from ovsnet.bench.result import Document, Run, in_turn
from ovsnet.bench.rounds import Announce, in_rounds
from ovsnet.bench.variant import DaemonName, Variant
from ovsnet.bench.workload import Turn
from ovsnet.bench.workloads.restart import WORKLOAD as RESTART
from ovsnet.sandbox.node import Sandbox

HERE = Path(__file__).parent

FIRST_START = "first-start"
MANY = "many-ports"
MANY_PORTS = 3000
NAIVE = Strategy.parse("naive")


@dataclass(frozen=True, slots=True)
class Cause:
    """One section: what is restarted, the facts that its table shows, and the seconds that a round takes."""

    key: str
    title: str
    planned: Sequence[Restart]
    shown: Sequence[str]
    seconds: float
    rounds: int = ENOUGH
    page: Path = README

    @property
    def mark(self) -> str:
        return self.key

    @property
    def stem(self) -> str:
        return f"causes-{self.key}"

    async def measure(self, document: Document, announce: Announce, rounds: int) -> None:
        if self.key == FIRST_START:
            for number in range(rounds):
                for bridge in (True, False):
                    document.runs.append(await first_start(bridge=bridge, number=number))
        elif self.key == MANY:
            await _on_one_node(self, document, announce, rounds)
        else:
            await in_rounds(RESTART, self.planned, document, rounds=rounds, announce=announce, busy=busy_cores)

    def content(self, kept: Mapping[str, Document]) -> Sequence[str]:
        found = {suite: [in_turn(rounds) for rounds in document.named().values()] for suite, document in kept.items()}
        rows = [(run, generation(kept[suite].versions)) for suite, runs in found.items() for run in runs]
        plots = [line for suite, runs in found.items() for line in (_plot(self, runs, suite), "")]
        return [*_table(rows, self.shown), "", *plots]


def _each(target: DaemonName, *variants: str, **shape: float) -> list[Restart]:
    many = {"ports": MANY_PORTS, "deadline": NODE_TIMEOUT} if shape.pop("many", 0) else {}
    return [Restart(target, Variant.parse(text), **{**shape, **many}) for text in variants]  # type: ignore[arg-type]


def _down(target: DaemonName, *seconds: float) -> list[Restart]:
    return [Restart(target, Variant.parse("plain"), down=each) for each in seconds]


def _under_load(target: DaemonName) -> list[Restart]:
    plain = Variant.parse("plain")
    return [Restart(target, plain, clients, NAIVE if clients else None) for clients in (0, 100, 1000)]


CAUSES = (
    Cause(FIRST_START, "A node's first start", [], ("ready",), seconds=2),
    Cause(
        "backoff",
        "ovn-controller's backoff, by how long the switch was away",
        _down("ovs-vswitchd", 0, 1.5, 4, 10),
        ("openflow", "flows", "short_of_flows"),
        seconds=30,
    ),
    Cause(
        "carried-over",
        "Backoff that is carried over from restarts right before",
        _each("ovs-vswitchd", "carried-over:1", "carried-over:2", "carried-over:3"),
        ("openflow", "flows", "short_of_flows"),
        seconds=29,
    ),
    Cause(
        "order",
        "ovn-controller started too early, at once, or by `ovsnet wait`",
        _each("ovs-vswitchd", "together", "ahead:2", "ahead:3.5", "waited:0", "waited:2", "waited:3.5"),
        ("openflow", "flows", "short_of_flows"),
        seconds=24,
    ),
    Cause(
        "hammer",
        "Clients that hammer br-int.mgmt",
        [*_under_load("ovs-vswitchd"), *_under_load("ovn-controller")],
        ("socket", "openflow", "flows", "ready"),
        seconds=12,
    ),
    Cause(
        "database",
        "ovsdb-server is away",
        _down("ovsdb-server", 0, 0.5, 3.5, 12),
        ("database", "openflow", "short_of_flows", "all_back"),
        seconds=29,
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
        seconds=22,
    ),
    Cause(
        MANY,
        f"{MANY_PORTS} ports",
        [
            *_each("ovs-vswitchd", "plain", many=1),
            *_each("ovn-controller", "plain", "monitor-all", "wait-before-clear:8000", "released", many=1),
        ],
        ("flows", "all_flows", "ready", "short_of_flows"),
        seconds=116,
    ),
)


async def _on_one_node(cause: Cause, document: Document, announce: Announce, rounds: int) -> None:
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

        async def measure(plan: Restart, run: Run[RestartMeasures], turn: Turn) -> None:
            turn.begin(run)
            await restart_on(node, plan, run)

        on_node = replace(RESTART, measure=measure)
        await in_rounds(on_node, cause.planned, document, rounds=rounds, announce=announce, busy=busy_cores)


async def first_start(*, bridge: bool, number: int) -> Run[RestartMeasures]:
    """A node's very first start: who makes br-int decides whether its first connect finds a socket."""
    name = f"br-int made {'before' if bridge else 'by ovn-controller'}"
    run = Run(kind=RESTART.kind, name=name, round=number, measures=RestartMeasures(), began=time.time())
    async with Sandbox(bridge=bridge) as node:
        await node.wait_ready(NODE_TIMEOUT)
        run.ended = time.time()
    run.measures.done, run.measures.ready = 1, [run.ended - run.began]
    return run


def _table(rows: Sequence[tuple[Run[RestartMeasures], str]], shown: Sequence[str]) -> Iterator[str]:
    yield "| restart | generation | n | " + " | ".join(map(RestartMeasures.title, shown)) + " |"
    yield "|---|---|---|" + "---|" * len(shown)
    for run, versions in rows:
        samples = dict(run.measures.samples())
        cells = (f"{spread(samples[fact])} s" if samples.get(fact) else "-" for fact in shown)
        yield f"| {run.name} | {versions} | {run.done} | " + " | ".join(cells) + " |"


def _plot(cause: Cause, runs: Sequence[Run[RestartMeasures]], suite: str) -> str:
    figure = Figure(figsize=(11, 1.5 + 0.5 * len(runs)), layout="constrained")
    timeline(figure.subplots(), runs)
    name = f"{with_suite(cause.stem, suite)}.png"
    figure.savefig(HERE / name, dpi=80, metadata={"Software": None})
    return f"![{cause.title}, {suite}]({name})"


if __name__ == "__main__":
    sys.exit(1 if main("bench.causes", CAUSES, sys.argv[1:]) else 0)
