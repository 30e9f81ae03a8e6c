"""Two nodes on one southbound that take each other's name or address."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import program

SEEN_TWICE = 10.0
"""Seconds: the registration is read each tenth interval, and what is wrong must be seen again."""

CHATTER = "controller-slow southbound-slow controller-not-connected"
"""What two ovn-controllers that write as fast as they can do to a machine of two cores."""


def _room_for(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    file = directory / "conf.db"
    file.unlink(missing_ok=True)
    return file


@contextlib.asynccontextmanager
async def another_node(node: Sandbox, directory: Path, **ids: str) -> AsyncIterator[None]:
    """A second ovn-controller at the node's southbound, with a database of its own, and no switch."""
    found = binaries.find()
    schema = next(each / "vswitch.ovsschema" for each in found.schemas if (each / "vswitch.ovsschema").exists())
    file, database = _room_for(directory), f"unix:{directory}/db.sock"
    await node.run("ovsdb-tool", "create", str(file), str(schema))
    settings = {"ovn-remote": node.southbound, "ovn-encap-type": "geneve", **ids}
    words = [f'external_ids:{key}="{value}"' for key, value in settings.items()]
    server = (f"--remote=p{database}", f"--unixctl={directory}/ovsdb-server.ctl", "-vconsole:off")
    own = (f"OVN_RUNDIR={directory}", f"OVS_RUNDIR={directory}", str(found.path("ovn-controller")))
    async with program(node, "ovsdb-server", str(file), *server):
        await node.run("ovsdb-client", "wait", database, "Open_vSwitch", "connected")
        await node.run("ovs-vsctl", f"--db={database}", "--no-wait", "init", "--", "set", "Open_vSwitch", ".", *words)
        async with program(node, "/usr/bin/env", *own, database, "-vconsole:off"):
            insisting = asyncio.create_task(_insist(node, database))
            yield
            insisting.cancel()


async def _insist(node: Sandbox, database: str) -> None:
    """The two may come to rest, with one outstanding transaction each. A change of its settings sets them off again."""
    for number in itertools.count():
        await node.run(
            "ovs-vsctl",
            f"--db={database}",
            "--no-wait",
            *("set", "Open_vSwitch", ".", f"external_ids:ovn-cms-options={number}"),
        )
        await asyncio.sleep(0.5)


@fault("chassis-conflict", passing=CHATTER, deadline=SEEN_TWICE)
async def another_node_of_the_same_name(scene: Scene) -> Steps:
    """The machine was cloned: another node has its system-id, and an address of its own."""
    ids = {"system-id": "sandbox", "ovn-encap-ip": "127.0.0.2", "hostname": "clone"}
    async with another_node(scene.node, scene.scratch / "clone", **ids):
        yield


@fault(
    "chassis-left-behind",
    passing=f"{CHATTER} controller-down controller-restarting flows-missing",
    starts=True,
    deadline=SEEN_TWICE,
)
async def system_id_changed_while_the_controller_was_away(scene: Scene) -> Steps:
    """ovn-controller got SIGKILL, then another external_ids:system-id, and was started: its old chassis stayed."""
    await _killed_and_renamed(scene, "renamed")
    yield
    await _killed_and_renamed(scene, "sandbox")


async def _killed_and_renamed(scene: Scene, name: str) -> None:
    await scene.node.kill("ovn-controller")
    await scene.set(f"system-id={name}")
    await scene.node.start("ovn-controller")


@fault(
    "chassis-conflict",
    passing=CHATTER,
    deadline=SEEN_TWICE,
    also="chassis-conflict",
    ends_since="26.03",
)
async def tunnel_address_of_another_node(scene: Scene) -> Steps:
    """external_ids:ovn-encap-ip is an address that another chassis has registered."""
    await scene.node.run("ovn-sbctl", "chassis-add", "other", "geneve", "127.0.0.9")
    await scene.node.run("ovn-sbctl", "set", "Chassis", "other", "hostname=other-host")
    await scene.set("ovn-encap-ip=127.0.0.9")
    yield
    await scene.set("ovn-encap-ip=127.0.0.1")
    await scene.node.run("ovn-sbctl", "chassis-del", "other")
    if not scene.node.running("ovn-controller"):
        await scene.node.start("ovn-controller")
