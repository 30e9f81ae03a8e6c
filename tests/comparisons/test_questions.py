"""Every question has a target and a peer, and says when it fell short. The figures here are made up."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import random
import time
from collections.abc import Sequence
from contextlib import aclosing

import pytest

import bench
from bench import (
    agent_at_rest,
    comparison,
    crowd,
    echo,
    flow_dump,
    laps,
    openflow_codec,
    openflow_echo,
    ovsdb_echo,
    ovsdb_large,
    ovsdb_rows,
    ports,
    race,
    reaction,
    readyz,
    round_of_checks,
)
from bench.comparison import Row
from bench.laps import checks as checks_lap
from bench.laps import openflow_codec as codec_lap
from bench.laps.pipeline import EchoPipeline
from bench.laps.report import Cost
from bench.processes import Memory, Spent
from bench.questions import FULL, QUICK
from ovsnet.bench.echo import EchoMeasures
from ovsnet.bench.race import RaceMeasures
from ovsnet.bench.result import ENGINE, Run
from ovsnet.config import Settings
from ovsnet.io.address import Address
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

NEED_A_PEER = {"os_ken_codec", "os_ken_flows", "ovsdbapp_rows"}
"""Laps that run on a peer's interpreter alone."""


def costs(us: float) -> list[Cost]:
    """Two rounds at so many microseconds each."""
    return [Cost(1000, us / 1000, us / 1000)] * 2


def race_run(rate: float, *, engine_us: float, p99_ms: float, lost: int = 0) -> Run[RaceMeasures]:
    measures = RaceMeasures(done=1000, lost=lost)
    run = Run(kind="race", name="made up", ended=1000 / rate, measures=measures)
    run.cpu_seconds = {ENGINE: engine_us / 1000, "ovs-vswitchd": 0.05}
    measures.from_connect.record(int(p99_ms * 1e6), 1000)
    measures.from_arrival.record(int(p99_ms * 2e6), 1000)
    return run


def echo_run(rate: float, daemon_us: float) -> Run[EchoMeasures]:
    run = Run(kind="echo", name="made up", ended=1000 / rate, measures=EchoMeasures(done=1000))
    run.cpu_seconds = {ENGINE: 0.002, "ovs-vswitchd": daemon_us / 1000}
    return run


PROBES = [race.Probed(Spent(wall=1.0, cpu=1.0), daemon_us=200.0)]
ROUND = [Cost(1, wall=0.002, cpu=0.0015)] * 2
LARGE = {
    "sync_cpu_s": 1.0,
    "memory_mb": 200.0,
    "longest_ms": 9.0,
    "longest_without_collector_ms": 5.0,
    "resume_cpu_ms": 3.0,
    "share_of_a_core": 0.08,
}
ROWS: dict[str, Sequence[Row]] = {
    "openflow_echo": openflow_echo.rows(
        {mode: costs(2) for mode in openflow_echo.COUNTS}, [1e4] * 2, {"pipeline:64": [2.0], openflow_echo.PEER: [9.0]}
    ),
    "echo": echo.rows("openflow", [echo_run(2e5, 3.0)]),
    "race": race.rows("openflow", [race_run(2e4, engine_us=50, p99_ms=9)], PROBES),
    "openflow_codec": openflow_codec.rows(
        {"echo": costs(1), "ports": costs(9)}, {"echo": costs(4), "ports": costs(40)}
    ),
    "flow_dump": flow_dump.rows(costs(20), costs(90), [2.0], [0.5]),
    "ovsdb_echo": ovsdb_echo.rows(costs(10), costs(40)),
    "ovsdb_rows": ovsdb_rows.rows("copy", {ovsdb_rows.OURS: costs(1), **{peer: costs(9) for peer in ovsdb_rows.PEERS}}),
    "ovsdb_large": ovsdb_large.rows(100_000, [LARGE], [{"sync_cpu_s": 27.0, "memory_mb": 580.0}])
    + ovsdb_large.rows_of_most(1_000_000, [LARGE]),
    "round_of_checks": round_of_checks.rows([ROUND], [ROUND], [[Spent(0.02, 0.02)] * 2]),
    "readyz": readyz.rows([readyz.Served(1e4, 30.0)], [readyz.Served(1e4, 30.0)]),
    "agent_at_rest": agent_at_rest.rows(Memory(40.0, 38.0), [0.004], [0.003], [0.012]),
    "ports": ports.rows(
        [0.003],
        50.0,
        {ports.AGENT: [0.004], ports.PEER: [0.002], "ovsdb-server": [0.2], "ovs-vswitchd": [0.3]},
        {"ovsdb-server": [0.195], "ovs-vswitchd": [0.305]},
    ),
    "crowd": crowd.rows([[0.5] * 100], [[1.0] * 99 + [80.0]], [20.0], [9.0]),
    "reaction": reaction.rows(reaction.Reactions([0.001], [0.005], [0.005], [0.005], [3.2])),
}


