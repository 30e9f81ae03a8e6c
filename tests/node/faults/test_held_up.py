"""A switch that something holds up: the remedy names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.health.diagnosis import Diagnosis
from ovsnet.sandbox.node import Sandbox
from tests.node.faults.conftest import Watching
from tests.node.faults.oneshot import checked
from tests.traced import stopped


def revalidator(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return next(int(task.name) for task in tasks if (task / "comm").read_text().startswith("revalidator"))


@pytest.mark.restored
@pytest.mark.parametrize("seconds", [0.8, 60], ids=["hung", "late"])
@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd", "ovn-controller"])
async def test_stopped_daemon_is_to_be_continued_from_the_first_moment(
    node: Sandbox, watching: Watching, daemon: str, seconds: float
) -> None:
    """No word of its silence has another remedy, and none is that it starts."""
    name = {"ovsdb-server": "ovsdb", "ovs-vswitchd": "vswitchd", "ovn-controller": "controller"}[daemon]
    slow, hung = f"{name}-slow", f"{name}-hung"
    pid = node.pid(daemon)
    async with watching(node, hung_after=seconds) as agent:
        await agent.says("healthy")
        await node.freeze(daemon)
        told: list[Diagnosis] = []
        agent.agent.subscribe(lambda change: told.append(change.diagnosis) if change.diagnosis else None)
        word, cure = slow if seconds > 1 else hung, f"`kill -CONT {pid}`"
        await agent.until(lambda: agent.diagnosis.code == word and cure in agent.diagnosis.remedy, f"{word}, {cure}")
        silent = [each for each in told if each.code in (slow, hung)]
        await node.thaw(daemon)
        await agent.recovers()
    assert all(cure in each.remedy for each in silent), silent
    assert "starting" not in {each.code for each in told}


async def test_traced_switch_is_hung_and_names_the_tracer(node: Sandbox, watching: Watching) -> None:
    pid = node.pid("ovs-vswitchd")
    async with watching(node) as agent:
        await agent.says("healthy")
        with stopped(pid):
            found = await agent.tells(
                "vswitchd-hung",
                state="not-ready",
                fact=f"process {pid} is stopped by ",
                failed={"vswitchd.ofproto"},
                dead=True,
            )
            assert f"(process {os.getpid()}): detach that debugger" in found.remedy
            assert "-CONT" not in found.remedy
        await agent.recovers()


async def test_switch_that_waits_for_a_stopped_thread_is_hung_and_names_the_thread(
    node: Sandbox, watching: Watching
) -> None:
    """It joins its revalidators when their number changes."""
    pid = node.pid("ovs-vswitchd")
    tid = revalidator(pid)
    async with watching(node) as agent:
        await agent.says("healthy")
        with stopped(tid):
            await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:n-revalidator-threads=3")
            found = await agent.tells(
                "vswitchd-hung", state="not-ready", fact=f"(thread {tid}) is stopped by ", failed={"vswitchd.ofproto"},
                dead=True,
            )  # fmt: skip
            assert f"(thread {tid}) of process {pid} is stopped by" in found.remedy
            async with watching(node) as fresh:
                await fresh.says("vswitchd-hung", failed={"vswitchd.ofproto"}, fact=f"(thread {tid}) is stopped by ")
            code, document = await checked(node)
            assert (code, document["diagnosis"]["code"]) == (1, "vswitchd-hung")
            assert document["diagnosis"]["remedy"] == found.remedy
        await agent.recovers()
