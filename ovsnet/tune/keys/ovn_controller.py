"""``Open_vSwitch.external_ids`` that ovn-controller reads beside the knobs. Versions are by ``git grep`` of the key in
the sources of all branches of OVN, 20.03 to 26.03."""

from __future__ import annotations

from ovsnet.node.version import Version
from ovsnet.tune.keys.forms import (
    addresses,
    bridge_remote,
    flag,
    macs,
    mappings,
    one_of,
    ranged,
    remotes,
    tos,
    tunnels,
    whole,
)
from ovsnet.tune.keys.key import Form, Key, anything
from ovsnet.tune.knob import Place

READER = "ovn-controller"
DEFAULT = "ovn-controller takes its default."


def _external_id(
    key: str,
    form: Form = anything,
    misread: str = DEFAULT,
    source: str = "controller/chassis.c",
    since: Version | None = None,
    *,
    suffixed: bool = True,
    note: str = "",
    backports: tuple[Version, ...] = (),
) -> Key:
    place = Place("Open_vSwitch", "Open_vSwitch", "external_ids", key)
    return Key(place, READER, form, misread, since, suffixed=suffixed, note=note, source=source, backports=backports)


KEYS = (
    _external_id(
        "ovn-remote",
        remotes,
        "ovn-controller cannot connect to it, and the chassis gets no flows.",
        "controller/ovn-controller.c, update_sb_db()",
    ),
    _external_id(
        "ovn-encap-type",
        tunnels,
        "ovn-controller logs `Unknown tunnel type` and makes no such tunnel.",
    ),
    _external_id("ovn-encap-ip", addresses, "No tunnel reaches the chassis there."),
    _external_id("ovn-encap-ip-default", addresses, since=(24, 9), source="controller/chassis.c; since 24.09"),
    _external_id(
        "ovn-encap-csum",
        one_of("true", "false"),
        "The tunnels have their default.",
        "controller/chassis.c; OVS lib/netdev-vport.c, set_tunnel_config()",
    ),
    _external_id("ovn-encap-tos", tos, "The tunnels have no type of service.", "controller/encaps.c", (21, 12)),
    _external_id(
        "ovn-encap-df_default",
        one_of("true", "false"),
        "The tunnels have their default.",
        "controller/encaps.c; OVS lib/netdev-vport.c, set_tunnel_config()",
        (22, 9),
    ),
    _external_id("ovn-bridge", source="controller/ovn-controller.c, br_int_name()"),
    _external_id(
        "ovn-bridge-datapath-type",
        one_of("", "system", "netdev"),
        "The bridge cannot be made with it.",
        "controller/ovn-controller.c, get_br_datapath()",
    ),
    _external_id(
        "ovn-bridge-remote",
        bridge_remote,
        "ovn-controller cannot connect to the bridge, and writes no flows.",
        "controller/ovn-controller.c, br_int_remote_update()",
        (24, 9),
        suffixed=False,
    ),
    _external_id(
        "ovn-bridge-mappings",
        mappings,
        "ovn-controller leaves out that network; where one has no bridge, all behind it, too.",
        "controller/patch.c, add_ovs_bridge_mappings()",
    ),
    _external_id(
        "ovn-chassis-mac-mappings",
        macs,
        "The network has no MAC address of this chassis.",
        "controller/chassis.c; controller/physical.c",
    ),
    _external_id("ovn-cms-options"),
    _external_id("ovn-transport-zones"),
    _external_id("ovn-is-interconn", flag, "ovn-controller takes it for false."),
    _external_id("ovn-cleanup-on-exit", flag, "ovn-controller takes it for true.", since=(25, 9)),
    _external_id("ovn-enable-flow-based-tunnels", flag, "ovn-controller takes it for false.", since=(26, 3)),
    _external_id("ovn-evpn-vxlan-ports", since=(25, 9)),
    _external_id("ovn-evpn-local-ip", since=(25, 9)),
    _external_id("ct-zone-range", ranged, DEFAULT, "controller/ct-zone.c, ct_zones_parse_range()", (24, 9)),
    _external_id(
        "garp-max-timeout-sec",
        whole(0, 2**31 - 1),
        DEFAULT,
        "controller/pinctrl.c; today controller/garp_rarp.c",
        (23, 9),
        suffixed=False,
        backports=((22, 3, 6), (23, 3, 3), (23, 6, 3)),
    ),
    _external_id(
        "arp-nd-max-timeout-sec", whole(0, 2**31 - 1), DEFAULT, "controller/pinctrl.c", (25, 3), suffixed=False
    ),
    _external_id("dynamic-routing-port-mapping", source="controller/ovn-controller.c", since=(25, 3), suffixed=False),
    _external_id("hostname"),
    _external_id("system-id", suffixed=False),
    _external_id("rundir", source="OVS utilities/ovs-ctl.in", suffixed=False),
    _external_id(
        "ovn-nb", source="ovn-kubernetes of 2020 wrote and read it", suffixed=False, note="No daemon of OVN reads it."
    ),
    _external_id(
        "ovn-managed-flow-restore-wait",
        source="controller/ovn-controller.c; 621f85e92, reverted in 30f431174",
        suffixed=False,
        note="OVN 24.03.8, 25.03.3, 25.09.3 and 26.03.1 write it beside the flow-restore-wait that they set.",
    ),
)
