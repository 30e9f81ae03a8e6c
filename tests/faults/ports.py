"""Ports and tunnels that ovs-vswitchd could not make, and networks of OVN that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.daemons import NO_FLOWS
from tests.faults.fault import Scene, Steps, fault

SEEN_TWICE = 10.0
"""Seconds: ports are looked at each tenth interval, and what broke must be seen again."""


@fault("ports-without-device", deadline=SEEN_TWICE)
async def ports_of_pods_that_went(scene: Scene) -> Steps:
    """The database lists ports of three pods whose devices are gone."""
    gone = ("gone1", "gone2", "gone3")
    for port in gone:  # no datapath knows the type, which ends as a missing device does
        await scene.vsctl("add-port", "br-int", port, "--", "set", "Interface", port, "type=device-is-gone")
    yield
    for port in gone:
        await scene.vsctl("del-port", "br-int", port)


@fault("ports-left-behind", passing="ports-without-device vswitchd-slow controller-slow", deadline=SEEN_TWICE)
async def a_hundred_ports_of_pods_that_went(scene: Scene) -> Steps:
    """The database lists a hundred ports whose devices are gone."""
    gone = [f"gone{number}" for number in range(100)]
    add = [("--", "add-port", "br-int", port, "--", "set", "Interface", port, "type=device-is-gone") for port in gone]
    await scene.vsctl(*(word for each in add for word in each))
    yield
    await scene.vsctl(*(word for port in gone for word in ("--", "del-port", "br-int", port)))


@fault("device-taken", deadline=SEEN_TWICE)
async def port_whose_device_is_in_a_bond(scene: Scene) -> Steps:
    """ovs-vswitchd says of a port that its device is busy, as of one in a bond; a dummy never is."""
    words = "could not add network device p1 to ofproto (Device or resource busy)"
    await scene.vsctl("set", "Interface", "p1", f'error="{words}"')
    yield
    await scene.vsctl("clear", "Interface", "p1", "error")


@fault("healthy")
async def port_deleted_while_watched(scene: Scene) -> Steps:
    """A port lost its device a moment before it was deleted, as when a pod goes."""
    await scene.vsctl("add-port", "br-int", "going", "--", "set", "Interface", "going", "type=device-is-gone")
    await scene.vsctl("wait-until", "Interface", "going", "ofport=-1")
    await scene.vsctl("del-port", "br-int", "going")
    yield


@fault("tunnels-failed", deadline=SEEN_TWICE)
async def tunnel_that_cannot_be_made(scene: Scene) -> Steps:
    """One of two tunnels is of a type that ovs-vswitchd does not support, as without the kernel's module."""
    await _add_tunnel(scene, "well", "geneve")
    await _add_tunnel(scene, "broken", "ipsec_gre")
    yield
    for port in ("well", "broken"):
        await scene.vsctl("del-port", "br-int", port)


@fault("tunnels-down", deadline=SEEN_TWICE)
async def tunnel_without_its_other_end(scene: Scene) -> Steps:
    """BFD runs on a tunnel to a node that does not answer."""
    await _add_tunnel(scene, "far", "geneve", "bfd:enable=true")
    yield
    await scene.vsctl("del-port", "br-int", "far")


async def _add_tunnel(scene: Scene, port: str, kind: str, *settings: str) -> None:
    words = (f"type={kind}", "options:remote_ip=127.0.0.9", *settings)
    await scene.vsctl("add-port", "br-int", port, "--", "set", "Interface", port, *words)


def _mapped(value: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        await scene.set(f"ovn-bridge-mappings={value}")
        yield
        await scene.unset("ovn-bridge-mappings")

    return steps


fault(
    "bridge-mapping-wrong",
    name="bridge-mapped-that-is-not-there",
    about="external_ids:ovn-bridge-mappings names a bridge that does not exist.",
)(_mapped("physnet1:br-nope"))
fault(
    "bridge-mapping-wrong",
    name="bridge-mapping-without-a-bridge",
    about="external_ids:ovn-bridge-mappings cannot be parsed.",
)(_mapped("physnet1"))


@fault("encap-address-missing", deadline=SEEN_TWICE)
async def tunnel_address_of_another_host(scene: Scene) -> Steps:
    """external_ids:ovn-encap-ip names two addresses, and one of them is on no interface."""
    await scene.set("ovn-encap-ip=127.0.0.1,198.51.100.7")
    yield
    await scene.set("ovn-encap-ip=127.0.0.1")


@fault("datapaths-differ", passing="ports-without-device", deadline=SEEN_TWICE)
async def patch_between_different_datapaths(scene: Scene) -> Steps:
    """A bridge of the kernel and one of user space are patched together."""
    await scene.vsctl("add-br", "br-ex", "--", "set", "Bridge", "br-ex", "datapath_type=netdev")
    for bridge, port, peer in (("br-int", "to-ex", "to-int"), ("br-ex", "to-int", "to-ex")):
        words = ("--", "set", "Interface", port, "type=patch", f"options:peer={peer}")
        await scene.vsctl("add-port", bridge, port, *words)
    yield
    await scene.vsctl("del-port", "br-int", "to-ex")
    await scene.vsctl("del-br", "br-ex")


@fault("healthy")
async def bridges_of_different_datapaths(scene: Scene) -> Steps:
    """A bridge of the kernel and one of user space stand beside each other."""
    await scene.vsctl("add-br", "br-ex", "--", "set", "Bridge", "br-ex", "datapath_type=netdev")
    yield
    await scene.vsctl("del-br", "br-ex")


@fault(
    "controller-down",
    also="bridge-fails-open",
    passing=NO_FLOWS,
    starts=True,
    deadline=SEEN_TWICE,
)
async def bridge_without_controller_in_standalone_mode(scene: Scene) -> Steps:
    """ovn-controller is down, and br-int was put into standalone mode, in which it floods."""
    await scene.node.stop("ovn-controller")
    await scene.vsctl("set-fail-mode", "br-int", "standalone")
    yield
    await scene.node.start("ovn-controller")
    await scene.vsctl("wait-until", "Bridge", "br-int", "fail_mode=secure")
