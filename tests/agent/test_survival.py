"""The agent outlives its own faults, and whatever becomes of the run directory."""

from __future__ import annotations

import asyncio
import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from ovsnet import doctor
from ovsnet.agent import agent as module
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.agent.conftest import Watching
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)


async def faultless(watched: Any) -> None:
    """It goes on asking, and finds no fault of its own."""
    await watched.rounds(2)
    results = watched.agent.health.results
    assert not [each for each in results.values() if each.reason in ("internal", "own-limit")]
    assert not watched.agent.node.faults


async def test_run_directory_that_vanishes_and_comes_back(tmp_path: Path, watching: Watching) -> None:
    rundir = tmp_path / "run"
    rundir.mkdir()
    async with watching(rundir, interval=0.05, timeout=0.2) as watched:
        shutil.rmtree(rundir)
        await faultless(watched)
        rundir.mkdir()
        await faultless(watched)


async def test_directory_where_each_socket_and_pidfile_should_be(
    shared_node: Sandbox, tmp_path: Path, watching: Watching
) -> None:
    """The daemons of ``shared_node`` may be those that were meant, so none is proven gone."""
    for name in ("db.sock", "br-int.mgmt", "ovs-vswitchd.7.ctl", "ovn-controller.7.ctl"):
        (tmp_path / name).mkdir()
    for name in ("ovsdb-server.pid", "ovs-vswitchd.pid", "ovn-controller.pid"):
        (tmp_path / name).mkdir()
    async with watching(tmp_path, interval=0.05, timeout=0.2) as watched:
        await faultless(watched)
        assert watched.agent.health.diagnosis.dead is False


async def test_run_directory_that_is_a_file(tmp_path: Path, watching: Watching) -> None:
    rundir = tmp_path / "run"
    rundir.touch()
    async with watching(rundir, interval=0.05, timeout=0.2) as watched:
        await faultless(watched)


async def test_task_that_fails_begins_again(
    tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeat, the watch of the run directory and that of each check: each fails once, and all go on."""
    failed: set[str] = set()

    def failing_once(what: str, call: Any) -> Any:
        def called(*arguments: Any) -> Any:
            if what not in failed:
                failed.add(what)
                raise KeyError(what)
            return call(*arguments)

        return called

    async with watching(tmp_path, interval=0.05, timeout=0.2) as watched:
        agent = watched.agent
        for owner, name in ((agent.health, "judge"), (agent.node, "socket_changed"), (agent.counters, "count")):
            monkeypatch.setattr(owner, name, failing_once(name, getattr(owner, name)))
        (tmp_path / "db.sock").touch()
        async with asyncio.timeout(PATIENCE):
            while failed != {"judge", "socket_changed", "count"}:  # noqa: ASYNC110 - no news tells of them
                await asyncio.sleep(0.005)
        ticked = agent.ticked_at
        await watched.rounds(2)
        async with asyncio.timeout(PATIENCE):
            while agent.ticked_at == ticked:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert {f"KeyError: '{what}'" for what in failed} <= agent.node.faults


async def test_bug_in_a_check_is_degraded_and_no_daemon_is_blamed(
    tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(daemon: str) -> None:
        raise KeyError(daemon)

    async with watching(tmp_path, interval=0.05, timeout=0.2) as watched:
        monkeypatch.setattr(watched.agent.node, "sight", broken)
        await watched.until(lambda: watched.agent.health.diagnosis.code == "ovsnet-fault")
        assert watched.agent.health.diagnosis.state.label == "degraded"
        assert not watched.agent.health.diagnosis.dead
        assert watched.agent.health.results["ovsdb.echo"].status is Status.UNKNOWN
        assert set(watched.agent.health.results) == set(CHECKS)


async def test_check_that_a_limit_of_ours_kept_back_does_not_wait_for_its_turn(
    shared_node: Sandbox, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def out_of_descriptors(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise OSError(errno.EMFILE, "Too many open files")

    assert CHECKS["host.fit"].every == 60, "one that is seldom asked"
    monkeypatch.setattr(doctor, "fatal_findings", out_of_descriptors)
    async with watching(shared_node.rundir, interval=0.05) as watched:
        await watched.rounds(20)
    assert asked > 5
