"""The southbound database, asked on real nodes, with one server and with a cluster."""

import asyncio
import random
import time

import pytest

from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.node.southbound import Server
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking
from tests.patience import PATIENCE

PASSED = {name: Result(name, Status.OK, 0.0) for name in ("ovsdb.echo", "southbound.echo", "controller.running")}


async def test_server_on_this_host_is_asked(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        await ask("ovsdb.echo")  # the database tells where the southbound is
        echo, fresh = await ask("southbound.echo"), await ask("southbound.fresh")
    assert (echo.status, fresh.status) == (Status.OK, Status.OK)
    assert shared_node.southbound in echo.detail
    assert (echo.rtt_seconds or 0) > 0
    assert "standalone" in fresh.detail


@pytest.mark.parametrize(("end", "sign"), [(",", "comma"), (" ", "space")])
async def test_what_ovn_controller_takes_for_a_part_of_the_address_is_a_wrong_address(
    node: Sandbox, asking: Asking, end: str, sign: str
) -> None:
    async with asking(node) as ask:
        await node.run("ovs-vsctl", "set", "Open_vSwitch", ".", f'external_ids:ovn-remote="{node.southbound}{end}"')
        connection = await ask.until("controller.connection", lambda now: now.status is Status.FAILED)
        echo = await ask.until("southbound.echo", lambda now: now.status is Status.FAILED)
    assert connection.reason == "controller-not-connected"
    assert (echo.reason, sign in echo.detail) == ("no-address", True)


@pytest.mark.restored
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("held", [True, False])
async def test_server_that_ended_is_gone(node: Sandbox, asking: Asking, end: str, held: bool) -> None:
    async with asking(node) as ask:
        await ask("ovsdb.echo")  # the database tells where the southbound is
        if held:
            assert (await ask("southbound.echo")).status is Status.OK
        await getattr(node, end)("ovn-sb")
        result = await ask("southbound.echo")
        dependant = await ask("southbound.fresh")
    assert (result.status, result.reason) == (Status.FAILED, "gone")
    assert "ovnsb_db.sock" in result.detail
    assert (dependant.status, dependant.reason) == (Status.SKIPPED, "precondition")


@pytest.mark.restored
@pytest.mark.parametrize(
    ("hung_after", "status", "reason"), [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]
)
async def test_stopped_server_is_late_and_then_hung(
    node: Sandbox, asking: Asking, hung_after: float, status: Status, reason: str
) -> None:
    """ovn-controller calls itself connected all the while."""
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        await ask("southbound.echo")
        await node.freeze("ovn-sb")
        result = await ask("southbound.echo")
        connection = await ask("controller.connection")
    assert (result.status, result.reason) == (status, reason)
    assert result.detail.startswith("ovsdb-server of the southbound has been silent")
    assert connection.status is Status.OK


async def test_remote_that_is_another_database_is_told(node: Sandbox, asking: Asking) -> None:
    remote = f"unix:{node.rundir}/ovnnb_db.sock"
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f'external_ids:ovn-remote="{remote}"')
    async with asking(node) as ask:
        await ask("ovsdb.echo")
        result = await ask("southbound.echo")
    assert (result.status, result.reason) == (Status.FAILED, "unknown-database")
    assert "OVN_Southbound" in result.detail


async def test_member_without_its_cluster_is_stale() -> None:
    async with Sandbox(raft=True, ports=1) as cluster:
        await cluster.wait_ready()
        settings = Settings(timeout=20.0)
        rundir = Rundir(cluster.rundir, cluster.rundir)
        async with Node(settings, rundir, clock=time.monotonic, rng=random.Random(1)) as node:
            await run(CHECKS["ovsdb.echo"], node, {})
            async with asyncio.timeout(PATIENCE):  # a cluster of three on a busy machine has its slow moments
                while (await run(CHECKS["southbound.echo"], node, PASSED)).status is Status.SLOW:
                    pass
            assert (await run(CHECKS["southbound.echo"], node, PASSED)).status is Status.OK
            well = await run(CHECKS["southbound.fresh"], node, PASSED)
            assert well.status is Status.OK
            assert int(well.values["index"]) > 0
            server = node.southbound.held().server
            assert server is not None

            node.indexes.newest(server.cluster, int(well.values["index"]) + 1000)
            taken = await run(CHECKS["southbound.fresh"], node, PASSED)
            assert taken.status is Status.OK, "ovn-controller is connected, so it takes this copy"
            assert node.indexes.newest(server.cluster, 1) == 1, "what was seen before is of no concern any more"

            await cluster.stop("ovn-controller")
            node.indexes.newest(server.cluster, int(well.values["index"]) + 1000)
            went_back = await run(CHECKS["southbound.fresh"], node, PASSED)
            assert (went_back.status, went_back.reason) == (Status.FAILED, "stale")
            assert "went back in time" in went_back.detail
            lost = await _fresh_with(node, Server("clustered", False, False, server.cluster))
            assert (lost.status, lost.reason) == (Status.FAILED, "stale")
            assert "lost its cluster" in lost.detail
            absent = await _fresh_with(node, None)
            assert (absent.status, absent.reason) == (Status.FAILED, "no-southbound")


