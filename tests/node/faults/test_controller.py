"""Faults of ovn-controller, and of what it is connected to."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from ovsnet import openflow
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import listening_paths
from ovsnet.sandbox.waiting import until
from tests.node.faults.conftest import Watching
from tests.patience import PATIENCE

BEHIND_THE_CONTROLLER = {"controller.openflow", "controller.connection"}


@pytest.mark.restored
@pytest.mark.parametrize(("end", "fact"), [("stop", "There is no control socket"), ("kill", "Nobody listens on")])
async def test_controller_that_ended_is_down(node: Sandbox, watching: Watching, end: str, fact: str) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await getattr(node, end)("ovn-controller")
        await agent.tells(
            "controller-down",
            state="not-ready",
            fact=fact,
            failed={"controller.running"},
            skipped=BEHIND_THE_CONTROLLER,
        )
        await node.start("ovn-controller")
        await agent.recovers()


@pytest.mark.restored
async def test_stopped_controller_is_hung(node: Sandbox, watching: Watching) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.freeze("ovn-controller")
        await agent.tells(
            "controller-hung",
            state="not-ready",
            fact=f"process {node.pid('ovn-controller')} is stopped",
            failed={"controller.running"},
            skipped=BEHIND_THE_CONTROLLER,
        )
        await node.thaw("ovn-controller")
        await agent.recovers()


@pytest.mark.restored
async def test_paused_controller_is_told(node: Sandbox, watching: Watching) -> None:
    control = str(node.rundir / f"ovn-controller.{node.pid('ovn-controller')}.ctl")
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.run("ovn-appctl", "-t", control, "debug/pause")
        await agent.tells(
            "controller-paused",
            state="not-ready",
            fact="ovn-controller answers that it is paused",
            failed={"controller.running"},
            skipped=BEHIND_THE_CONTROLLER,
        )
        await node.run("ovn-appctl", "-t", control, "debug/resume")
        await agent.recovers()


@pytest.mark.restored
async def test_controller_without_a_southbound_session_degrades_the_node(node: Sandbox, watching: Watching) -> None:
    """The agent does not ask the southbound itself: what ovn-controller says must do."""
    async with watching(node, southbound="off") as agent:
        await agent.says("healthy")
        await node.stop("ovn-sb")
        await agent.tells(
            "controller-not-connected",
            state="degraded",
            fact=f"it has no southbound session at {node.southbound}",
            failed={"controller.connection"},
        )
        await node.start("ovn-sb")
        await agent.recovers()


@pytest.mark.parametrize("another", [False, True])
async def test_controller_in_its_backoff_is_told_with_the_second_of_its_next_attempt(
    node: Sandbox, watching: Watching, another: bool
) -> None:
    """It lost the switch, tried again after one second and after three while the switch was away, and waits four more.
    Another client of the bridge, such as a second agent, is not taken for it."""
    async with watching(node) as agent, AsyncExitStack() as stack:
        await agent.says("healthy")
        await node.stop("ovs-vswitchd")
        gone_at = agent.agent.clock()
        await agent.says("vswitchd-down", failed={"vswitchd.ofproto"})
        await asyncio.sleep(3.3 - (agent.agent.clock() - gone_at))  # past the second attempt: only time does that
        await node.start("ovs-vswitchd")
        if another:
            mgmt = node.rundir / "br-int.mgmt"
            await until(lambda: str(mgmt) in listening_paths(), PATIENCE, "The bridge has no socket.")
            await stack.enter_async_context(openflow.connect(Address.unix(mgmt), timeout=PATIENCE))
        await agent.until(lambda: "will retry by itself" in agent.diagnosis.summary, "the prediction")
        told = agent.agent.health.results["controller.openflow"]
        assert agent.diagnosis.code == "starting"
        assert agent.diagnosis.also[0] == "controller-not-connected"
        await agent.until(lambda: not agent.agent.health.ready, "unready")
        assert (await agent.get("/readyz"))[0] == 503
        assert (await agent.get("/startupz"))[0] == 503
        await agent.recovers()
        flows_at = next(each.at for each in agent.agent.health.timeline.reached() if each.stage == "flows")
        assert flows_at > told.at + float(told.values["retry_seconds"]) - 0.5


async def test_start_that_waits_for_the_controller_is_starting_within_its_allowance(
    node: Sandbox, watching: Watching
) -> None:
    """The southbound is away, and the agent is told to leave it alone: what ovn-controller says must do."""
    async with watching(node, start_allowance=3600, southbound="off") as agent:
        await agent.says("healthy")
        await node.kill("ovn-sb")
        await node.kill("ovn-controller")
        await node.start("ovn-controller")
        starting = await agent.tells(
            "starting",
            also={"sb-down", "controller-not-connected"},
            state="degraded",  # flows that are in forward without it
            fact="it has no southbound session",
            failed=BEHIND_THE_CONTROLLER | {"sb.echo"},
        )
        assert starting.summary.startswith("The start waits for the stage controller.")
        status, body = await agent.get("/startupz")
        assert (status, body.startswith("waiting for the stage controller for ")) == (503, True)
        await node.start("ovn-sb")
        await agent.recovers()


async def test_start_that_waits_for_the_controller_beyond_its_allowance_is_told(
    node: Sandbox, watching: Watching
) -> None:
    async with watching(node, start_allowance=0.5, southbound="off") as agent:
        await agent.says("healthy")
        await node.kill("ovn-sb")
        await node.kill("ovn-controller")
        await node.start("ovn-controller")
        await agent.says("sb-down", also={"controller-not-connected"}, failed=BEHIND_THE_CONTROLLER | {"sb.echo"})
        await node.start("ovn-sb")
        await agent.recovers()
