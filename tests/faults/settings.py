"""Wrong settings in the database, and flows that are not what the settings say."""

from __future__ import annotations

import json
from collections.abc import Callable

from ovsnet.health.cause import State
from ovsnet.sandbox.proc import free_ports
from tests.faults.daemons import NO_FLOWS, WITHOUT_OVSDB
from tests.faults.fault import Scene, Steps, fault

RESTORE = "flow-restore-wait"


def _waits(value: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        await scene.set(f"{RESTORE}={value}", "other_config")
        await scene.node.restart("ovs-vswitchd")
        yield
        await scene.unset(RESTORE, "other_config")

    return steps


for _value in ("true", "True"):
    fault(
        RESTORE,
        name=f"flow-restore-wait-{'as-ansible-writes-it' if _value == 'True' else 'in-force'}",
        about=f"other_config:flow-restore-wait is {_value}, and ovs-vswitchd started with it.",
        breaks="vswitchd ovsdb",
        passing=NO_FLOWS,
        starts=True,
    )(_waits(_value))


@fault("healthy")
async def flow_restore_wait_not_in_force(scene: Scene) -> Steps:
    """The key was set while ovs-vswitchd ran: it acts at its next start."""
    await scene.set(f"{RESTORE}=true", "other_config")
    yield
    await scene.unset(RESTORE, "other_config")


@fault("flows-missing", breaks="vswitchd controller ovsdb", passing="controller-down controller-not-connected")
async def flows_deleted(scene: Scene) -> Steps:
    """Someone ran ovs-ofctl del-flows; ovn-controller does not notice."""
    await scene.node.run("ovs-ofctl", "-OOpenFlow15", "del-flows", "br-int")
    yield
    await scene.node.restart("ovn-controller")


@fault(
    "flows-missing",
    passing="controller-down controller-not-connected",
)
async def flows_replaced_by_normal(scene: Scene) -> Steps:
    """br-int holds one flow, NORMAL, and none of ovn-controller's."""
    flows = scene.scratch / "flows"
    flows.write_text("actions=NORMAL\n")
    await scene.node.run("ovs-ofctl", "-OOpenFlow15", "replace-flows", "br-int", str(flows))
    yield
    await scene.node.restart("ovn-controller")


@fault("flows-missing", shape="no-ovn")
async def flows_deleted_without_ovn(scene: Scene) -> Steps:
    """A bridge without OVN lost its one flow."""
    await scene.node.run("ovs-ofctl", "-OOpenFlow15", "del-flows", "br-int")
    yield
    await scene.node.run("ovs-ofctl", "-OOpenFlow15", "add-flow", "br-int", "actions=NORMAL")


@fault("bridge-missing", also="controller-down", passing=NO_FLOWS, starts=True)
async def bridge_deleted(scene: Scene) -> Steps:
    """br-int was deleted while ovn-controller is down, which would make it again."""
    ports = await scene.vsctl("list-ports", "br-int")
    await scene.node.stop("ovn-controller")
    await scene.vsctl("del-br", "br-int")
    yield
    await scene.node.start("ovn-controller")
    await scene.vsctl("wait-until", "Bridge", "br-int")
    for port in ports.split():
        settings = ("type=internal", f"external_ids:iface-id={port}")
        await scene.vsctl("add-port", "br-int", port, "--", "set", "Interface", port, *settings)


@fault("datapath-missing", breaks="vswitchd", passing=NO_FLOWS, hidden_by=WITHOUT_OVSDB)
async def datapath_type_unknown(scene: Scene) -> Steps:
    """br-int asks for a type of datapath that does not exist: ovs-vswitchd cannot build it, the database looks fine."""
    await scene.vsctl("set", "Bridge", "br-int", "datapath_type=unheard-of")
    yield
    await scene.vsctl("set", "Bridge", "br-int", "datapath_type=system")


@fault("vswitchd-not-connected", state=State.NOT_READY, passing=NO_FLOWS, starts=True, deadline=4)
async def database_without_a_column_of_the_switch(scene: Scene) -> Steps:
    """The database was converted to a schema that lacks a column of Interface, as when it was restored from a file of
    an old release, and ovs-vswitchd was restarted: it is refused what it asks for."""
    server = f"unix:{scene.node.rundir}/db.sock"
    whole = await scene.node.run("ovsdb-client", "get-schema", server, "Open_vSwitch")
    schema = json.loads(whole)
    del schema["tables"]["Interface"]["columns"]["bfd_status"]
    old, new = scene.scratch / "old.ovsschema", scene.scratch / "new.ovsschema"
    new.write_text(whole)
    old.write_text(json.dumps(schema))
    await scene.node.run("ovsdb-client", "convert", server, str(old))
    await scene.node.restart("ovs-vswitchd")
    yield
    await scene.node.run("ovsdb-client", "convert", server, str(new))


@fault("bridge-protocols-wrong", passing="controller-not-connected")
async def bridge_without_openflow_15(scene: Scene) -> Steps:
    """br-int allows OpenFlow 1.0 and 1.3 alone, and ovn-controller speaks 1.5."""
    await scene.vsctl("set", "Bridge", "br-int", "protocols=OpenFlow10,OpenFlow13")
    yield
    await scene.vsctl("set", "Bridge", "br-int", "protocols=OpenFlow15")


@fault("healthy", passing="controller-not-connected")
async def bridge_reached_over_tcp(scene: Scene) -> Steps:
    """external_ids:ovn-bridge-remote has ovn-controller reach its bridge over TCP (since OVN 24.09)."""
    port = free_ports(1)[0]
    await scene.vsctl("set-controller", "br-int", f"ptcp:{port}:127.0.0.1")
    await scene.set(f"ovn-bridge-remote=tcp:127.0.0.1:{port}")
    yield
    await scene.unset("ovn-bridge-remote")
    await scene.vsctl("del-controller", "br-int")


def _lacks(key: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        before = (await scene.vsctl("get", "Open_vSwitch", ".", f"external_ids:{key}")).strip().strip('"')
        await scene.unset(key)
        yield
        await scene.set(f"{key}={before}")

    return steps


for _key in ("ovn-encap-ip", "ovn-encap-type", "system-id"):
    fault(
        "chassis-unconfigured",
        name=f"{_key}-unset",
        about=f"external_ids:{_key} is not set; the chassis that is registered lives on.",
        passing=NO_FLOWS,
        hidden_by=f"{WITHOUT_OVSDB} ovn-remote-unset",  # without it, the node is no chassis at all
        breaks="settings" if _key == "ovn-encap-ip" else "",
    )(_lacks(_key))


@fault("chassis-unconfigured", passing=NO_FLOWS, ends_since="26.03")
async def system_id_empty(scene: Scene) -> Steps:
    """external_ids:system-id is empty."""
    await scene.set("system-id=")
    yield
    await scene.set("system-id=sandbox")
    if not scene.node.running("ovn-controller"):
        await scene.node.start("ovn-controller")


@fault("chassis-unconfigured", state=State.NOT_READY, passing=NO_FLOWS, starts=True)
async def ovn_encap_ip_unset_and_flows_gone(scene: Scene) -> Steps:
    """ovn-encap-ip is not set, and ovs-vswitchd and ovn-controller were restarted: no flows come."""
    await scene.node.stop("ovn-controller")
    await scene.unset("ovn-encap-ip")
    await scene.node.run("ovn-sbctl", "--if-exists", "chassis-del", "sandbox")
    await scene.node.restart("ovs-vswitchd")
    await scene.node.start("ovn-controller")
    yield
    await scene.set("ovn-encap-ip=127.0.0.1")


@fault("wrong-bridge", passing=NO_FLOWS)
async def another_bridge_for_ovn(scene: Scene) -> Steps:
    """external_ids:ovn-bridge names br-x, and br-int is watched."""
    await scene.set("ovn-bridge=br-x")
    yield
    await scene.unset("ovn-bridge")
    await scene.vsctl("--if-exists", "del-br", "br-x")
    await scene.node.restart("ovn-controller")


@fault("wrong-bridge", passing=NO_FLOWS)
async def another_bridge_for_this_chassis(scene: Scene) -> Steps:
    """external_ids:ovn-bridge-sandbox names br-x for this chassis alone, and br-int is watched."""
    await scene.set("ovn-bridge-sandbox=br-x")
    yield
    await scene.unset("ovn-bridge-sandbox")
    await scene.vsctl("--if-exists", "del-br", "br-x")
    await scene.node.restart("ovn-controller")