@pytest.mark.parametrize("how", ["freeze", "cut off"])
async def test_member_that_is_no_use_is_left_for_another(asking: Asking, how: str) -> None:
    """As ovn-controller leaves it."""
    async with Sandbox(raft=True, ports=1) as cluster:
        await cluster.wait_ready()
        first = cluster.southbound.partition(",")[0]
        async with asking(cluster, timeout=0.3) as ask:
            await ask("ovsdb.echo")
            used = await ask.until("southbound.echo", lambda now: now.status is Status.OK)
            assert first in used.detail
            if how == "freeze":
                await cluster.freeze("ovn-sb1")
            else:
                control = f"{cluster.rundir}/ovnsb1_db.ctl"
                await cluster.run("ovs-appctl", "-t", control, "cluster/failure-test", "stop-raft-rpc")
            async with asyncio.timeout(PATIENCE):
                while first in used.detail:
                    await ask("southbound.fresh")
                    used = await ask.until("southbound.echo", lambda now: now.status is Status.OK)
            assert (await ask("southbound.fresh")).status is Status.OK


async def test_relay_without_its_source_is_told(node: Sandbox) -> None:
    rundir = Rundir(node.rundir, node.rundir)
    async with Node(Settings(timeout=20.0), rundir, clock=time.monotonic, rng=random.Random(1)) as observed:
        await run(CHECKS["ovsdb.echo"], observed, {})
        await run(CHECKS["southbound.echo"], observed, PASSED)
        well = await _fresh_with(observed, Server("relay", True, False, ""))
        cut_off = await _fresh_with(observed, Server("relay", False, False, ""))
    assert (well.status, well.detail) == (Status.OK, "A relay in touch with its source.")
    assert (cut_off.status, cut_off.reason) == (Status.FAILED, "relay-cut-off")
    assert node.southbound in cut_off.facts["address"]


async def _fresh_with(node: Node, server: Server | None) -> Result:
    """What ``southbound.fresh`` makes of such a word of the server."""
    session = node.southbound.held()
    kind = type(session)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "server", property(lambda self: server))
        return await run(CHECKS["southbound.fresh"], node, PASSED)


async def test_southbound_elsewhere_is_not_asked_unless_wanted(node: Sandbox) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-remote=tcp:192.0.2.1:6642")
    for settings in (Settings(timeout=20.0, southbound="auto"), Settings(timeout=20.0, southbound="off")):
        rundir = Rundir(node.rundir, node.rundir)
        async with Node(settings, rundir, clock=time.monotonic, rng=random.Random(1)) as observed:
            await run(CHECKS["ovsdb.echo"], observed, {})
            result = await run(CHECKS["southbound.echo"], observed, PASSED)
            assert (result.status, result.reason) == (Status.SKIPPED, "not-used")


@pytest.mark.parametrize(
    ("version", "status", "reason"),
    [("99.9.9-20.27.0-70.6", Status.FAILED, "northd-version-mismatch"), (None, Status.OK, "")],
)
async def test_northds_version_counts_where_it_is_asked_for(
    node: Sandbox, asking: Asking, version: str | None, status: Status, reason: str
) -> None:
    async with asking(node) as ask:
        assert (await ask("southbound.northd")).reason == "not-used"
        await node.run(
            "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-match-northd-version=True"
        )
        if version is not None:
            await node.stop("ovn-northd")  # it would write its own again
            await node.run("ovn-sbctl", "set", "SB_Global", ".", f"options:northd_internal_version={version}")
        result = await ask.until("southbound.northd", lambda now: now.status is status)
    assert (result.status, result.reason) == (status, reason)


@pytest.mark.restored
async def test_state_that_this_node_does_not_apply_is_told_when_it_lasts(node: Sandbox, asking: Asking) -> None:
    """As of an ovn-controller that calls itself connected and gets nowhere."""
    passed = PASSED | {"controller.connection": Result("controller.connection", Status.OK, 0.0)}
    check = CHECKS["southbound.applied"]
    async with asking(node, timeout=5.0, broken_after=0.5) as ask:
        well = await ask("southbound.applied")
        newest = int(well.values["newest"]) + 1
        await node.freeze("ovn-controller")
        await node.run("ovn-nbctl", "set", "NB_Global", ".", f"nb_cfg={newest}")
        seen = [well]
        async with asyncio.timeout(PATIENCE):
            while seen[-1].status is Status.OK:
                await asyncio.sleep(0.05)
                seen.append(await run(check, ask.node, passed))
        await node.thaw("ovn-controller")
        again = await ask.until("southbound.applied", lambda now: now.values.get("applied") == newest)
    behind = seen[-1]
    assert (behind.reason, behind.values["newest"], behind.values["applied"]) == (
        "controller-behind",
        newest,
        newest - 1,
    )
    assert len(seen) > 2, "to be behind for a moment is usual"
    assert again.status is Status.OK


async def test_chassis_without_a_row_is_not_behind(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        await ask("southbound.echo")
        assert await ask.node.southbound.held().applied_by("stranger", timeout=20.0) is None
