"""How much of "20 seconds or 2 minutes" does each cause explain, and what does each setting save?

``python -m bench.causes`` restarts daemons of sandbox nodes in every way that is blamed, keeps all samples in
``bench/results/causes-*.json``, and writes tables and plots of ``bench/README.md`` anew. It takes some ten minutes.
``python -m bench.causes hammer order`` does two sections only; ``python -m bench.causes write`` measures nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

from bench.page import README, platform, replaced
from ovsnet.bench.machine import this_machine
from ovsnet.bench.race import Strategy
from ovsnet.bench.report_restart import timeline
from ovsnet.bench.restart import NODE_TIMEOUT, Restart, restart_on, restarts
from ovsnet.bench.result import Document, Run, encode, in_turn, read
from ovsnet.bench.variant import Target, Variant
from ovsnet.bench.versions import versions
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox

HERE = Path(__file__).parent

WRITE = "write"
FIRST_START = "first-start"
MANY = "many-ports"
MANY_PORTS = 3000
NAIVE = Strategy.parse("naive")


@dataclass(frozen=True, slots=True)
class Cause:
    """One section: what is restarted, how often, and the samples that its table shows."""

    key: str
    title: str
    planned: Sequence[Restart]
    shown: Sequence[str]
    rounds: int = 2

    @property
    def results(self) -> Path:
        """The file with its samples."""
        return HERE / "results" / f"causes-{self.key}.json"


def _each(target: Target, *variants: str, **shape: float) -> list[Restart]:
    many = {"ports": MANY_PORTS, "deadline": NODE_TIMEOUT} if shape.pop("many", 0) else {}
    return [Restart(target, Variant.parse(text), **{**shape, **many}) for text in variants]  # type: ignore[arg-type]


def _down(target: Target, *seconds: float) -> list[Restart]:
    return [Restart(target, Variant.parse("plain"), down=each) for each in seconds]


def _hammered(target: Target) -> list[Restart]:
    plain = Variant.parse("plain")
    return [Restart(target, plain, clients, NAIVE if clients else None) for clients in (0, 100, 1000)]


CAUSES = (
    Cause(FIRST_START, "A node's first start", [], ("ready",), rounds=3),
    Cause(
        "backoff",
        "ovn-controller's backoff, by how long the switch was away",
        _down("ovs-vswitchd", 0, 1.5, 4, 10),
        ("openflow", "flows", "short of flows"),
    ),
    Cause(
        "carried-over",
        "Backoff that is carried over from restarts right before",
        _each("ovs-vswitchd", "carried-over:1", "carried-over:2", "carried-over:3"),
        ("openflow", "flows", "short of flows"),
    ),
    Cause(
        "order",
        "ovn-controller started too early, at once, or by `ovsnet wait`",
        _each("ovs-vswitchd", "together", "ahead:2", "ahead:3.5", "waited:0", "waited:2", "waited:3.5"),
        ("openflow", "flows", "short of flows"),
    ),
    Cause(
        "hammer",
        "Clients that hammer br-int.mgmt",
        [*_hammered("ovs-vswitchd"), *_hammered("ovn-controller")],
        ("socket", "openflow", "flows", "ready"),
        rounds=4,
    ),
    Cause(
        "database",
        "ovsdb-server is away",
        _down("ovsdb-server", 0, 0.5, 3.5, 12),
        ("database", "openflow", "short of flows", "all back"),
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
        ("flows", "controller", "synced", "short of flows"),
    ),
    Cause(
        MANY,
        f"{MANY_PORTS} ports",
        [
            *_each("ovs-vswitchd", "plain", many=1),
            *_each("ovn-controller", "plain", "monitor-all", "wait-before-clear:8000", "released", many=1),
        ],
        ("flows", "all flows", "ready", "short of flows"),
        rounds=1,
    ),
)


async def measure(cause: Cause, document: Document) -> None:
    """One section; what takes long is said on stderr."""
    began = time.monotonic()

    def tell(title: str, total: int) -> None:
        print(f"{cause.key}: {time.monotonic() - began:4.0f} s  {title}", file=sys.stderr, flush=True)

    if cause.key == FIRST_START:
        for number in range(cause.rounds):
            for bridge in (True, False):
                document.runs.append(await first_start(bridge=bridge, number=number))
    elif cause.key == MANY:
        await on_one_node(document, tell, cause)
    else:
        await restarts(document, tell, planned=cause.planned, rounds=cause.rounds)


async def on_one_node(document: Document, tell: Callable[[str, int], None], cause: Cause) -> None:
    """A node with thousands of ports takes up to two minutes to make: one serves all."""
    tell(f"making a node with {MANY_PORTS} ports", 1)
    began = time.time()
    async with Sandbox(ports=MANY_PORTS) as node:
        await node.wait_ready(NODE_TIMEOUT)
        made = Run(kind="restart", name=f"{MANY_PORTS} ports, first start", began=began, ended=time.time())
        made.count("done")
        made.samples["ready"] = [made.ended - began]
        document.runs.append(made)
        document.versions = await versions(Rundir(node.rundir, node.rundir))
        for number in range(cause.rounds):
            for plan in cause.planned:
                tell(f"{plan.name}, round {number + 1} of {cause.rounds}", 1)
                await restart_on(node, document, plan, number)


async def first_start(*, bridge: bool, number: int) -> Run:
    """A node's very first start: who makes br-int decides whether its first connect finds a socket."""
    run = Run(kind="restart", name=f"br-int made {'before' if bridge else 'by ovn-controller'}", round=number)
    run.began = time.time()
    async with Sandbox(bridge=bridge) as node:
        await node.wait_ready(NODE_TIMEOUT)
        run.ended = time.time()
    run.count("done")
    run.samples["ready"] = [run.ended - run.began]
    return run


