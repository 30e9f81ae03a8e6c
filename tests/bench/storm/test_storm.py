"""Whole storms: worker processes, real servers, real faults."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from ovsnet.bench.result import Document, Run
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.coordinator import Conductor
from ovsnet.bench.storm.messages import Fault, Plan
from ovsnet.bench.storm.pool import Crew
from ovsnet.bench.storm.storm import Storm, plans, require_possible, storms
from ovsnet.bench.storm.target import SandboxServers
from ovsnet.errors import ConnectError, UnfitEnvironment, UsageError
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

LONG = 50.0
PATIENT = 60.0
"""A probe interval that no test lasts for."""

QUICK = Storm(20, PATIENT, ports=2, blow="none", blow_seconds=0.2, hold=0.1, workers=2)


async def ran(storm: Storm, shard: Shard = Shard()) -> Run:  # noqa: B008 - it is frozen
    document = Document(command="", began="", machines=[], seed=1)
    await storms(document, lambda title, total: None, planned=[storm], rounds=1, shard=shard)
    (run,) = document.runs
    return run


def test_settings_tell_what_was_done() -> None:
    assert QUICK.settings()["chassis"] == 20
    assert replace(QUICK, hold=None, probe_interval=5.0).held == 10.0


@pytest.mark.parametrize(
    "storm",
    [
        replace(QUICK, blow="kill"),
        replace(QUICK, blow="kill", scheme="tcp", raft=True),
        replace(QUICK, blow="freeze", scheme="ssl"),
        replace(QUICK, blow="none", everything=True, register=True),
        replace(QUICK, blow="kill", raft=True, scheme="ssl"),
    ],
    ids=lambda storm: storm.name,
)
async def test_everybody_joins_and_comes_back_and_nobody_gives_up(storm: Storm) -> None:
    run = await ran(storm)
    assert run.problems == []
    assert (run.done, run.counts["lost"], run.counts["false disconnects"]) == (20, 0, 0)
    assert run.latencies["join to synced"].count == 20
    closed, back = run.counts.get("closed by the server", 0), run.latency("fault to synced").count
    assert (closed > 0) == (back > 0) == (storm.blow == "kill")
    assert back <= closed  # a member that has just come back may close some a second time
    servers = ["ovn-sb1", "ovn-sb2", "ovn-sb3"] if storm.raft else ["ovn-sb"]
    assert list(run.cpu_seconds) == list(run.peak_bytes) == ["engine", *servers]
    assert all(value > 0 for value in [*run.cpu_seconds.values(), *run.peak_bytes.values()])


async def test_killed_standalone_server_throws_everybody_out() -> None:
    run = await ran(replace(QUICK, blow="kill"))
    assert run.latencies["fault to synced"].count == run.latencies["outage"].count == 20


class Patient(SandboxServers):
    """Thaws only when every chassis has given up: what a test holds must not depend on speed."""

    def __init__(self, node: Sandbox, run: Run, chassis: int) -> None:
        super().__init__(node)
        self._run, self._chassis = run, chassis

    async def relent(self) -> None:
        await until(lambda: self._run.counts["gave up"] >= self._chassis, LONG, "Not all gave up.")
        await super().relent()


class Served(SandboxServers):
    """Of a storm without a fault of its own."""

    async def strike(self, blow: Literal["kill", "freeze"]) -> Fault:
        raise AssertionError(blow)


async def orders(storm: Storm, node: Sandbox) -> list[Plan]:
    remotes = [Address.parse(remote) for remote in node.southbound_servers.values()]
    return await plans(storm, remotes, None, 0, storm.chassis, "seed")


async def test_who_gives_up_on_a_frozen_server_is_a_false_disconnect(node: Sandbox) -> None:
    storm = replace(QUICK, chassis=10, probe_interval=1.0, blow="freeze", blow_seconds=0.0, hold=3.0)
    run = Run(kind="storm", name=storm.name)
    await Conductor(storm, 10, run, Patient(node, run, 10)).conduct(await orders(storm, node))
    assert run.counts["false disconnects"] >= 10
    assert run.done == 10


async def test_server_that_dies_by_itself_ends_the_storm_and_is_told(node: Sandbox) -> None:
    storm = replace(QUICK, hold=600.0)
    run = Run(kind="storm", name=storm.name)
    conducting = asyncio.create_task(Conductor(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.counts.get("done") == 20, LONG, "They never joined.")
    await node.kill("ovn-sb")
    await conducting
    assert run.problems == [f"{storm.name}: ovn-sb died during the run."]
    assert run.counts["chassis"] == 20
    assert "false disconnects" not in run.counts  # nobody can tell which of them were


async def test_who_never_comes_back_is_told(node: Sandbox) -> None:
    """A server that is frozen all the time lets nobody join."""
    storm = replace(QUICK, chassis=4, patience=1.0)
    run = Run(kind="storm", name=storm.name)
    planned = await orders(storm, node)
    await node.freeze("ovn-sb")
    await Conductor(storm, 4, run, Served(node)).conduct(planned)
    await node.thaw("ovn-sb")
    assert run.counts["lost"] == 4
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
    run = Run(kind="storm", name=storm.name)
    conducting = asyncio.create_task(Conductor(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.counts.get("done") == 20, LONG, "They never joined.")
    workers = _children()
    assert len(workers) == 2
    conducting.cancel()
    await asyncio.wait([conducting])
    assert run.latencies["join to synced"].count == 20
    assert not workers & _children()


def _children() -> set[int]:
    """The workers among our children."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = {int(pid) for task in tasks for pid in task.read_text().split()}
    return {pid for pid in pids if b"storm.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_worker_that_is_killed_is_told(node: Sandbox) -> None:
    storm = replace(QUICK, hold=600.0, patience=600.0, over=600.0)
    run = Run(kind="storm", name=storm.name)
    conducting = asyncio.create_task(Conductor(storm, 20, run, Served(node)).conduct(await orders(storm, node)))
    await until(lambda: run.counts.get("done"), LONG, "Nobody joined.")
    os.kill(min(_children()), 9)
    await conducting
    assert "A worker of the storm has ended." in run.problems[0]
    assert run.counts["chassis"] == 10


async def test_crew_that_cannot_start_is_gone_again(node: Sandbox) -> None:
    (plan, _) = await orders(QUICK, node)
    broken = Plan(**{name: getattr(plan, name) for name in plan.__struct_fields__} | {"remotes": ["nonsense"]})
    with pytest.raises(Exception, match="A worker of the storm has ended"):
        async with Crew([plan, broken]):
            raise AssertionError
    assert not _children()


async def test_worker_that_the_kernel_does_not_start_is_told_in_a_sentence(
    node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(kind="storm", name=QUICK.name)
    planned = await orders(QUICK, node)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UnfitEnvironment, match="cannot be started: No such file or directory"):
        await Conductor(QUICK, 20, run, Served(node)).conduct(planned)


async def test_nobody_at_the_address_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        await ran(replace(QUICK, address=f"unix:{tmp_path}/none.sock"))


@pytest.mark.parametrize(
    ("storm", "shard"),
    [
        (replace(QUICK, probe_interval=0.5), Shard()),
        (replace(QUICK, address="tcp:127.0.0.1:6642", blow="kill"), Shard()),
        (replace(QUICK, address="tcp:127.0.0.1:6642", register=True), Shard()),
        (replace(QUICK, address=","), Shard()),
        (QUICK, Shard(1, 2)),
        (replace(QUICK, chassis=1, address="tcp:127.0.0.1:6642"), Shard(1, 2)),
    ],
)
def test_impossible_storm_is_refused(storm: Storm, shard: Shard) -> None:
    with pytest.raises(UsageError):
        require_possible(storm, shard)