def test_every_question_is_asked_and_tried_here() -> None:
    own = {
        "questions",
        "runner",
        "comparison",
        "peers",
        "processes",
        "causes",
        "storms",
        "churn",
        "aa",
        "page",
        "sections",
        "suites",
        "laps",
        "explain_speed",
        "ovsdb_block",
        "pod",
        "two_minutes",
        "two_minutes_page",
        "flood",
    }
    modules = {module.name for module in pkgutil.iter_modules(bench.__path__)} - {"__main__"}
    asked = {question.__name__.removeprefix("bench.") for question in FULL}
    assert asked == ROWS.keys() == modules - own
    assert set(QUICK) < set(FULL)


@pytest.mark.parametrize("question", ROWS)
def test_question_has_a_target_and_a_peer_and_passes_with_good_figures(question: str) -> None:
    rows = ROWS[question]
    assert {row.passed for row in rows if row.target} == {True}
    assert any(row.peers and row.peer for row in rows)
    assert all(row.target is None or row.target.of == "ours" or row.peers for row in rows)
    assert "inf" not in comparison.table(rows)


@pytest.mark.parametrize(
    "run",
    [
        race_run(9e3, engine_us=50, p99_ms=9),
        race_run(2e4, engine_us=61, p99_ms=9),
        race_run(2e4, engine_us=50, p99_ms=11),
        race_run(2e4, engine_us=50, p99_ms=9, lost=1),
    ],
    ids=["rate", "CPU", "latency", "loss"],
)
def test_race_falls_short_by_each_of_its_promises(run: Run[RaceMeasures]) -> None:
    verdicts = [row.passed for row in race.rows("openflow", [run], PROBES) if row.target]
    assert verdicts.count(False) == 1


def test_crowd_falls_short_by_late_probes_and_by_memory() -> None:
    late, kept = [[80.0] * 100], [30.0]
    verdicts = [row.passed for row in crowd.rows([[0.5] * 100], late, [20.0], kept) if row.target]
    assert verdicts == [False, False]


def test_echo_is_measured_by_what_the_daemon_could_serve() -> None:
    first = echo.rows("openflow", [echo_run(rate=1.9e5, daemon_us=3.0)])[0]
    assert first.ratio == pytest.approx(0.57)
    assert first.passed is False


@pytest.mark.parametrize("name", sorted({lap.name for lap in pkgutil.iter_modules(laps.__path__)} - NEED_A_PEER))
def test_lap_can_be_imported_and_says_what_it_measures(name: str) -> None:
    """A lap that needs more than what is installed for ovsnet fails here, and not after minutes of other laps."""
    assert importlib.import_module(f"bench.laps.{name}").__doc__


@pytest.mark.parametrize("which", checks_lap.CHOICES)
async def test_lap_of_checks_is_a_round_of_a_healthy_node(shared_node: Sandbox, which: str) -> None:
    """A check that builds on one which is not asked would never be. An answer may take long here."""
    rundir = Rundir(shared_node.rundir, shared_node.rundir)
    async with Node(Settings(timeout=PATIENCE), rundir, clock=time.monotonic, rng=random.Random(1)) as node:
        cost = await checks_lap.one_round(node, checks_lap.CHOICES[which])
    assert cost.cpu > 0


def test_messages_of_the_codec_laps_are_read() -> None:
    """The laps assert, for each message, that it was read as what it is."""
    codec_lap.echo(codec_lap.greeted(), 2)
    codec_lap.ports(codec_lap.greeted(), 2)


@pytest.mark.parametrize(("count", "window"), [(1, 1), (1, 64), (100, 1), (5000, 64), (100, 1000)])
async def test_pipeline_counts_every_echo_once(shared_node: Sandbox, count: int, window: int) -> None:
    address = Address.unix(shared_node.rundir / "br-int.mgmt")
    async with aclosing(EchoPipeline(address)) as pipeline, asyncio.timeout(PATIENCE):
        await pipeline.connect()
        for _ in range(2):
            await pipeline.run(count, window=window, payload=bytes(8))
            assert (pipeline.sent, pipeline.answered) == (count, count)


async def test_race_is_measured_beside_real_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROUNDS": 1, "CLIENTS": 16, "COUNT": 64, "PROBES": 8, "DEADLINE": 50}.items():
        monkeypatch.setattr(race, name, value)
    async with Sandbox(ovn=False) as node:
        await node.wait_ready()
        rows = await race.measure(node)
    assert [row.question.partition(":")[0] for row in rows[::6]] == [
        "16 clients race, openflow",
        "16 clients race, ovsdb",
    ]
    assert all(row.our_median > 0 for row in rows if row.unit)
    assert all(row.peer_median for row in rows if row.peers)


async def test_large_copy_is_measured_beside_the_real_peer(
    shared_node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ROUNDS": 1, "ROWS": 300, "MOST": 700, "UPDATES": 50, "AT_ONCE": 200, "NEEDED": 0}.items():
        monkeypatch.setattr(ovsdb_large, name, value)
    rows = await ovsdb_large.measure(shared_node)
    assert [row.question.partition(":")[0] for row in rows] == ["Copy of 300 rows"] * 6 + ["Copy of 700 rows"] * 4
    assert all(row.our_median > 0 for row in rows if not row.question.endswith("memory"))
