"""Causes that some ports, tunnels or networks show while the node as a whole works.

They come after what breaks the whole node, which they never explain, and before the slow daemons, which they may:
1600 dead ports make ovn-controller stall (vexxhost/atmosphere#3893). A few dead ports explain nothing.
"""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

LEFT_BEHIND = (
    "Find out who left them behind. When no pod or machine owns {first} any more: "
    "`ovs-vsctl --if-exists del-port {bridge} {first}`; the same for each of the {count}.",
    "Find out what left them behind, and delete those that no longer have an owner: `ovs-vsctl del-port NAME`.",
)

PORTS = (
    Cause(
        code="encap-address-missing",
        state=State.DEGRADED,
        summary="external_ids:ovn-encap-ip names an address that this host does not have: other nodes send "
        "tunnels there.",
        remedies=(
            "Give this host {address} again, or name an address that it has: "
            "`ovs-vsctl set open_vswitch . external_ids:{key}=ADDRESS`. If it is the address of a NAT in front of this "
            "host, set ovsnet's `encap_behind_nat`.",
            "Set external_ids:ovn-encap-ip to an address of this host.",
        ),
        reasons=frozenset({"encap-address-missing"}),
        in_start=True,
    ),
    Cause(
        code="tunnels-failed",
        state=State.DEGRADED,
        summary="ovs-vswitchd could not make some tunnels: no traffic goes through them to other nodes.",
        remedies=(
            "Load the kernel's module: `modprobe {module}`. Where it is loaded, IPv6 may be disabled "
            "(`ipv6.disable=1`), without which it makes no device. `ovsnet doctor` checks both.",
            "Something else on this host has the UDP port of {first}, another CNI's tunnels perhaps: see "
            "`ip -d link show type {type}` and `ss -ulpn`. Remove it, or give one of the two another port.",
            "Read ovs-vswitchd's log, and run `ovsnet doctor`.",
        ),
        reasons=frozenset({"tunnels-failed"}),
        in_start=True,
    ),
    Cause(
        code="tunnels-down",
        state=State.DEGRADED,
        summary="BFD finds no path through some tunnels: their other end is away, or nothing reaches it.",
        remedies=(
            "Find the other end (`ovs-vsctl get Interface {first} options:remote_ip`). If that node runs, see what "
            "is in between: routes, firewalls (UDP 6081 for geneve, 4789 for vxlan), the MTU.",
            "See whether the nodes at the other ends run, and what is in between: routes, firewalls, the MTU.",
        ),
        reasons=frozenset({"tunnels-down"}),
        in_start=True,
    ),
    Cause(
        code="bridge-mapping-wrong",
        state=State.DEGRADED,
        summary="external_ids:ovn-bridge-mappings leads to no bridge: a network outside cannot be reached from here.",
        remedies=(
            "Make the bridge with its uplink (`ovs-vsctl --may-exist add-br {bridge}`), or correct the mapping.",
            "Correct it: `ovs-vsctl set open_vswitch . external_ids:{key}=NETWORK:BRIDGE,NETWORK:BRIDGE`, no blanks.",
            "Correct external_ids:ovn-bridge-mappings, or make the bridge that it names.",
        ),
        reasons=frozenset({"bridge-mapping-wrong"}),
        in_start=True,
    ),
    Cause(
        code="datapaths-differ",
        state=State.DEGRADED,
        summary="Two bridges are patched together whose datapaths are of different types: the patch carries nothing.",
        remedies=(
            "Give {bridge} the datapath type of {kept}: `ovs-vsctl set bridge {bridge} datapath_type={type}`.",
            "Give both bridges one datapath_type (`ovs-vsctl set bridge NAME datapath_type=TYPE`).",
        ),
        reasons=frozenset({"datapaths-differ"}),
        in_start=True,
    ),
    Cause(
        code="bridge-fails-open",
        state=State.DEGRADED,
        summary="The bridge of ovn-controller is not in secure mode: without flows it sends each packet to all ports.",
        remedies=(
            "Start ovn-controller, which sets it back. Do not set it by hand before: at any change of it ovs-vswitchd "
            "drops all flows of {bridge} (ofproto/connmgr.c, connmgr_set_fail_mode).",
            "Start ovn-controller, which sets it back.",
        ),
        reasons=frozenset({"bridge-fails-open"}),
        in_start=True,
    ),
    Cause(
        code="device-taken",
        state=State.DEGRADED,
        summary="A port's device belongs to another master, so ovs-vswitchd cannot have it.",
        remedies=(
            "Take {first} out of {master} (`ip link set {first} nomaster`), and keep the host's network setup from "
            "putting it back.",
            "See which master {first} has (`ip -d link show {first}`), remove it from there, and keep the host's "
            "network setup from putting it back.",
            "See which master the device has (`ip -d link show NAME`), and remove it from there.",
        ),
        reasons=frozenset({"device-taken"}),
        in_start=True,
    ),
    Cause(
        code="ports-left-behind",
        state=State.DEGRADED,
        summary="The database lists a hundred ports or more that ovs-vswitchd cannot create. It tries each again at "
        "every change, which makes it and ovn-controller slow.",
        remedies=LEFT_BEHIND,
        reasons=frozenset({"ports-left-behind"}),
        in_start=True,
    ),
)

FEW = (
    Cause(
        code="ports-without-device",
        state=State.DEGRADED,
        summary="The database lists ports that ovs-vswitchd cannot create, mostly because their device is gone.",
        remedies=LEFT_BEHIND,
        reasons=frozenset({"ports-without-device"}),
        in_start=True,
    ),
)
"""Too few to make anything slow, so what is slow comes before them."""
