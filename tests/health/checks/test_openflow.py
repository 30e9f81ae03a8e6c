"""The bridge, asked over OpenFlow on a real node."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.openflow import _is_at_the_database, _may_wait_for_database
from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.faults.programs import clients, no_more_descriptors
from tests.health.checks.conftest import Asking

if TYPE_CHECKING:
    from ovsnet.node.node import Node


async def test_bridge_answers_with_a_round_trip(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        result = await ask("openflow.echo")
    assert (result.status, result.detail) == (Status.OK, "br-int answers OpenFlow.")
    assert (result.rtt_seconds or 0) > 0


async def test_bridge_holds_as_many_flows_as_the_switch_counts(shared_node: Sandbox, asking: Asking) -> None:
    aggregate = await shared_node.run("ovs-ofctl", "-O", "OpenFlow15", "dump-aggregate", "br-int")
    async with asking(shared_node) as ask:
        result = await ask("openflow.flows")
    assert result.status is Status.OK
    assert result.values == {"flows": int(aggregate.rpartition("flow_count=")[2])}


async def test_wiped_flows_are_missing(node: Sandbox, asking: Asking) -> None:
    """With ovn-controller away nobody installs them again, and every other sign stays green."""
    await node.stop("ovn-controller")
    await node.run("ovs-ofctl", "-O", "OpenFlow15", "del-flows", "br-int")
    async with asking(node) as ask:
        result = await ask("openflow.flows")
        assert (await ask("openflow.echo")).status is Status.OK
    assert (result.status, result.reason, result.values) == (Status.FAILED, "flows-missing", {"flows": 0})


async def test_flows_in_one_table_are_none_of_ovn_controllers(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovn-controller")
    await node.run("ovs-ofctl", "-O", "OpenFlow15", "del-flows", "br-int")
    await node.run("ovs-ofctl", "-O", "OpenFlow15", "add-flow", "br-int", "actions=normal")
    async with asking(node) as ask:
        result = await ask("openflow.flows")
    assert (result.status, result.reason, result.values) == (Status.FAILED, "flows-missing", {"flows": 1})


async def test_removed_management_socket_is_missing_while_the_bridge_lives(node: Sandbox, asking: Asking) -> None:
    (node.rundir / "br-int.mgmt").unlink()
    async with asking(node) as ask:
        assert (await ask("vswitchd.ofproto")).status is Status.OK
        result = await ask("openflow.echo")
        dependant = await ask("openflow.flows")
    assert (result.status, result.reason) == (Status.FAILED, "socket-missing")
    assert (dependant.status, dependant.reason) == (Status.SKIPPED, "precondition")


@pytest.mark.restored
@pytest.mark.parametrize("name", ["openflow.echo", "openflow.flows", "openflow.accept"])
async def test_silence_of_a_switch_that_may_wait_for_its_database_is_not_called_slow(
    node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever is asked first. How long its backoff is depends on its past (lib/reconnect.c)."""
    async with asking(node, timeout=0.3) as ask:
        assert (await ask(name)).status is Status.OK
        monkeypatch.setattr("ovsnet.health.checks.openflow._may_wait_for_database", lambda node: True)
        await node.freeze("ovs-vswitchd")
        answer = await CHECKS[name].probe(ask.node)
    assert (answer.status, answer.reason) == (Status.FAILED, "no-database")


async def test_stranger_at_the_management_socket_is_not_taken_for_a_switch_without_its_database(
    node: Sandbox, asking: Asking
) -> None:
    """A program that speaks OpenFlow, and then keeps silent or floods."""
    async with asking(node) as ask:
        assert (await ask("openflow.echo")).status is Status.OK
        assert _is_at_the_database(ask.node) is True
        ask.node.daemons["ovs-vswitchd"].met(os.getpid())
        assert _is_at_the_database(ask.node) is True


@pytest.mark.parametrize(
    ("at_database", "lost", "opened", "server", "switch", "spoke", "heard", "may"),
    [
        (True, 90.0, 95.0, 94.0, 10.0, 0.0, 100.0, False),  # it is connected
        (False, None, 5.0, 4.0, 3.0, 0.0, 100.0, True),  # it is not, whatever happened before
        (False, None, 5.0, 4.0, 3.0, 0.0, 90.0, False),  # it is silent altogether
        (None, None, 99.0, 3.0, 10.0, 0.0, 100.0, False),  # its database was there before it
        (None, None, 99.0, 94.0, 10.0, 0.0, 100.0, True),  # its database came after it, and before us
        (None, None, 99.0, 80.0, 10.0, 0.0, 100.0, False),  # so long ago that its backoff is over
        (None, 90.0, 95.0, 94.0, 10.0, 0.0, 100.0, True),  # we saw its database go and come
        (None, 90.0, 95.0, 94.0, 10.0, 96.0, 100.0, False),  # and heard the switch since
        (None, 96.0, 95.0, 94.0, 10.0, 0.0, 100.0, False),  # its database is away: that is another fault
    ],
)
def test_switch_may_wait_for_its_database_as_far_as_can_be_seen(
    monkeypatch: pytest.MonkeyPatch,
    at_database: bool | None,
    lost: float | None,
    opened: float,
    server: float,
    switch: float,
    spoke: float,
    heard: float,
    may: bool,
) -> None:
    """At 100 seconds, with a timeout and an interval of one each."""
    monkeypatch.setattr("ovsnet.health.checks.openflow._is_at_the_database", lambda node: at_database)
    fake = SimpleNamespace(
        clock=lambda: 100.0,
        settings=SimpleNamespace(timeout=1.0, interval=1.0),
        vswitchd=SimpleNamespace(heard_at=heard),
        ovsdb=SimpleNamespace(lost_at=lost, opened_at=opened),
        daemons={
            "ovsdb-server": SimpleNamespace(started_at=server),
            "ovs-vswitchd": SimpleNamespace(started_at=switch),
        },
        openflow={"br-int": SimpleNamespace(heard_at=spoke, spoke_at=0.0)},
    )
    assert _may_wait_for_database(cast("Node", fake)) is may


BACKLOG = 65
"""Connections that wait at most: 64 of listen(2) in OVS's lib/stream-unix.c, and one more of the kernel's."""


async def test_full_backlog_of_a_switch_without_descriptors_is_its_symptom(node: Sandbox, asking: Asking) -> None:
    """It has no descriptor left to accept with, tries in every turn of its loop, and answers who is connected."""
    async with asking(node, timeout=1.0) as ask:
        assert (await ask("vswitchd.ofproto")).status is Status.OK
        with no_more_descriptors(node.pid("ovs-vswitchd")), clients(node.rundir / "br-int.mgmt", BACKLOG + 5):
            result = await ask.until("openflow.echo", lambda now: now.reason == "no-descriptors")
    assert result.status is Status.FAILED
    assert result.facts["pid"] == str(node.pid("ovs-vswitchd"))


@pytest.mark.restored
@pytest.mark.parametrize(
    ("hung_after", "status", "reason"), [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]
)
async def test_stopped_switch_leaves_a_full_backlog_to_its_silence(
    node: Sandbox, asking: Asking, hung_after: float, status: Status, reason: str
) -> None:
    """Who is stopped accepts nobody: clients that pile up are its symptom, and not the cause."""
    await node.freeze("ovs-vswitchd")
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        assert ((await ask("vswitchd.ofproto")).status, (await ask("vswitchd.ofproto")).reason) == (status, reason)
