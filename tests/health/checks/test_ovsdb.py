"""ovsdb-server and its database, asked on a real node."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking

FROZEN = [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]


async def test_answers_with_a_round_trip(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        result = await ask("ovsdb.echo")
    assert (result.status, result.detail) == (Status.OK, "ovsdb-server answers.")
    assert result.rtt_seconds is not None
    assert result.rtt_seconds > 0


async def test_bridge_stands_in_the_database(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        result = await ask("ovsdb.bridge")
    assert (result.status, result.values) == (Status.OK, {"bridges": 1})


@pytest.mark.restored
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("held", [True, False])
async def test_server_that_ended_is_gone(node: Sandbox, asking: Asking, end: str, held: bool) -> None:
    """SIGTERM removes the socket and the pidfile, SIGKILL leaves both."""
    async with asking(node) as ask:
        if held:
            assert (await ask("ovsdb.echo")).status is Status.OK
        await getattr(node, end)("ovsdb-server")
        result = await ask("ovsdb.echo")
        dependant = await ask("ovsdb.bridge")
    assert (result.status, result.reason) == (Status.FAILED, "gone")
    assert "ovsdb-server is not running" in result.detail
    assert "db.sock" in result.detail
    # One that was met is known to have ended; the pidfile that a killed one leaves says that it ran.
    assert (result.lost_at is not None) is (held or end == "kill")
    assert (dependant.status, dependant.reason) == (Status.SKIPPED, "precondition")


@pytest.mark.restored
@pytest.mark.parametrize(("hung_after", "status", "reason"), FROZEN)
@pytest.mark.parametrize("held", [True, False])
async def test_stopped_server_is_late_and_then_hung(
    node: Sandbox, asking: Asking, held: bool, hung_after: float, status: Status, reason: str
) -> None:
    """A connect to it still succeeds, so only the missing answer tells."""
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        if held:
            await ask("ovsdb.echo")
        await node.freeze("ovsdb-server")
        result = await ask("ovsdb.echo")
    assert (result.status, result.reason) == (status, reason)
    assert "is stopped" in result.detail
    assert float(result.values["silent_seconds"]) >= 0.2


@pytest.mark.restored
@pytest.mark.parametrize("name", ["controller.chassis", "controller.bridge", "southbound.echo", "ovsdb.flow_restore"])
async def test_what_was_never_read_is_not_told_as_unset(node: Sandbox, asking: Asking, name: str) -> None:
    await node.freeze("ovsdb-server")
    async with asking(node, timeout=0.2, hung_after=60.0) as ask:
        assert (await ask("ovsdb.echo")).status is Status.SLOW
        result = await ask(name)
    assert (result.status, result.reason) == (Status.SKIPPED, "not-yet")


@pytest.mark.restored
async def test_address_that_was_never_read_is_not_told_as_unset(node: Sandbox, asking: Asking) -> None:
    """ovn-controller is known to have no session before the database, which says why, was read."""
    await node.kill("ovn-sb")
    await node.freeze("ovsdb-server")
    async with asking(node, timeout=2.0, hung_after=60.0) as ask:
        result = await ask.until("controller.connection", lambda now: now.status is Status.FAILED)
    assert (result.reason, "ovn-remote" in result.detail) == ("controller-not-connected", False)


async def test_deleted_bridge_is_missing_and_the_push_tells(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovn-controller")  # it would make the bridge again
    async with asking(node) as ask:
        assert (await ask("ovsdb.bridge")).status is Status.OK
        await node.run("ovs-vsctl", "--no-wait", "del-br", "br-int")
        result = await ask("ovsdb.bridge")
    assert (result.status, result.reason) == (Status.FAILED, "bridge-missing")
    assert "no bridge at all" in result.detail


async def test_flow_restore_wait_counts_once_the_switch_started_with_it(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        assert "is not set" in (await ask("ovsdb.flow_restore")).detail
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=True")
        set_late = await ask.until("ovsdb.flow_restore", lambda now: "is not set" not in now.detail)
        assert (set_late.status, "next start" in set_late.detail) == (Status.OK, True)
        await node.restart("ovs-vswitchd")
        result = await ask.until("ovsdb.flow_restore", lambda now: now.reason == "flow-restore-wait")
    assert result.status is Status.FAILED


async def test_wait_that_ovn_set_by_itself_is_told_as_its_own(node: Sandbox, asking: Asking) -> None:
    """ovn-controller leaves a mark when it sets it (OVN 621f85e92)."""
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    mark = "external_ids:ovn-managed-flow-restore-wait=true"
    async with asking(node) as ask:
        await node.restart("ovs-vswitchd")
        plain = await ask.until("ovsdb.flow_restore", lambda now: now.reason == "flow-restore-wait")
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", mark)
        marked = await ask.until("ovsdb.flow_restore", lambda now: bool(now.facts))
    assert (dict(plain.facts), dict(marked.facts)) == ({}, {"by_ovn": "itself"})


NAMES_LOST = {"moved": "socket-missing", "regular": "refused", "dead": "refused"}


@pytest.mark.parametrize("way", NAMES_LOST)
@pytest.mark.parametrize("held", [True, False])
async def test_socket_whose_name_is_lost_says_nothing_of_the_server(
    node: Sandbox, asking: Asking, way: str, held: bool
) -> None:
    """A held connection works on, and nobody else can come: each observer reports that."""
    path = node.rundir / "db.sock"
    async with asking(node) as ask:
        if held:
            assert (await ask("ovsdb.echo")).status is Status.OK
        with lost(path, way):
            result = await ask("ovsdb.echo")
        assert (result.status, result.reason) == (Status.FAILED, NAMES_LOST[way])
        assert f"ovsdb-server runs: process {node.pid('ovsdb-server')} runs" in result.detail
        assert result.facts == {"pid": str(node.pid("ovsdb-server"))}
        assert (await ask.until("ovsdb.echo", lambda now: now.reason != NAMES_LOST[way])).status is Status.OK


@contextlib.contextmanager
def lost(path: Path, way: str) -> Iterator[None]:
    """``path`` is moved away; a regular file or a socket without a listener may stand in its place."""
    away = path.with_suffix(".away")
    path.rename(away)
    if way == "regular":
        path.touch()
    if way == "dead":
        with socket.socket(socket.AF_UNIX) as ours:
            ours.bind(str(path))
    try:
        yield
    finally:
        away.replace(path)
