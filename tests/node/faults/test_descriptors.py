"""A daemon without descriptors serves whom it holds, and nobody else."""

from __future__ import annotations

import pytest

from ovsnet.node.descriptors import descriptors
from ovsnet.sandbox.node import Sandbox
from tests.faults.programs import clients, no_more_descriptors
from tests.node.faults.conftest import Watching
from tests.node.faults.oneshot import checked

pytestmark = pytest.mark.heavy

CROWD = 40
"""Clients that wait: more than it has transient descriptors, fewer than its backlog holds (64)."""


@pytest.mark.parametrize(
    ("daemon", "socket_name", "held_check", "fresh_check"),
    [
        ("ovsdb-server", "db.sock", "ovsdb.accept", "ovsdb.echo"),
        ("ovs-vswitchd", "br-int.mgmt", "openflow.accept", "vswitchd.ofproto"),
        ("ovs-vswitchd", "ovs-vswitchd.{pid}.ctl", "openflow.accept", "vswitchd.ofproto"),
        ("ovn-controller", "ovn-controller.{pid}.ctl", "controller.accept", "controller.running"),
    ],
)
async def test_daemon_without_descriptors_is_named_with_its_numbers(
    node: Sandbox, watching: Watching, daemon: str, socket_name: str, held_check: str, fresh_check: str
) -> None:
    """The agent that was there before, one that starts now, and ``ovsnet check`` agree; and it passes with its
    cause."""
    pid = node.pid(daemon)
    async with watching(node) as agent:
        await agent.says("healthy")
        with no_more_descriptors(pid), clients(node.rundir / socket_name.format(pid=pid), CROWD):
            taken = descriptors(pid)
            assert taken is not None
            fact = f"may have {taken.limit}, and accepts no new connection"
            found = await agent.tells("descriptors-exhausted", state="not-ready", fact=fact, failed={held_check})
            assert f"`prlimit --pid {pid} --nofile={max(2 * taken.limit, 1024)}`" in found.remedy
            async with watching(node) as fresh:
                await fresh.tells("descriptors-exhausted", state="not-ready", fact=fact, failed={fresh_check})
            code, document = await checked(node)
            assert (code, document["state"]) == (1, "not-ready")
            assert document["diagnosis"]["code"] == "descriptors-exhausted"
            assert f"`prlimit --pid {pid} --nofile={max(2 * taken.limit, 1024)}`" in document["diagnosis"]["remedy"]
        await agent.recovers()
    assert not any(code.endswith(("-down", "-hung")) for code in agent.codes)
