"""Each knob that claims to act on the version at hand acts, each that claims to be dead is dead, seen on the wire or in
the daemon's own state: who asks whom whether it lives.

That something never comes cannot be waited for; it is told by something else, no older, that did come.
"""

from __future__ import annotations

import re

import pytest

from ovsnet.sandbox.node import Sandbox
from tests.tune.conftest import Tuning
from tests.tune.wire import Mute, acts, mute_client, mute_controller, tapped, unix, until

OPENFLOW_PROBES = {"ovn-openflow-probe-interval": 5, "ovn-bridge-remote-probe-interval": 5000}


@pytest.mark.parametrize("knob", OPENFLOW_PROBES)
async def test_openflow_probe_is_seen_on_the_wire_or_the_knob_is_dead(knob: str, tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner, mute_controller() as (reference, target):
        await tuner.set(f"{knob}={OPENFLOW_PROBES[knob]}")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "br-int.mgmt") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: any(tap.flow_writers()))
            await tuner.set("controller-inactivity-probe=5000", controller_inactivity_probe=target)

            def probed() -> bool:
                return any(said.openflow_echoes() for said in tap.flow_writers())

            if acts(await tuner.facts(), knob):
                await tap.until(probed)
            else:
                await dropped(reference)
                assert not probed()


async def dropped(reference: Mute) -> None:
    """The switch asks after 5 s of silence, drops after 10, and connects again."""
    await reference.until(lambda: reference.connections >= 2)


async def test_remote_probe_interval_is_seen_by_the_southbound(tuning: Tuning) -> None:
    """An explicit value counts for a unix socket too, and below its floor it is a second."""
    async with Sandbox() as node, tuning(node) as tuner:
        await tuner.set("ovn-remote-probe-interval=300")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "ovnsb_db.sock") as tap:
            await node.start("ovn-controller")
            await tap.probed()


async def test_northd_probe_interval_is_seen_by_both_databases(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.stop("ovn-northd")
        async with tapped(node.rundir / "ovnnb_db.sock") as north, tapped(node.rundir / "ovnsb_db.sock") as south:
            await tuner.set("northd_probe_interval=1000")
            await node.start("ovn-northd")
            await north.probed()
            await south.probed()


async def test_connection_probe_is_of_its_remote_alone_and_the_option_of_that_name_is_read_by_nobody(
    tuning: Tuning,
) -> None:
    """northd copies the northbound's option to the southbound (sb-options-inactivity-probe), where it does nothing
    either."""
    async with Sandbox() as node, tuning(node) as tuner:
        paths = [node.rundir / "nb-probed.sock", node.rundir / "sb-probed.sock"]
        await tuner.set(
            "nb-options-inactivity-probe=1000",
            "nb-inactivity-probe=1000",
            "sb-inactivity-probe=1000",
            nb_inactivity_probe=f"punix:{paths[0]}",
            sb_inactivity_probe=f"punix:{paths[1]}",
        )
        for database, path in zip(("nb", "sb"), paths, strict=True):
            await node.wait_listening(path.name)
            silent = node.rundir / f"ovn{database}_db.sock"
            async with mute_client(unix(silent)) as unprobed, mute_client(unix(path)) as probed:
                await probed.probed()
                assert not unprobed.said.rpc_echoes()


async def test_manager_probe_is_seen_by_its_client_and_zero_turns_it_off(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        path = node.rundir / "manager.sock"
        await tuner.set("manager-inactivity-probe=1000", manager_inactivity_probe=f"punix:{path}")
        await node.wait_listening(path.name)
        async with mute_client(unix(path)) as client:
            await client.probed()
        await tuner.set("manager-inactivity-probe=0")
        async with mute_client(unix(path)) as unprobed:
            await tuner.set("manager-inactivity-probe=2000")
            assert not unprobed.said.rpc_echoes()
            async with mute_client(unix(path)) as client:
                await client.probed()


async def test_controller_probe_is_seen_by_the_controller_and_zero_turns_it_off(tuning: Tuning) -> None:
    async with (
        Sandbox(ovn=False) as node,
        tuning(node) as tuner,
        mute_controller() as (probed, target),
        mute_controller() as (unprobed, other),
    ):
        await tuner.set("controller-inactivity-probe=5000", controller_inactivity_probe=other)
        await connected(node)
        await tuner.set("controller-inactivity-probe=0")
        # Without --no-wait it returns when the switch has taken this change, and so the one before.
        await node.run("ovs-vsctl", "--", "--id=@new", "create", "Controller", f'target="{target}"',
                       "inactivity_probe=1000", "--", "add", "Bridge", node.bridge, "controller", "@new")  # fmt: skip
        await connected(node)
        before = unprobed.connections
        await probed.until(lambda: probed.said.openflow_echoes())
        assert min(at for at, message in probed.said.openflow() if message[1] == 2) >= 4.9, "the floor is 5 s"
        await dropped(probed)
        assert unprobed.connections == before


async def connected(node: Sandbox) -> None:
    """Until then a new controller is probed every 5 s whatever its row says: ``ofservice_create`` of ofproto/connmgr.c
    opens the connection with that interval, and only a change of the configuration replaces it once it is there."""

    async def all_are() -> bool:
        rows = await node.run("ovs-vsctl", "--bare", "--columns=is_connected", "list", "Controller")
        return set(rows.split()) == {"true"}

    await until(all_are)


async def test_election_timer_is_read(tuning: Tuning) -> None:
    async with Sandbox(raft=True) as node:
        told = await node.run(
            "ovs-appctl", "-t", str(node.rundir / "ovnsb1_db.ctl"), "cluster/status", "OVN_Southbound"
        )
        assert re.search(r"^Election timer: \d+", told, re.MULTILINE)
