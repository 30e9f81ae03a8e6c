"""Whole storms: worker processes, real servers, real faults."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from ovsnet.bench.result import Document, Run
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.coordinator import Coordinator
from ovsnet.bench.storm.measure import measure, plans
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.messages import Fault, WorkerPlan
from ovsnet.bench.storm.pool import Pool
from ovsnet.bench.storm.storm import Storm, require_possible
from ovsnet.bench.storm.target import FaultKind, SandboxTarget
from ovsnet.bench.workload import Turn
from ovsnet.bench.workloads.storm import WORKLOAD
from ovsnet.errors import ConnectError, UnfitEnvironment, UsageError
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

pytestmark = pytest.mark.heavy

LONG = 50.0
PATIENT = 60.0
"""A probe interval that no test lasts for."""

QUICK = Storm(20, PATIENT, ports=2, fault="none", fault_seconds=0.2, hold=0.1, workers=2)


async def ran(storm: Storm, shard: Shard = Shard()) -> Run[StormMeasures]:  # noqa: B008 - it is frozen
    document = Document(command="", began="", machines=[], seed=1)
    run: Run[StormMeasures] = WORKLOAD.run(storm)
    await measure(storm, run, Turn(document, shard))
    assert document.runs == [run]
    return run


def test_settings_tell_what_was_done() -> None:
    assert QUICK.settings()["chassis"] == 20
    assert replace(QUICK, hold=None, probe_interval=5.0).hold_seconds == 10.0


@pytest.mark.parametrize(
    "storm",
    [
        replace(QUICK, fault="kill"),
        replace(QUICK, fault="kill", scheme="tcp", raft=True),
        replace(QUICK, fault="freeze", scheme="ssl"),
        replace(QUICK, fault="none", monitor_all=True, register=True),
        replace(QUICK, fault="kill", raft=True, scheme="ssl"),
    ],
    ids=lambda storm: storm.name,
)
async def test_everybody_joins_and_comes_back_and_nobody_gives_up(storm: Storm) -> None:
    run = await ran(storm)
    assert run.problems == []
    assert (run.done, run.measures.lost, run.measures.false_disconnects) == (20, 0, 0)
    assert run.measures.join_to_synced.count == 20
    closed, back = run.measures.closed_by_server, run.measures.fault_to_synced.count
    assert (closed > 0) == (back > 0) == (storm.fault == "kill")
    assert back <= closed  # a member that has just come back may close some a second time
    servers = ["ovn-sb1", "ovn-sb2", "ovn-sb3"] if storm.raft else ["ovn-sb"]
    assert list(run.cpu_seconds) == list(run.peak_bytes) == ["engine", *servers]
    assert all(value > 0 for value in [*run.cpu_seconds.values(), *run.peak_bytes.values()])


async def test_killed_standalone_server_throws_everybody_out() -> None:
    run = await ran(replace(QUICK, fault="kill"))
    assert run.measures.fault_to_synced.count == run.measures.outage.count == 20


class Patient(SandboxTarget):
    """Thaws only when every chassis has given up: what a test holds must not depend on speed."""

    def __init__(self, node: Sandbox, run: Run[StormMeasures], chassis: int) -> None:
        super().__init__(node)
        self._run, self._chassis = run, chassis

    async def heal(self) -> None:
        await until(lambda: self._run.measures.gave_up >= self._chassis, LONG, "Not all gave up.")
        await super().heal()


class Served(SandboxTarget):
    """Of a storm without a fault of its own."""

    async def inject(self, fault: FaultKind) -> Fault:
        raise AssertionError(fault)


async def orders(storm: Storm, node: Sandbox) -> list[WorkerPlan]:
    remotes = [Address.parse(remote) for remote in node.southbound_servers.values()]
    return await plans(storm, remotes, None, 0, storm.chassis, "seed")


async def test_chassis_that_gives_up_on_a_frozen_server_is_a_false_disconnect(node: Sandbox) -> None:
    storm = replace(QUICK, chassis=10, probe_interval=1.0, fault="freeze", fault_seconds=0.0, hold=3.0)
    run = Run(kind="storm", name=storm.name, measures=StormMeasures())
    await Coordinator(storm, 10, run, Patient(node, run, 10)).conduct(await orders(storm, node))
    assert (run.measures.false_disconnects or 0) >= 10
    assert run.done == 10


async def test_server_that_dies_by_itself_ends_the_storm_and_is_reported(node: Sandbox) -> None:
    storm = replace(QUICK, hold=600.0)
    run = Run(kind="storm", name=storm.name, measures=StormMeasures())
    conducting = asyncio.create_task(Coordinator(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.done == 20, LONG, "They never joined.")
    await node.kill("ovn-sb")
    await conducting
    assert run.problems == [f"{storm.name}: ovn-sb died during the run."]
    assert run.measures.chassis == 20
    assert run.measures.false_disconnects is None  # nobody can tell which of them were


async def test_chassis_that_never_comes_back_is_reported(node: Sandbox) -> None:
    """A server that is frozen all the time lets nobody join."""
    storm = replace(QUICK, chassis=4, sync_timeout=1.0)
    run = Run(kind="storm", name=storm.name, measures=StormMeasures())
    planned = await orders(storm, node)
    await node.freeze("ovn-sb")
    await Coordinator(storm, 4, run, Served(node)).conduct(planned)
    await node.thaw("ovn-sb")
    assert run.measures.lost == 4
    assert run.problems
    assert run.problems[0] == f"{storm.name}: 4 of 4 chassis had not joined after 1 s."


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def test_storm_on_a_named_southbound_leaves_no_connection_and_no_process(node: Sandbox) -> None:
    pid = node.pid("ovn-sb")
    before = open_files(pid)
    run = await ran(replace(QUICK, address=node.southbound_servers["ovn-sb"]))
    assert (run.problems, run.done) == ([], 20)
    assert len(run.cpu_seconds) == 2  # a unix socket tells whose it is
    await until(lambda: open_files(pid) <= before, LONG, "Connections were left.")


async def test_cut_short_it_keeps_what_it_has_and_leaves_no_process(node: Sandbox) -> None:
    storm = replace(QUICK, hold=600.0)
    run = Run(kind="storm", name=storm.name, measures=StormMeasures())
    conducting = asyncio.create_task(Coordinator(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.done == 20, LONG, "They never joined.")
    workers = _children()
    assert len(workers) == 2
    conducting.cancel()
    await asyncio.wait([conducting])
    assert run.measures.join_to_synced.count == 20
    assert not workers & _children()


def _children() -> set[int]:
    """The workers among our children."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = {int(pid) for task in tasks for pid in task.read_text().split()}
    return {pid for pid in pids if b"storm.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_worker_that_is_killed_is_reported(node: Sandbox) -> None:
    storm = replace(QUICK, hold=600.0, sync_timeout=600.0, ramp_seconds=600.0)
    run = Run(kind="storm", name=storm.name, measures=StormMeasures())
    conducting = asyncio.create_task(Coordinator(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.done > 0, LONG, "Nobody joined.")
    os.kill(min(_children()), 9)
    await conducting
    assert "A storm worker exited unexpectedly." in run.problems[0]
    assert run.measures.chassis == 10


async def test_pool_that_cannot_start_is_gone_again(node: Sandbox) -> None:
    (plan, _) = await orders(QUICK, node)
    broken = WorkerPlan(**{name: getattr(plan, name) for name in plan.__struct_fields__} | {"remotes": ["nonsense"]})
    with pytest.raises(Exception, match="A storm worker exited unexpectedly"):
        async with Pool([plan, broken]):
            raise AssertionError
    assert not _children()


async def test_worker_that_the_kernel_does_not_start_is_reported_in_a_sentence(
    node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(kind="storm", name=QUICK.name, measures=StormMeasures())
    planned = await orders(QUICK, node)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UnfitEnvironment, match="cannot be started: No such file or directory"):
        await Coordinator(QUICK, 20, run, Served(node)).conduct(planned)


async def test_nobody_at_the_address_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        await ran(replace(QUICK, address=f"unix:{tmp_path}/none.sock"))


@pytest.mark.parametrize(
    ("storm", "shard"),
    [
        (replace(QUICK, probe_interval=0.5), Shard()),
        (replace(QUICK, address="tcp:127.0.0.1:6642", fault="kill"), Shard()),
        (replace(QUICK, address="tcp:127.0.0.1:6642", register=True), Shard()),
        (replace(QUICK, address=","), Shard()),
        (QUICK, Shard(1, 2)),
        (replace(QUICK, chassis=1, address="tcp:127.0.0.1:6642"), Shard(1, 2)),
    ],
)
def test_impossible_storm_is_refused(storm: Storm, shard: Shard) -> None:
    with pytest.raises(UsageError):
        require_possible(storm, shard)
