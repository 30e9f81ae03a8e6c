"""The agent on a real node: what it tells, when, and at what cost to the daemons."""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

import ovsnet.agent.agent
from ovsnet.agent.agent import Agent
from ovsnet.agent.schedule import next_turn
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.sandbox.node import Sandbox
from tests.agent.conftest import Watching
from tests.patience import PATIENCE

NEVER = 86400.0
"""As an interval: no poll comes within a test, so whatever the agent learns it was told."""


async def test_real_node_is_healthy_after_the_first_round(shared_node: Sandbox, watching: Watching) -> None:
    async with watching(shared_node.rundir) as watched:
        assert watched.agent.health.diagnosis.code == "healthy"
        assert set(watched.agent.health.results) == set(CHECKS)
        assert watched.agent.health.timeline.waiting_for() is None


async def test_document_has_the_keys_of_the_contract(shared_node: Sandbox, watching: Watching) -> None:
    async with watching(shared_node.rundir) as watched:
        document: Any = watched.agent.document()
    assert set(document) >= {"node", "state", "diagnosis", "checks", "timeline", "versions", "knobs"}
    assert document["state"] == "ready"
    assert set(document["diagnosis"]) >= {"code", "summary", "remedy", "since", "evidence"}
    keys = {"name", "status", "reason", "detail", "rtt_seconds", "age_seconds"}
    assert all(set(each) >= keys and each["age_seconds"] >= 0 for each in document["checks"])
    assert [each["stage"] for each in document["timeline"]] == ["database", "switch", "openflow", "controller", "flows"]
    assert all(set(each) == {"stage", "at", "took_seconds"} for each in document["timeline"])
    assert "ovn-remote" not in document["knobs"], "it describes the node"
    assert abs(document["diagnosis"]["since"] - time.time()) < 3600


async def test_killed_switch_is_told_at_once_and_by_its_name(node: Sandbox, watching: Watching) -> None:
    """The held connections break, and that wakes the checks: no poll comes."""
    async with watching(node.rundir, interval=NEVER) as watched:
        await node.kill("ovs-vswitchd")
        down = await watched.diagnosis("vswitchd-down")
        assert watched.codes == ["healthy", "vswitchd-down"]
        assert not down.state.serves
        assert down.dead
        assert watched.agent.health.dead_since is not None


@pytest.mark.parametrize(("daemon", "code"), [("ovsdb-server", "ovsdb-down"), ("ovn-controller", "controller-down")])
async def test_killed_daemon_is_told_at_once(node: Sandbox, watching: Watching, daemon: str, code: str) -> None:
    async with watching(node.rundir, interval=NEVER) as watched:
        await node.kill(daemon)
        await watched.diagnosis(code)


async def test_restarted_switch_is_healthy_again(node: Sandbox, watching: Watching) -> None:
    async with watching(node.rundir, interval=0.1) as watched:
        await node.kill("ovs-vswitchd")
        await watched.diagnosis("vswitchd-down")
        await node.start("ovs-vswitchd")
        await watched.diagnosis("healthy")
        assert watched.agent.health.dead_since is None


@pytest.mark.restored
async def test_frozen_switch_is_slow_until_that_proves_something(node: Sandbox, watching: Watching) -> None:
    async with watching(node.rundir, interval=0.1, timeout=0.2, hung_after=3600.0) as watched:
        await node.freeze("ovs-vswitchd")
        slow = await watched.diagnosis("vswitchd-slow")
        assert slow.state.serves
        assert not slow.dead
        await node.thaw("ovs-vswitchd")
        await watched.diagnosis("healthy")
        assert "vswitchd-hung" not in watched.codes


@pytest.mark.restored
async def test_frozen_switch_is_hung_in_the_end_and_healthy_once_thawed(node: Sandbox, watching: Watching) -> None:
    async with watching(node.rundir, interval=0.1, timeout=0.2, hung_after=1.0) as watched:
        await node.freeze("ovs-vswitchd")
        hung = await watched.diagnosis("vswitchd-hung")
        assert not hung.state.serves
        assert hung.dead
        await node.thaw("ovs-vswitchd")
        await watched.diagnosis("healthy")


@pytest.mark.restored
async def test_silence_is_called_hung_when_it_is_due_and_not_at_the_next_question(
    node: Sandbox, watching: Watching
) -> None:
    """One question is asked, because a socket appears; no other comes that could pass its deadline."""
    async with watching(node.rundir, interval=NEVER, timeout=0.2, hung_after=1.0) as watched:
        await node.freeze("ovs-vswitchd")
        (node.rundir / "br-other.mgmt").touch()
        await watched.diagnosis("vswitchd-hung")
        others = set(watched.codes) - {"healthy", "starting", "vswitchd-hung"}
        assert {code for code in others if not code.endswith("-slow")} == set(), "a busy machine may be slow"


@pytest.mark.parametrize(
    ("now", "turn"),
    [(9.0, 10.0), (9.999, 12.0), (10.0, 12.0), (11.9, 12.0), (11.9985, 14.0), (12.0, 14.0), (17.0, 18.0)],
    ids=str,
)
def test_turns_of_a_check_stay_where_they_are_however_often_it_is_woken(now: float, turn: float) -> None:
    assert next_turn(10.0, 2.0, now) == turn


async def test_deleted_bridge_is_told_by_the_databases_push(node: Sandbox, watching: Watching) -> None:
    async with watching(node.rundir, interval=NEVER) as watched:
        await node.stop("ovn-controller")  # it would make the bridge again
        await node.run("ovs-vsctl", "--no-wait", "del-br", "br-int")
        await watched.diagnosis("bridge-missing")


def sockets_of(pid: int) -> int:
    """How many sockets a process has open. One may vanish while we look."""
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            count += os.readlink(entry).startswith("socket:")
    return count


