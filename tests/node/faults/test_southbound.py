"""Faults of the southbound database: they degrade the node, and never make it unready while its flows are in."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from tests.node.faults.conftest import Watched, Watching


@pytest.mark.restored
@pytest.mark.parametrize(("end", "fact"), [("stop", "ovnsb_db.sock does not exist"), ("kill", "Nobody listens on")])
async def test_southbound_that_ended_is_down(node: Sandbox, watching: Watching, end: str, fact: str) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await getattr(node, end)("ovn-sb")
        await agent.tells(
            "southbound-down",
            also={"controller-not-connected"},
            state="degraded",
            fact=fact,
            failed={"southbound.echo", "controller.connection"},
            skipped={"southbound.fresh"},
        )
        await node.start("ovn-sb")
        await agent.recovers()


@pytest.mark.restored
async def test_stopped_southbound_is_hung_though_the_controller_calls_itself_connected(
    node: Sandbox, watching: Watching
) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.freeze("ovn-sb")
        await agent.tells(
            "southbound-hung",
            state="degraded",
            fact=f"process {node.pid('ovn-sb')} is stopped",
            failed={"southbound.echo"},
            skipped={"southbound.fresh"},
        )
        await node.thaw("ovn-sb")
        await agent.recovers()


@pytest.mark.parametrize("cure", ["copy", "reset", "restart"])
async def test_cluster_restored_from_an_old_copy_is_stale_until_the_cure(watching: Watching, cure: str) -> None:
    """The newer copy comes back, or ovn-controller is told to take the old data, or starts without a memory of the new.
    Then the agent forgets the newer data, too."""
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        await node.stop("ovn-northd")  # it would write until both copies are alike
        keep_copies(node, "old")
        async with watching(node) as agent:
            await agent.says("healthy")
            before = log_index(agent)
            for number in range(20):  # entries of the log; elections after the restart make a few, too
                await node.run("ovn-sbctl", "chassis-add", f"later{number}", "geneve", f"127.0.1.{number}")
            await agent.until(lambda: log_index(agent) >= before + 20, "the index of the last entry")
            await restore_copies(node, "old", keep="new")
            await agent.tells(
                "southbound-stale",
                also={"controller-not-connected"},
                state="degraded",
                fact="it went back in time",
                failed={"southbound.fresh", "controller.connection"},
            )
            match cure:
                case "copy":
                    await restore_copies(node, "new", keep="stale")
                case "reset":
                    await node.run("ovn-appctl", "-t", "ovn-controller", "sb-cluster-state-reset")
                case "restart":
                    await node.restart("ovn-controller")
            await agent.recovers()
            async with watching(node) as fresh:
                await fresh.says("healthy")


def log_index(agent: Watched) -> int:
    """As the agent last saw it."""
    return int(agent.agent.health.results["southbound.fresh"].values["index"])


def members(node: Sandbox) -> dict[str, Path]:
    """The servers of the cluster, and their files."""
    return {name: Layout(node.directory).dbdir / f"{name}.db" for name in node.daemons if name.startswith("ovn-sb")}


def keep_copies(node: Sandbox, name: str) -> None:
    """The files are logs, which only grow: a copy is one of that moment."""
    for file in members(node).values():
        shutil.copy(file, file.with_suffix(f".{name}"))


async def restore_copies(node: Sandbox, name: str, *, keep: str) -> None:
    """All members start again with their copies of that name."""
    await asyncio.gather(*(node.stop(member) for member in members(node)))
    keep_copies(node, keep)
    for file in members(node).values():
        shutil.copy(file.with_suffix(f".{name}"), file)
    await asyncio.gather(*(node.start(member) for member in members(node)))


async def test_controller_that_waits_for_northds_version_is_told(node: Sandbox, watching: Watching) -> None:
    await node.stop("ovn-northd")  # it would write its own version again
    await node.run("ovn-sbctl", "set", "SB_Global", ".", "options:northd_internal_version=1.2.3-20.27.0-70.6")
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.run(
            "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-match-northd-version=true"
        )
        await agent.tells(
            "northd-version-mismatch",
            state="degraded",
            fact="ovn-northd is at 1.2.3-20.27.0-70.6, ovn-controller at 23.03.1",
            failed={"southbound.northd"},
        )
        await node.start("ovn-northd")
        await agent.recovers()


async def test_southbound_that_is_away_makes_a_node_without_flows_unready(node: Sandbox, watching: Watching) -> None:
    """Through its missing flows, not by itself: ovn-controller installs none before it has met the southbound."""
    async with watching(node, start_allowance=0.5) as agent:
        await agent.says("healthy")
        await node.kill("ovn-sb")
        await agent.says(
            "southbound-down", also={"controller-not-connected"}, failed={"southbound.echo", "controller.connection"}
        )
        await node.restart("ovn-controller")
        await node.restart("ovs-vswitchd")
        await agent.tells(
            "southbound-down",
            also={"controller-not-connected", "flows-missing"},
            state="not-ready",
            fact="br-int answers and holds no flow",
            failed={"southbound.echo", "controller.connection", "controller.openflow", "openflow.flows"},
        )
        await node.start("ovn-sb")
        await agent.recovers()