def write() -> list[str]:
    """The tables and plots of all that was measured, between their marks in the README. Returns the problems."""
    text = README.read_text()
    problems = []
    for cause in CAUSES:
        if not cause.results.exists():
            continue
        document = read(cause.results)
        problems += document.problems
        runs = [in_turn(rounds) for rounds in document.named().values()]
        parts = [*_table(runs, cause.shown), "", _plot(cause, runs), "", *platform(document)]
        text = replaced(text, cause.key, "\n".join(parts))
    README.write_text(text)
    return problems


def _table(runs: Sequence[Run], shown: Sequence[str]) -> Iterator[str]:
    yield "| restart | rounds | " + " | ".join(shown) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for run in runs:
        yield f"| {run.name} | {run.done} | " + " | ".join(_spread(run.samples.get(what, [])) for what in shown) + " |"


def _spread(values: Sequence[float]) -> str:
    """Median, fastest and slowest; one value stands alone."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.2f} s"
    return f"**{median(values):.2f} s** ({min(values):.2f} to {max(values):.2f})"


def _plot(cause: Cause, runs: Sequence[Run]) -> str:
    figure = Figure(figsize=(11, 1.5 + 0.5 * len(runs)), layout="constrained")
    timeline(figure.subplots(), runs)
    figure.savefig(HERE / f"causes-{cause.key}.png", dpi=80, metadata={"Software": None})
    return f"![{cause.title}](causes-{cause.key}.png)"


def main(words: Sequence[str]) -> None:
    """Measure the sections that are named, or all, and write the page. Exit code 1 when a run had a problem."""
    logging.getLogger("ovsnet").disabled = True
    known = {cause.key: cause for cause in CAUSES}
    if unknown := set(words) - set(known) - {WRITE}:
        raise SystemExit(f"There is no section {', '.join(unknown)}; there are {', '.join(known)}, and {WRITE}.")
    for key in [] if WRITE in words else words or known:
        document = Document(
            command=f"python -m bench.causes {key}",
            began=datetime.now(UTC).isoformat(timespec="seconds"),
            machines=[this_machine()],
        )
        asyncio.run(measure(known[key], document))
        known[key].results.write_bytes(encode(document))
    sys.exit(1 if write() else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
