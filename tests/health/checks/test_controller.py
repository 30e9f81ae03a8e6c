"""ovn-controller, asked on a real node."""

import time

import msgspec
import pytest

from ovsnet.health.checks.controller import LATELY, STALE, judge_applied
from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking


async def test_runs_and_is_connected(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        assert (await ask("controller.running")).status is Status.OK
        assert (await ask("controller.connection")).status is Status.OK


async def test_node_without_ovn_lacks_nothing(asking: Asking) -> None:
    async with Sandbox(ovn=False) as plain:
        await plain.wait_ready()
        async with asking(plain) as ask:
            for name in ("controller.running", "controller.connection"):
                result = await ask(name)
                assert (result.status, result.reason) == (Status.SKIPPED, "not-used")
            assert (await ask("openflow.flows")).status is Status.OK


@pytest.mark.restored
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("held", [True, False])
async def test_controller_that_ended_is_gone(node: Sandbox, asking: Asking, end: str, held: bool) -> None:
    async with asking(node) as ask:
        if held:
            assert (await ask("controller.running")).status is Status.OK
        await getattr(node, end)("ovn-controller")
        result = await ask("controller.running")
        dependant = await ask("controller.connection")
    assert (result.status, result.reason) == (Status.FAILED, "gone")
    assert "ovn-controller is not running" in result.detail
    # One that was met is known to have ended; the pidfile that a killed one leaves says that it ran.
    assert (result.lost_at is not None) is (held or end == "kill")
    assert (dependant.status, dependant.reason) == (Status.SKIPPED, "precondition")


@pytest.mark.restored
@pytest.mark.parametrize(
    ("hung_after", "status", "reason"), [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]
)
async def test_stopped_controller_is_late_and_then_hung(
    node: Sandbox, asking: Asking, hung_after: float, status: Status, reason: str
) -> None:
    await node.freeze("ovn-controller")
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        result = await ask("controller.running")
    assert (result.status, result.reason) == (status, reason)


@pytest.mark.restored
async def test_bridge_that_does_not_allow_its_openflow_is_told(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        await ask("ovsdb.echo")
        await ask("controller.running")
        await node.run("ovs-vsctl", "set", "bridge", "br-int", "protocols=OpenFlow10,OpenFlow13")
        result = await ask.until("controller.openflow", lambda now: now.reason == "openflow-version")
        assert "it speaks OpenFlow15, and the bridge allows only OpenFlow10, OpenFlow13." in result.detail
        await node.run("ovs-vsctl", "set", "bridge", "br-int", "protocols=OpenFlow15")
        await ask.until("controller.openflow", lambda now: now.status is Status.OK)


async def test_paused_controller_installs_nothing(node: Sandbox, asking: Asking) -> None:
    await node.run("ovn-appctl", "-t", "ovn-controller", "debug/pause")
    async with asking(node) as ask:
        result = await ask("controller.running")
    assert (result.status, result.reason) == (Status.FAILED, "controller-paused")
    assert result.reason == "controller-paused"


async def test_controller_without_its_southbound_is_not_connected(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovn-sb")
    async with asking(node) as ask:
        result = await ask.until("controller.connection", lambda now: now.status is not Status.OK)
        assert (await ask("controller.running")).status is Status.OK
    assert (result.status, result.reason) == (Status.FAILED, "controller-not-connected")
    assert "not connected" in result.detail


@pytest.mark.parametrize(("ago", "reason"), [(5.0, "stale"), (LATELY + 5.0, "controller-not-connected")])
async def test_controller_that_refuses_a_server_says_so_in_its_log_alone(
    node: Sandbox, asking: Asking, ago: float, reason: str
) -> None:
    """The southbound may be on another host, where nobody asks it for its index."""
    await node.stop("ovn-sb")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - ago))
    with (node.directory / "log" / "ovn-controller.log").open("a") as log:
        log.write(f"{stamp}.123Z|00042|ovsdb_cs|INFO|tcp:192.0.2.1:6642: {STALE}; trying another server\n")
    async with asking(node) as ask:
        result = await ask.until("controller.connection", lambda now: now.status is not Status.OK)
    assert (result.status, result.reason) == (Status.FAILED, reason)
    assert ("tcp:192.0.2.1:6642: clustered database server has stale data" in result.detail) is (reason == "stale")


@pytest.mark.parametrize(
    ("value", "said", "facts"),
    [
        ("physnet1:br-nope", "it maps physnet1 to br-nope, and there is no such bridge", {"bridge": "br-nope"}),
        ("physnet1", "at 'physnet1' it is not NETWORK:BRIDGE", {"key": "ovn-bridge-mappings"}),
    ],
)
async def test_mapping_that_leads_to_no_bridge_is_wrong(
    node: Sandbox, asking: Asking, value: str, said: str, facts: dict[str, str]
) -> None:
    async with asking(node) as ask:
        assert (await ask("controller.mappings")).reason == "not-used"
        await _set(node, f"ovn-bridge-mappings={value}")
        result = await ask.until("controller.mappings", lambda now: now.status is Status.FAILED)
        assert (result.reason, result.facts) == ("bridge-mapping-wrong", facts)
        assert said in result.detail
        await _set(node, "ovn-bridge-mappings=physnet1:br-nope,")
        await node.run("ovs-vsctl", "--no-wait", "add-br", "br-nope")
        await ask.until("controller.mappings", lambda now: now.status is Status.OK)


@pytest.mark.parametrize("key", ["ovn-encap-ip", "ovn-encap-ip-sandbox"])
async def test_tunnel_address_that_this_host_has_not_is_missing(node: Sandbox, asking: Asking, key: str) -> None:
    async with asking(node, broken_after=0.5) as ask:
        assert (await ask("controller.encapsulation")).status is Status.OK
        await _set(node, f"{key}=127.0.0.1, 198.51.100.7")
        seen = await ask.until("controller.encapsulation", lambda now: now.status is Status.FAILED)
        async with asking(node, timeout=0.2) as fresh:
            found = await fresh.until("controller.encapsulation", lambda now: now.status is Status.FAILED)
        for result in (seen, found):
            assert (result.reason, result.facts) == (
                *("encap-address-missing", {"address": "198.51.100.7", "key": key}),
            )
        await _set(node, f"{key}=127.0.0.1")
        await ask.until("controller.encapsulation", lambda now: now.status is Status.OK)


async def test_tunnel_address_of_a_nat_is_not_looked_for(node: Sandbox, asking: Asking) -> None:
    await _set(node, "ovn-encap-ip=198.51.100.7")
    async with asking(node) as ask:
        ask.node.settings = msgspec.structs.replace(ask.node.settings, encap_behind_nat=True)
        result = await ask("controller.encapsulation")
    assert (result.status, result.reason) == (Status.SKIPPED, "not-used")
    assert "encap_behind_nat" in result.detail


async def test_addresses_that_cannot_be_read_blame_nobody(
    node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ovsnet.health.checks.controller.addresses_of", lambda pid: None)
    await _set(node, "ovn-encap-ip=198.51.100.7")
    async with asking(node) as ask:
        result = await ask("controller.encapsulation")
    assert (result.status, result.reason) == (Status.SKIPPED, "not-used")


async def _set(node: Sandbox, setting: str) -> None:
    key, _, value = setting.partition("=")
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f'external_ids:{key}="{value}"')


@pytest.mark.restored
async def test_state_that_the_node_applied_is_known_without_the_southbound(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        newest = int(await node.run("ovn-nbctl", "get", "NB_Global", ".", "nb_cfg")) + 1
        await node.run("ovn-nbctl", "set", "NB_Global", ".", f"nb_cfg={newest}")
        told = await ask.until("controller.applied", lambda now: now.values.get("applied") == newest)
    assert told.status is Status.OK
    assert 0 <= float(told.values["age_seconds"]) < 3600


def test_state_of_an_older_ovn_has_no_age() -> None:
    assert judge_applied({}, "br-int", now=0.0).reason == "not-used"
    assert judge_applied({"ovn-nb-cfg": "many"}, "br-int", now=0.0).reason == "not-used"
    assert judge_applied({"ovn-nb-cfg": "7"}, "br-int", now=0.0).values == {"applied": 7}
    told = judge_applied({"ovn-nb-cfg": "7", "ovn-nb-cfg-ts": "90000"}, "br-int", now=100.0)
    assert told.values == {"applied": 7, "age_seconds": 10.0}


def test_clock_that_was_set_back_makes_no_negative_age() -> None:
    told = judge_applied({"ovn-nb-cfg": "7", "ovn-nb-cfg-ts": "90000"}, "br-int", now=80.0)
    assert told.values["age_seconds"] == 0.0
