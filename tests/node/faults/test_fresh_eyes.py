"""An agent that comes within a fault says at once what one says that was there before."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ovsnet.io.tls import Tls
from ovsnet.node.process import sample
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.pki import certify
from tests.faults.programs import tls_door
from tests.node.faults.conftest import Watched, Watching
from tests.node.faults.oneshot import checked

SETTLED = {"start_allowance": 0.01}
"""The daemons started long ago, for all that the agent cares."""


@pytest.mark.restored
@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd", "ovn-controller"])
@pytest.mark.parametrize("end", ["stop", "kill", "freeze"])
async def test_standing_fault_is_named_at_the_first_round(
    node: Sandbox, watching: Watching, daemon: str, end: str
) -> None:
    code = {"ovsdb-server": "ovsdb", "ovs-vswitchd": "vswitchd", "ovn-controller": "controller"}[daemon]
    await getattr(node, end)(daemon)
    async with watching(node, **SETTLED) as agent:
        verdict = f"{code}-hung" if end == "freeze" else f"{code}-down"
        await agent.until(lambda: agent.diagnosis.code == verdict, verdict)
        assert set(agent.codes) <= {verdict, f"{code}-slow"}, "no start is under way"
        await agent.until(lambda: not agent.agent.health.ready, "unready")
        assert (await agent.get("/readyz"))[0] == 503
        await getattr(node, "thaw" if end == "freeze" else "start")(daemon)
        await agent.recovers()


@pytest.mark.restored
@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd"])
async def test_standing_hang_fails_the_liveness_of_a_fresh_agent_whatever_its_allowance(
    node: Sandbox, watching: Watching, daemon: str
) -> None:
    """An agent that restarts beside a hung daemon does not wait for a start."""
    code = {"ovsdb-server": "ovsdb-hung", "ovs-vswitchd": "vswitchd-hung"}[daemon]
    await node.freeze(daemon)
    async with watching(node, start_allowance=3600) as agent:
        await agent.until(lambda: agent.agent.health.diagnosis.dead, "a proof")
        began = agent.agent.health.dead_since
        while (answer := await agent.get("/ovs/livez"))[0] == 200:
            assert agent.agent.health.dead_since == began
        assert answer[1].startswith(code)
        await node.thaw(daemon)
        await agent.recovers()


@pytest.mark.restored
@pytest.mark.parametrize(
    ("daemon", "code"),
    [("ovsdb-server", "ovsdb-hung"), ("ovs-vswitchd", "vswitchd-hung"), ("ovn-controller", "controller-hung")],
)
async def test_end_of_a_freeze_is_no_start_for_an_agent_that_came_within_it(
    node: Sandbox, watching: Watching, daemon: str, code: str
) -> None:
    """No stage of the node's start was proven to it before. The allowance is over, but not by the agent's own age."""
    await node.freeze(daemon)
    async with watching(node, start_allowance=0.9 * age_of_the_youngest(node)) as agent:
        await agent.until(lambda: agent.diagnosis.code == code, code)
        await node.thaw(daemon)
        await agent.recovers()
    assert "starting" not in agent.codes


def age_of_the_youngest(node: Sandbox) -> float:
    """Seconds since the last of the three daemons started."""
    found = [sample(node.pid(each), 0.0) for each in ("ovsdb-server", "ovs-vswitchd", "ovn-controller")]
    return time.clock_gettime(time.CLOCK_BOOTTIME) - max(each.started for each in found if each is not None)


async def test_controller_that_is_gone_keeps_the_node_unready_for_a_fresh_agent(
    node: Sandbox, watching: Watching
) -> None:
    await node.kill("ovn-controller")
    async with watching(node, **SETTLED) as agent:
        await agent.says("controller-down", failed={"controller.running"})
        await agent.until(lambda: len(agent.agent.health.results) > 0, "results")
        assert agent.blamed == ["controller-down"]
        assert "starting" not in agent.codes
        assert (await agent.get("/readyz"))[0] == 503


@pytest.mark.restored
async def test_switch_that_dies_after_the_controller_restarted_is_down_at_once(
    node: Sandbox, watching: Watching
) -> None:
    """The start of ovn-controller excuses nothing that ovs-vswitchd lacks."""
    async with watching(node, start_allowance=3600) as agent:
        await agent.until(lambda: agent.diagnosis.code == "healthy", "healthy")
        await node.restart("ovn-controller")
        await node.kill("ovs-vswitchd")
        await agent.until(lambda: agent.diagnosis.code == "vswitchd-down", "vswitchd-down")
        assert agent.diagnosis.state.label == "not-ready"
        await node.start("ovs-vswitchd")
        await agent.recovers()


@pytest.mark.restored
@pytest.mark.parametrize("daemon", ["ovs-vswitchd", "ovn-controller"])
async def test_daemon_that_died_within_the_start_is_down_for_who_comes_later(
    node: Sandbox, watching: Watching, daemon: str
) -> None:
    """Its pidfile is newer than the start, so the start did reach it."""
    code = {"ovs-vswitchd": "vswitchd-down", "ovn-controller": "controller-down"}[daemon]
    for each in ("ovsdb-server", "ovs-vswitchd", "ovn-controller"):
        await node.restart(each)
    await node.kill(daemon)
    async with watching(node, start_allowance=3600) as agent:
        await agent.until(lambda: agent.diagnosis.code == code, code)
        assert agent.blamed == [code]
        assert "starting" not in agent.codes
    exit_code, document = await checked(node)
    assert (exit_code, document["diagnosis"]["code"]) == (1, code)


@pytest.mark.restored
async def test_controller_that_died_after_the_switch_restarted_is_down_for_who_comes_later(
    node: Sandbox, watching: Watching
) -> None:
    """Its pidfile is older than that start; the flows are not."""
    await node.restart("ovs-vswitchd")
    await node.wait_ready()
    await node.kill("ovn-controller")
    async with watching(node, start_allowance=3600) as agent:
        await agent.until(lambda: agent.diagnosis.code == "controller-down", "controller-down")
        assert (await agent.get("/readyz"))[0] == 503
    exit_code, document = await checked(node)
    assert (exit_code, document["diagnosis"]["code"]) == (1, "controller-down")


@pytest.mark.restored
async def test_daemon_that_died_before_the_start_is_waited_for(node: Sandbox, watching: Watching) -> None:
    await node.kill("ovs-vswitchd")
    await node.restart("ovsdb-server")
    async with watching(node, start_allowance=3600) as agent:
        await agent.until(lambda: "vswitchd-down" in agent.diagnosis.also, "the switch is away")
        assert agent.diagnosis.code == "starting"


@pytest.mark.restored
async def test_switch_that_is_frozen_before_its_bridge_has_a_socket_is_hung(node: Sandbox, watching: Watching) -> None:
    """The missing management socket does not end the silence on the control socket."""
    mgmt = node.rundir / "br-int.mgmt"
    away = mgmt.with_suffix(".away")
    await node.freeze("ovs-vswitchd")
    mgmt.rename(away)
    async with watching(node, **SETTLED) as agent:
        await agent.until(lambda: agent.diagnosis.code == "vswitchd-hung", "vswitchd-hung")
        assert "mgmt-socket-missing" not in agent.codes
        assert agent.diagnosis.dead
        away.rename(mgmt)
        await node.thaw("ovs-vswitchd")
        await agent.recovers()


@pytest.mark.restored
async def test_held_agent_of_a_switch_that_is_frozen_and_then_loses_its_bridge_socket_calls_it_hung(
    node: Sandbox, watching: Watching
) -> None:
    mgmt = node.rundir / "br-int.mgmt"
    away = mgmt.with_suffix(".away")
    async with watching(node, **SETTLED) as agent:
        await agent.says("healthy")
        await node.freeze("ovs-vswitchd")
        mgmt.rename(away)
        await agent.until(lambda: agent.diagnosis.code == "vswitchd-hung", "vswitchd-hung")
        assert agent.diagnosis.dead
        away.rename(mgmt)
        await node.thaw("ovs-vswitchd")
        await agent.recovers()


async def set_remote(node: Sandbox, remote: str) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f'external_ids:ovn-remote="{remote}"')


@contextlib.asynccontextmanager
async def looking(watching: Watching, node: Sandbox, remote: str, *, held: bool) -> AsyncIterator[Watched]:
    """An agent that was there before ovn-remote changed, or one that came afterwards."""
    if not held:
        await set_remote(node, remote)
    async with watching(node, southbound="on", **SETTLED) as agent:
        if held:
            await agent.says("healthy")
            await set_remote(node, remote)
        yield agent
        await set_remote(node, node.southbound)
        await agent.recovers()


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
@pytest.mark.parametrize(
    ("remote", "code"),
    [
        ("tcp:127.0.0.1:1", "southbound-down"),
        ("unix:{run}/nowhere.sock", "southbound-down"),
        ("unix:{run}/ovnnb_db.sock", "southbound-wrong-address"),
        ("unix:{run}/br-int.mgmt", "southbound-wrong-address"),
        ("ssl:127.0.0.1:1", "misconfigured"),
        ("tcp:no-such-host.invalid:6642", "name-unresolved"),
    ],
)
async def test_remote_that_changes_is_followed_and_what_it_leads_to_is_named(
    node: Sandbox, watching: Watching, remote: str, code: str, held: bool
) -> None:
    async with looking(watching, node, remote.format(run=node.rundir), held=held) as agent:
        await agent.until(lambda: agent.diagnosis.code == code, code)
        assert agent.agent.health.results["southbound.echo"].status.value == "failed"
        assert agent.diagnosis.state.serves or "flows-missing" in agent.diagnosis.also
        assert await agent.get("/ovs/livez") == (200, "ok\n")


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
async def test_southbound_that_moved_is_judged_where_it_is(node: Sandbox, watching: Watching, held: bool) -> None:
    """The old server is frozen, and no concern of anybody's."""
    async with Sandbox() as other:
        await other.wait_ready()
        if not held:
            await set_remote(node, other.southbound)
            await node.freeze("ovn-sb")
        async with watching(node, **SETTLED) as agent:
            if held:
                await agent.says("healthy")
                await set_remote(node, other.southbound)
                await node.freeze("ovn-sb")

            def at_the_new_one() -> bool:
                return other.southbound in agent.agent.health.results["southbound.echo"].detail

            await agent.until(at_the_new_one, "the new southbound")
            await agent.until(lambda: not agent.diagnosis.code.startswith("southbound"), "peace")
            await node.thaw("ovn-sb")
            await other.freeze("ovn-sb")
            await agent.until(lambda: agent.diagnosis.code == "southbound-hung", "the new one hung")


