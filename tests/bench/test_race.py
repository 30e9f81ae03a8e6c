"""Races against a real switch and a real database."""

from __future__ import annotations

from random import Random

import anyio
import pytest

from ovsnet.bench.harness import measured, require_files
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.race import DEFAULT_LIMIT, Race, RaceMeasures, Racing, Strategy
from ovsnet.bench.result import ENGINE, Run
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

BACKLOG = 65
"""Connections that a listener of OVS holds unaccepted: listen(64) lets one more in (stream-unix.c)."""


def race(
    node: Sandbox, strategy: str, *, clients: int, count: int, protocol: ProtocolName = "openflow",
    rate: float | None = None, deadline: float = 20.0,
) -> Race:  # fmt: skip
    socket = node.rundir / ("br-int.mgmt" if protocol == "openflow" else "db.sock")
    return Race(protocol, Address.unix(socket), clients, count, Strategy.parse(strategy), rate, deadline)


async def raced(planned: Race) -> Run[RaceMeasures]:
    run = Run(kind="race", name=planned.name, measures=RaceMeasures())
    await Racing(planned, run, Random(1)).race()
    return run


@pytest.mark.parametrize("protocol", ["openflow", "ovsdb"])
async def test_gate_keeps_every_client_from_a_full_backlog(shared_node: Sandbox, protocol: ProtocolName) -> None:
    planned = race(shared_node, "gated", clients=200, count=600, protocol=protocol)
    run = Run(kind="race", name=planned.name, measures=RaceMeasures())
    async with measured(run, protocol, planned.address):
        await Racing(planned, run, Random(1)).race()
    assert list(run.measures.counts()) == [("done", 600), ("started", 600)]
    assert run.measures.from_connect.count == run.measures.from_arrival.count == 600
    daemon = "ovs-vswitchd" if protocol == "openflow" else "ovsdb-server"
    assert run.cpu_seconds[ENGINE] > 0
    assert run.cpu_seconds[daemon] > 0
    assert run.rate > 0
    assert run.problems == []


async def test_race_leaves_no_line_in_the_switchs_log(node: Sandbox) -> None:
    before = node.log("ovs-vswitchd", 1000)
    await raced(race(node, "retry", clients=100, count=200))
    new = node.log("ovs-vswitchd", 1000).removeprefix(before)
    assert not [line for line in new.splitlines() if "|WARN|" in line or "|ERR|" in line]


async def test_naive_clients_beyond_the_backlog_of_a_frozen_switch_are_lost(node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")
    run = await raced(race(node, "naive", clients=100, count=100, deadline=0.3))
    assert run.measures.backlog_full == 100 - BACKLOG
    assert run.measures.lost_by == {"EAGAIN": 100 - BACKLOG, "timeout": BACKLOG}
    assert run.measures.lost == 100


async def test_clients_that_retry_outlast_a_frozen_switch(node: Sandbox) -> None:
    planned = race(node, "retry", clients=100, count=100, deadline=30.0)
    run = Run(kind="race", name=planned.name, measures=RaceMeasures())
    await node.freeze("ovs-vswitchd")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Racing(planned, run, Random(1)).race)
        await until(lambda: run.measures.backlog_full >= 50, 30.0, "few met a full backlog")
        await node.thaw("ovs-vswitchd")
    assert (run.measures.done, run.measures.lost) == (100, 0)


async def test_missing_socket_is_named_by_its_errno(node: Sandbox) -> None:
    planned = race(node, "naive", clients=2, count=4)
    await node.stop("ovs-vswitchd")
    found = (await raced(planned)).measures
    assert (found.started, found.lost, found.lost_by) == (4, 4, {"ENOENT": 4})


async def test_daemon_that_dies_ends_the_race_and_is_reported(node: Sandbox) -> None:
    planned = race(node, "retry", clients=10, count=10_000_000)
    run = Run(kind="race", name=planned.name, measures=RaceMeasures())

    async def kill() -> None:
        await until(lambda: run.done > 0, 30.0, "no connection was made")
        await node.kill("ovs-vswitchd")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kill)
        async with measured(run, "openflow", planned.address):
            await Racing(planned, run, Random(1)).race()
    assert run.problems == [f"The daemon at {planned.address} died during the run."]
    assert run.ended > run.began


async def test_open_loop_counts_the_waiting(node: Sandbox) -> None:
    """While the switch stands still, clients keep coming by the plan; their latency runs from when they came."""
    planned = race(node, "gated:4", clients=8, count=100, rate=400.0, deadline=30.0)
    run = Run(kind="race", name=planned.name, measures=RaceMeasures())
    await node.freeze("ovs-vswitchd")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Racing(planned, run, Random(1)).race)
        await until(lambda: run.measures.generator_lag.count == 100, 30.0, "not all arrived")
        assert run.measures.started == 8
        await node.thaw("ovs-vswitchd")
    assert run.done == 100
    # An arrival that waits for a free client has not connected yet, and has waited all the same.
    assert run.measures.from_arrival.total > run.measures.from_connect.total
    assert run.measures.from_arrival.lowest >= run.measures.from_connect.lowest


def test_generator_that_falls_behind_says_so(shared_node: Sandbox) -> None:
    import asyncio
    import time

    async def blocked() -> Run[RaceMeasures]:
        planned = race(shared_node, "gated", clients=8, count=200, rate=1000.0)
        run = Run(kind="race", name=planned.name, measures=RaceMeasures())
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.1)
        await Racing(planned, run, Random(1)).race()
        return run

    (problem,) = asyncio.run(blocked()).problems
    assert problem.startswith("The generator did not keep up with 1000 arrivals/s")


@pytest.mark.parametrize(
    ("text", "parsed"), [("gated", f"gated:{DEFAULT_LIMIT}"), ("gated:7", "gated:7"), ("retry", "retry")]
)
def test_strategy_is_read(text: str, parsed: str) -> None:
    assert Strategy.parse(text).text == parsed


@pytest.mark.parametrize("text", ["gated:0", "gated:x", "gated:", "naive:3", "polite", ""])
def test_unknown_strategy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a strategy"):
        Strategy.parse(text)


def test_more_clients_than_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda what: (1024, 4096))
    monkeypatch.setattr("resource.setrlimit", lambda what, limits: None)
    with pytest.raises(UnfitEnvironment, match="4096 clients need 4160 open files; this process may have 4096"):
        require_files(4096)
