"""Another node with this one's name or address, on one southbound."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import cast

import pytest

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of, state_of
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.checks.southbound import looks
from ovsnet.node import own_chassis
from ovsnet.node.registration import Ours, Registered
from ovsnet.node.southbound import Southbound
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from tests.faults.chassis import another_node
from tests.faults.programs import program
from tests.health.checks.conftest import Asking


def remedy(result: Result, code: str = "chassis-conflict") -> str:
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, state_of(cause, result)) == (code, State.DEGRADED)
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


async def test_own_chassis_of_an_earlier_name_is_removed_by_the_remedy(node: Sandbox, asking: Asking) -> None:
    """As on a host that was set up again, or whose pod was killed: nobody else is to be looked for."""
    await node.kill("ovn-controller")
    await set_ids(node, "system-id=renamed")
    await node.start("ovn-controller")
    async with asking(node, timeout=1.0) as ask:
        result = await ask.until("southbound.chassis", lambda now: now.status is Status.FAILED)
        said = remedy(result, "chassis-left-behind")
        assert "another node" not in f"{result.detail} {said}".lower()
        program, *words = said.split("`")[1].split()
        await node.run(program, *words)
        await registered(node, "renamed")
        await ask.until("southbound.chassis", lambda now: now.status is Status.OK)
    assert [program, *words] == ["ovn-sbctl", "chassis-del", "sandbox"]


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


@contextlib.asynccontextmanager
async def controller_named(node: Sandbox, name: str, directory: Path) -> AsyncIterator[None]:
    """One more ovn-controller on the node's database, which has its control socket in ``directory``."""
    os.mkdir(directory)
    environment = (f"OVN_RUNDIR={directory}", f"OVS_RUNDIR={node.rundir}")
    words = (str(binaries.find().path("ovn-controller")), f"unix:{node.rundir}/db.sock", "-n", name, "-vconsole:off")
    async with program(node, "/usr/bin/env", *environment, *words):
        yield


async def set_ids(node: Sandbox, *settings: str) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", *(f"external_ids:{each}" for each in settings))


async def registered(node: Sandbox, name: str) -> None:
    await node.run("ovn-sbctl", "wait-until", "Chassis", name)


async def test_chassis_of_one_host_are_not_in_conflict(node: Sandbox, asking: Asking) -> None:
    """ovn-controller(8): several may share a database, with settings whose keys end in their names."""
    await node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "external_ids", "ovn-encap-ip")
    await set_ids(node, "ovn-encap-ip-sandbox=127.0.0.1", "hostname-sandbox=first", "hostname=plain")
    await set_ids(node, "ovn-encap-ip-second=127.0.0.5", "ovn-bridge-second=br-second")
    async with controller_named(node, "second", node.directory / "second"):
        await registered(node, "second")
        async with asking(node, timeout=1.0) as ask:
            await ask.until("controller.chassis", lambda now: now.status is Status.OK)
            told = await ask.until("southbound.chassis", lambda now: now.status is not Status.SKIPPED)
            assert (told.status, told.reason) == (Status.OK, ""), told.detail


async def test_controller_of_a_given_name_has_applied_what_there_is(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovn-controller")
    await node.run("ovn-sbctl", "chassis-del", "sandbox")
    async with controller_named(node, "given", node.directory / "given"):
        await registered(node, "given")
        pidfile = node.rundir / "ovn-controller.pid"
        (socket,) = (node.directory / "given").glob("ovn-controller.*.ctl")
        pidfile.write_text(socket.name.split(".")[1] + "\n")
        (node.rundir / socket.name).symlink_to(socket)
        async with asking(node, timeout=1.0) as ask:
            told = await ask.until("southbound.applied", lambda now: now.status is not Status.SKIPPED)
        pidfile.unlink()
    assert told.status is Status.OK
    assert told.detail.startswith("This node has applied ")


async def test_address_of_our_own_chassis_of_an_unseen_name_is_no_conflict(node: Sandbox, asking: Asking) -> None:
    """Of an ovn-controller that is away nobody knows what ``-n`` was."""
    await node.stop("ovn-controller")
    await node.run("ovn-sbctl", "chassis-del", "sandbox")
    await node.run("ovn-sbctl", "chassis-add", "given", "geneve", "127.0.0.1")
    await node.run("ovn-sbctl", "set", "Chassis", "given", f"hostname={os.uname().nodename}")
    async with asking(node, timeout=0.5) as ask:
        result = await ask.until("southbound.chassis", lambda now: "given" in now.detail)
    assert (result.status, result.reason) == (Status.SKIPPED, "not-used")


@pytest.mark.parametrize(("text", "status"), [("by-the-file\n", Status.OK), ("", Status.FAILED)])
async def test_name_in_a_file_that_the_process_sees_counts_when_there_is_one(
    node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch, text: str, status: Status
) -> None:
    override = node.directory / "system-id-override"
    override.write_text(text)
    monkeypatch.setattr(own_chassis, "SYSTEM_ID_OVERRIDE", override)
    await node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "external_ids", "system-id")
    async with asking(node) as ask:
        await ask("controller.running")
        assert (await ask("controller.chassis")).status is status
