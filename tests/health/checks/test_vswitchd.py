"""ovs-vswitchd, asked on a real node."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking
from tests.patience import PATIENCE


async def test_serves_the_bridge(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        result = await ask("vswitchd.ofproto")
    assert (result.status, result.values) == (Status.OK, {"bridges": 1})
    assert (result.rtt_seconds or 0) > 0


@pytest.mark.restored
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("held", [True, False])
async def test_switch_that_ended_is_gone(node: Sandbox, asking: Asking, end: str, held: bool) -> None:
    async with asking(node) as ask:
        if held:
            assert (await ask("openflow.echo")).status is Status.OK
        await getattr(node, end)("ovs-vswitchd")
        result = await ask("vswitchd.ofproto")
        dependant = await ask("openflow.echo")
    assert (result.status, result.reason) == (Status.FAILED, "gone")
    assert "ovs-vswitchd is not running" in result.detail
    # One that was met is known to have ended; the pidfile that a killed one leaves says that it ran.
    assert (result.lost_at is not None) is (held or end == "kill")
    assert (dependant.status, dependant.reason) == (Status.SKIPPED, "precondition")


@pytest.mark.restored
@pytest.mark.parametrize(
    ("hung_after", "status", "reason"), [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]
)
@pytest.mark.parametrize("held", [True, False])
async def test_stopped_switch_is_late_and_then_hung(
    node: Sandbox, asking: Asking, held: bool, hung_after: float, status: Status, reason: str
) -> None:
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        if held:
            await ask("vswitchd.ofproto")
        await node.freeze("ovs-vswitchd")
        result = await ask("vswitchd.ofproto")
        assert (result.status, result.reason) == (status, reason)
        await node.thaw("ovs-vswitchd")
        assert (await ask.until("vswitchd.ofproto", lambda now: now.status is not status)).status is Status.OK


async def test_bridge_that_was_deleted_is_not_one_that_could_not_be_made(node: Sandbox, asking: Asking) -> None:
    """The database was never read before, and tells."""
    await node.stop("ovn-controller")  # it would make the bridge again
    async with asking(node) as ask:
        await node.run("ovs-vsctl", "del-br", "br-int")
        # The switch lists it until an RCU grace period later (ofproto.c, ofproto_destroy).
        result = await ask.until("vswitchd.ofproto", lambda now: now.status is not Status.OK)
    assert (result.status, result.reason) == (Status.FAILED, "bridge-missing")


@pytest.mark.parametrize("away", ["frozen", "killed"])
async def test_bridge_is_missing_only_where_the_database_says_so(node: Sandbox, asking: Asking, away: str) -> None:
    await node.stop("ovn-controller")
    await node.run("ovs-vsctl", "del-br", "br-int")
    async with asking(node, timeout=0.2) as ask:
        await ask.until("vswitchd.ofproto", lambda now: now.status is not Status.OK)
        await (node.freeze if away == "frozen" else node.kill)("ovsdb-server")
        result = await ask.until("vswitchd.ofproto", lambda now: now.reason != "bridge-missing")
        assert (result.status, result.reason) == (Status.SKIPPED, "not-yet")


async def test_bridge_that_the_switch_could_not_make_is_a_missing_datapath(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", "datapath_type=no-such")
        result = await ask.until("vswitchd.ofproto", lambda now: now.status is not Status.OK)
    assert (result.status, result.reason) == (Status.FAILED, "datapath-missing")
    assert result.values == {"bridges": 0}


async def test_switch_elsewhere_that_ended_while_we_looked_holds_no_lock(
    node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    monkeypatch.setattr("ovsnet.health.checks.vswitchd.pids_named", lambda name: [ended.pid])
    await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", "datapath_type=unheard-of")
    async with asking(node) as ask:
        result = await ask.until("vswitchd.ofproto", lambda now: now.status is not Status.OK)
    assert (result.status, result.reason) == (Status.FAILED, "datapath-missing")


async def test_switch_without_the_database_lock_is_locked_out(node: Sandbox, asking: Asking) -> None:
    await node.kill("ovs-vswitchd")
    async with _lock_held(node), asking(node) as ask:
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
        await node.start("ovs-vswitchd")
        result = await ask("vswitchd.ofproto")
        waits = await ask("ovsdb.flow_restore")
    assert (result.status, result.reason) == (Status.FAILED, "locked-out")
    assert "lock" in result.detail
    assert (waits.status, "no bridge yet" in waits.detail) == (Status.OK, True)


@asynccontextmanager
async def _lock_held(node: Sandbox) -> AsyncIterator[None]:
    """Somebody else holds the lock that ovs-vswitchd configures under."""
    process = await asyncio.create_subprocess_exec(
        *("ovsdb-client", "steal", f"unix:{node.rundir}/db.sock", "ovs_vswitchd"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | node.environment(),
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.wait()


async def test_bridge_that_nobody_configured_is_missing_and_no_datapath_fault(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovn-controller")
    async with asking(node) as ask:
        await ask("ovsdb.bridge")
        await node.run("ovs-vsctl", "del-br", "br-int")
        result = await ask.until("vswitchd.ofproto", lambda now: now.reason == "bridge-missing")
    assert result.status is Status.FAILED


async def test_pidfile_that_names_another_switch_tells_of_a_second_one(node: Sandbox, asking: Asking) -> None:
    async with Sandbox(ovn=False) as other, asking(node) as ask:
        assert (await ask("vswitchd.alone")).status is Status.OK
        (node.rundir / "ovs-vswitchd.pid").write_text(f"{other.pid('ovs-vswitchd')}\n")
        result = await ask("vswitchd.alone")
        assert (result.status, result.reason) == (Status.FAILED, "second-vswitchd")
        assert str(other.pid("ovs-vswitchd")) in result.detail
        (node.rundir / "ovs-vswitchd.pid").write_text(f"{os.getpid()}\n")
        assert "which is not an ovs-vswitchd" in (await ask("vswitchd.alone")).detail


async def test_control_socket_without_its_name_leaves_the_switch_to_answer_elsewhere(
    node: Sandbox, asking: Asking
) -> None:
    pid = node.pid("ovs-vswitchd")
    control = node.rundir / f"ovs-vswitchd.{pid}.ctl"
    control.rename(control.with_suffix(".away"))
    async with asking(node) as ask:
        result = await ask("vswitchd.ofproto")
        assert (await ask("openflow.flows")).status is Status.OK
        alone = await ask("vswitchd.alone")
    assert (result.status, result.reason, result.facts) == (Status.FAILED, "socket-missing", {"pid": str(pid)})
    assert (alone.status, alone.reason) == (Status.SKIPPED, "precondition")


async def test_database_without_a_column_of_the_switch_is_told_and_no_lock(node: Sandbox, asking: Asking) -> None:
    """Where it is connected it only keeps silent over OpenFlow; after a restart it configures nothing."""
    database = f"unix:{node.rundir}/db.sock"
    whole = await node.run("ovsdb-client", "get-schema", database, "Open_vSwitch")
    schema = json.loads(whole)
    del schema["tables"]["Interface"]["columns"]["bfd_status"]
    (node.directory / "whole").write_text(whole)
    (node.directory / "older").write_text(json.dumps(schema))
    async with asking(node, timeout=1.0) as ask:
        await node.run("ovsdb-client", "convert", database, str(node.directory / "older"))
        silent = await ask.until("openflow.echo", lambda now: "refused" in now.facts)
        await node.restart("ovs-vswitchd")
        result = await ask.until("vswitchd.ofproto", lambda now: now.reason == "schema-refused")
        await node.run("ovsdb-client", "convert", database, str(node.directory / "whole"))
        await ask.until("vswitchd.ofproto", lambda now: now.status is Status.OK)
    assert (silent.reason, silent.facts) == ("no-database", result.facts)
    assert result.facts == {"refused": "bfd_status is not a valid column name", "address": database}
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, cause.state) == ("vswitchd-not-connected", State.NOT_READY)