@pytest.mark.restored
async def test_southbound_that_restarts_begins_no_start_of_the_node(node: Sandbox, watching: Watching) -> None:
    """Its stages keep their times, and an agent that came later claims none."""
    async with watching(node) as agent:
        await agent.until(lambda: agent.diagnosis.code == "healthy", "healthy")
        before = list(agent.agent.health.timeline.reached())
        assert {each.took_seconds for each in before} == {None}
        await node.restart("ovn-sb")
        await agent.recovers()
        assert list(agent.agent.health.timeline.reached()) == before


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"database": "tcp:no-such-host.invalid:6640"}, "name-unresolved"),
        ({"database": "tcp:127.0.0.1:1"}, "database-unreachable"),
        ({"database": "ssl:127.0.0.1:1"}, "misconfigured"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_address_of_the_database_that_is_wrong_is_our_fault_and_nobodys_death(
    shared_node: Sandbox, watching: Watching, settings: dict[str, Any], code: str
) -> None:
    async with watching(shared_node, **SETTLED, **settings) as agent:
        await agent.until(lambda: agent.diagnosis.code == code, code)
        assert agent.diagnosis.state.label == "not-ready"
        assert agent.agent.health.dead_since is None
        assert await agent.get("/ovs/livez") == (200, "ok\n")


async def test_certificate_authority_that_is_wrong_is_our_fault_and_nobodys_death(
    watching: Watching, tmp_path: Path
) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        for directory in (ours, theirs):
            directory.mkdir()
            certify(files(directory), binaries.find())
        async with tls_door(node.rundir / "db.sock", serving(files(theirs))) as port:
            wrong = Tls(files(theirs).key, files(theirs).certificate, files(ours).ca)
            settings = {
                "tls_key": wrong.key,
                "tls_certificate": wrong.certificate,
                "tls_ca": wrong.ca,
            }
            async with watching(node, database=f"ssl:127.0.0.1:{port}", **SETTLED, **settings) as agent:
                told = await agent.says("tls-failed", failed={"ovsdb.echo"})
                assert "CERTIFICATE_VERIFY_FAILED" in told.evidence[0]
                assert agent.agent.health.dead_since is None
                assert await agent.get("/ovs/livez") == (200, "ok\n")


def files(directory: Path) -> Tls:
    return Tls(*(str(directory / name) for name in ("node.key", "node.pem", "ca.pem")))


def serving(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tls.certificate, tls.key)
    return context
