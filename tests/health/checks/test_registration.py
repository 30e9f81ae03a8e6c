"""Another node with this one's name or address, on one southbound."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import pytest

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of, state_of
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.checks.southbound import looks
from ovsnet.node.registration import Ours, Registered
from ovsnet.node.southbound import Southbound
from ovsnet.sandbox.node import Sandbox
from tests.faults.chassis import another_node
from tests.health.checks.conftest import Asking


def remedy(result: Result) -> str:
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, state_of(cause, result)) == ("chassis-conflict", State.DEGRADED)
    return cause.remedy_for(result.facts)


async def test_only_node_of_its_name_is_asked_for_once(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        await ask("ovsdb.echo")  # the database tells where the southbound is
        assert (await ask("southbound.chassis")).status is Status.OK
        held, before = ask.node.southbound.held(), ask.node.southbound.held().registered
        result = await ask("southbound.chassis")
        assert held.registered == before
    assert result.detail == "No other node is known as sandbox, or has its tunnel address."


async def test_clone_is_named_at_once_to_who_comes_and_later_to_who_was_there(node: Sandbox, asking: Asking) -> None:
    async with asking(node, timeout=1.0, broken_after=2.0) as held:
        assert (await held.until("southbound.chassis", lambda now: now.status is Status.OK)).status is Status.OK
        ids = {"system-id": "sandbox", "ovn-encap-ip": "127.0.0.2", "hostname": "clone"}
        async with another_node(node, node.directory / "clone", **ids):
            async with asking(node, timeout=1.0) as fresh:
                found = await fresh.until("southbound.chassis", lambda now: now.status is Status.FAILED)
            assert (await held("southbound.chassis")).status is Status.OK, "a change of our own looks the same"
            told = await held.until("southbound.chassis", lambda now: now.status is Status.FAILED)
            assert (told.detail, told.facts) == (found.detail, found.facts)
        await held.until("southbound.chassis", lambda now: now.status is Status.OK)
    assert told.detail == "Clone registers itself with 127.0.0.2 as chassis sandbox, this node's name."
    assert remedy(told).startswith("clone has the name sandbox too")


async def test_holder_of_the_address_is_named(node: Sandbox, asking: Asking) -> None:
    await node.run("ovn-sbctl", "chassis-add", "other", "geneve", "127.0.0.9")
    await node.run("ovn-sbctl", "set", "Chassis", "other", "hostname=other-host")
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-encap-ip=127.0.0.9")
    async with asking(node, timeout=0.5) as ask:
        result = await ask.until("southbound.chassis", lambda now: now.status is Status.FAILED)
        assert "Chassis other on other-host is registered with 127.0.0.9" in result.detail
        assert "Chassis other has 127.0.0.9 already" in remedy(result)
        await node.run("ovn-sbctl", "chassis-del", "other")
        await ask.until("southbound.chassis", lambda now: now.status is Status.OK)


async def test_row_of_a_controller_that_is_away_is_nobodys(node: Sandbox, asking: Asking) -> None:
    await node.kill("ovn-controller")
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-encap-ip=127.0.0.9")
    async with asking(node, timeout=0.5) as ask:
        await ask("ovsdb.echo")
        assert (await ask("southbound.chassis")).status is Status.OK


async def test_address_of_another_is_told_without_a_controller_that_may_have_died_of_it(
    node: Sandbox, asking: Asking
) -> None:
    await node.kill("ovn-controller")
    await node.run("ovn-sbctl", "chassis-add", "other", "geneve", "127.0.0.9")
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-encap-ip=127.0.0.9")
    async with asking(node, timeout=0.5) as ask:
        result = await ask.until("southbound.chassis", lambda now: now.status is Status.FAILED)
    assert "Chassis other on a host without a name is registered with 127.0.0.9" in result.detail


class Row:
    """A row whose versions are told one after the other; the last stays."""

    def __init__(self, before: str, *versions: str) -> None:
        self.registered = Registered(version=before)
        self._versions = list(versions)
        self.asked = 0

    async def read_registered(self, name: str, addresses: object, *, timeout: float) -> Registered:
        self.asked += 1
        version = self._versions.pop(0) if len(self._versions) > 1 else self._versions[0]
        return Registered("other" if version == "theirs" else "node", version=version)


@pytest.mark.parametrize(
    ("row", "asked", "seen"),
    [
        (Row("1", "1"), {1}, {"1"}),
        (Row("", ""), {1}, {""}),
        (Row("1", "2", "2", "2", "2", "2", "2", "2", "theirs"), range(8, 99), {"2", "theirs"}),
        (Row("", "1", "1", "theirs"), range(3, 99), {"1", "theirs"}),
    ],
    ids=["nobody-writes", "no-row", "writers-pause", "newcomer"],
)
async def test_row_that_somebody_writes_is_looked_at_until_patience_ends(
    row: Row, asked: Collection[int], seen: set[str]
) -> None:
    found = await looks(cast(Southbound, row), Ours("node", "node", frozenset()), 0.3)
    assert row.asked in asked
    assert {each.version for each in found} == seen