async def test_many_rounds_share_one_connection_to_each_peer(node: Sandbox, watching: Watching) -> None:
    """The sessions of the first round are those of the last, and nobody has a line in its log about us."""
    daemons = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")
    async with watching(node.rundir, interval=0.02) as watched:
        links = watched.agent.node.links
        sessions = {name: link.current for name, link in links.items() if link.current is not None}
        assert len(sessions) >= 4
        lost = {name: links[name].lost.total() for name in sessions}
        sockets = {daemon: sockets_of(node.pid(daemon)) for daemon in daemons}
        await watched.rounds(25)
        assert {name: links[name].current for name in sessions} == sessions
        assert {name: links[name].lost.total() for name in sessions} == lost
        # One more is a visit of openflow.accept that is under way, there or here.
        assert all(abs(sockets_of(node.pid(daemon)) - sockets[daemon]) <= 1 for daemon in daemons)
        assert watched.codes == ["healthy"]
        # Read before we leave: an answer that is under way then meets a closed connection, which the switch logs.
        warnings = [line for line in node.log("ovs-vswitchd", lines=1000).splitlines() if "|WARN|" in line]
        assert not [line for line in warnings if "br-int<->" in line or "jsonrpc" in line or "unixctl" in line]


@pytest.mark.restored
async def test_closing_leaves_no_task_and_no_descriptor(node: Sandbox, watching: Watching) -> None:
    async with watching(node.rundir, interval=0.05):  # what is opened once and kept is not a leak
        pass
    tasks, descriptors = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
    for broken in (False, True):
        if broken:
            await node.freeze("ovs-vswitchd")
        async with watching(node.rundir, interval=0.05, timeout=0.05):
            pass
        assert asyncio.all_tasks() == tasks
        assert len(os.listdir("/proc/self/fd")) == descriptors


async def test_log_tells_each_diagnosis_with_its_remedy(
    node: Sandbox, watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="ovsnet"):
        async with watching(node.rundir, interval=NEVER, timeout=PATIENCE) as watched:
            await node.kill("ovs-vswitchd")
            await watched.diagnosis("vswitchd-down")
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "ovsnet"]
    assert ("INFO", "healthy: All required checks pass.") in lines
    (down,) = [message for level, message in lines if level == "WARNING"]
    assert down.startswith("vswitchd-down: ovs-vswitchd is not running. Start it")


async def test_stage_that_a_start_waits_for_next_is_asked_at_once(shared_node: Sandbox, watching: Watching) -> None:
    """The check of the flows builds on none of ovn-controller's: no poll comes, and nothing else wakes it."""
    async with watching(shared_node.rundir, interval=NEVER, start_allowance=3600.0) as watched:
        agent = watched.agent
        now = agent.clock()
        agent.health.restarted("ovn-controller", now, now)
        assert agent.health.timeline.waiting_for() == "controller"
        agent._record([Result("controller.connection", Status.OK, now)])
        async with asyncio.timeout(PATIENCE):
            while agent.health.timeline.waiting_for() is not None:  # noqa: ASYNC110 - a result that is as before is no news
                await asyncio.sleep(0.02)


async def test_heartbeat_goes_on_and_ends_a_start_that_took_too_long(
    shared_node: Sandbox, tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers in an empty directory and no poll comes: time alone turns "starting" into what is missing.

    The daemons of ``shared_node`` may be those that were meant, so none is proven gone.
    """
    monkeypatch.setattr(ovsnet.agent.agent, "HEARTBEAT", 0.01)
    async with watching(tmp_path, interval=NEVER, start_allowance=3600.0) as watched:
        assert watched.codes == ["not-visible"]
        first, began = watched.agent.ticked_at, watched.agent.clock()
        watched.agent.health.restarted("ovsdb-server", began, began)
        await watched.diagnosis("starting")
        watched.agent.clock = lambda: time.monotonic() + 3600
        await watched.diagnosis("not-visible")
        assert watched.codes == ["not-visible", "starting", "not-visible"]
        async with asyncio.timeout(PATIENCE):
            while watched.agent.ticked_at <= first:  # noqa: ASYNC110 - the first results may bring the same news
                await asyncio.sleep(0.005)
        assert watched.agent.loop_lag >= 0


@pytest.mark.restored
async def test_agent_that_takes_over_goes_on_where_the_other_was(node: Sandbox, watching: Watching) -> None:
    """What it finds as it was is no news, and a daemon that has run all the while has not started."""
    async with watching(node.rundir) as watched:
        await node.restart("ovn-controller")
        before = watched.agent
        await watched.until(lambda: "ovn-controller" in starts(before) and before.health.ready)
        await watched.until(lambda: before.health.timeline.waiting_for() is None)
        turns, stages = before.past.turns_document(0.0), list(before.health.timeline.reached())
        assert stages[-1].took_seconds is not None
        after = Agent(Settings(timeout=0.5), before.node.rundir)
        after.take_over(before)
        async with anyio.create_task_group() as tasks:
            await tasks.start(after.run)
            assert after.health.ready
            again = after.past.turns_document(0.0)[: len(turns)]
            assert again[:-1] == turns[:-1]
            assert (again[-1]["at"], again[-1]["code"]) == (turns[-1]["at"], turns[-1]["code"])  # it may be over by now
            assert starts(after) == starts(before)
            assert list(after.health.timeline.reached()) == stages
            assert after.health.since["ovsdb.echo"] == before.health.since["ovsdb.echo"]
            tasks.cancel_scope.cancel()


def starts(agent: Agent) -> list[object]:
    return [each["daemon"] for each in agent.past.turns_document(0.0) if each["kind"] == "start"]
