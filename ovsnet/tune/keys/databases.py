"""``options`` of NB_Global and SB_Global beside the knobs, and the configuration file of ovsdb-server (OVN ovn-nb.xml,
ovn-sb.xml). Versions are by ``git grep`` of the key in the sources of all branches of OVN, 20.03 to 26.03."""

from __future__ import annotations

from ovsnet.node.version import Version
from ovsnet.tune.keys.forms import flag, whole
from ovsnet.tune.keys.key import CONFIG_FILE, Form, Key, anything
from ovsnet.tune.knob import Place

READER = "ovn-northd"
DEFAULT = "northd takes its default."
OFF = "northd takes it for false."
MOST = 2**31 - 1
NB, SB = ("OVN_Northbound", "NB_Global"), ("OVN_Southbound", "SB_Global")


def _option(
    key: str,
    form: Form = anything,
    misread: str = DEFAULT,
    since: Version | None = None,
    until: Version | None = None,
    *,
    home: tuple[str, str] = NB,
    gone: str = "",
    instead: str = "",
    source: str = "ovn-nb.xml",
    backports: tuple[Version, ...] = (),
) -> Key:
    place = Place(*home, "options", key)
    return Key(place, READER, form, misread, since, until, gone, instead, source=source, backports=backports)


def _file(table: str, column: str, form: Form, misread: str) -> Key:
    place = Place(CONFIG_FILE, table, column)
    return Key(place, "ovsdb-server", form, misread, source="OVS ovsdb/jsonrpc-server.c, ovsdb_jsonrpc_options")


READERS_OF_ROWS = {"Controller": "ovs-vswitchd"}


def _milliseconds(text: str) -> str:
    """A probe interval in a place for milliseconds; 5 to 600 is what people write for seconds."""
    if (wrong := whole(0, MOST)(text)) or not 0 < int(text) < 1000:
        return wrong
    return "looks like seconds, and the unit is milliseconds"


KEYS = (
    _option(
        "use_logical_dp_groups",
        flag,
        DEFAULT,
        (20, 12),
        (22, 9),
        gone="northd always uses groups of datapaths since then.",
        source="northd/northd.c of 20.12 to 22.06; ovn-nb.xml: deprecated, ignored",
    ),
    _option(
        "use_parallel_build",
        flag,
        OFF,
        (21, 6),
        (22, 6),
        instead="--n-threads of ovn-northd (ovn-ctl --ovn-northd-n-threads, Kube-OVN OVN_NORTHD_N_THREADS)",
        source="northd/ovn-northd.c of 21.06 to 22.03; ovn-nb.xml: deprecated, ignored",
    ),
    _option("northd_trim_timeout", whole(0, 2**32 - 1), since=(23, 3), source="northd/ovn-northd.c"),
    _option("nbctl_probe_interval", _milliseconds, since=(23, 6), source="utilities/ovn-nbctl.c"),
    _option("ic_probe_interval", _milliseconds, since=(23, 6), source="ic/ovn-ic.c"),
    _option("sbctl_probe_interval", _milliseconds, since=(23, 6), home=SB, source="utilities/ovn-sbctl.c"),
    _option("enable_chassis_nb_cfg_update", flag, "It is taken for true.", since=(25, 9)),
    _option("ignore_chassis_features", flag, OFF, (24, 3)),
    _option("ignore_lsp_down", flag, "northd takes it for true.", (20, 9)),
    _option("use_ct_inv_match", flag, "northd takes it for true.", (21, 6)),
    _option("use_common_zone", flag, OFF, (23, 6)),
    _option("controller_event", flag, OFF),
    _option("default_acl_drop", flag, OFF, (22, 6)),
    # Tags v24.03.8, v25.03.3, v25.09.3 and v26.03.0 have it; v24.09.3 does not.
    _option("acl_ct_translation", flag, OFF, (26, 3), backports=((24, 3, 8), (25, 3, 3), (25, 9, 3))),
    _option("always_tunnel", flag, OFF, (24, 9)),
    _option("ecmp_nexthop_monitor_enable", flag, OFF, (25, 3)),
    _option("vxlan_mode", flag, "northd takes it for true.", since=(24, 9)),
    _option("mac_binding_removal_limit", whole(0, 2**32 - 1), since=(22, 9)),
    _option("fdb_removal_limit", whole(0, 2**32 - 1), since=(23, 9)),
    _option("debug_drop_domain_id", since=(22, 12)),
    _option("debug_drop_collector_set", since=(22, 12)),
    _option("install_ls_lb_from_router", flag, OFF, (22, 9), source="northd/northd.c"),
    *(_option(key, since=(26, 3)) for key in ("svc_monitor_mac_dst", "svc_monitor_ip", "svc_monitor_ip_dst")),
    *(_option(key, flag, OFF, (25, 9), source="ic/ovn-ic.c") for key in ("ic-route-adv-lb", "ic-route-learn-lb")),
    _option("ic-route-denylist", since=(24, 9), source="ic/ovn-ic.c"),
    _option("ic-route-blacklist", source="ic/ovn-ic.c"),  # its name before, still read beside it in v26.03.2
    _option("ipsec_encapsulation", since=(22, 9), backports=((22, 6, 1),)),
    *(
        _option(key)
        for key in (
            *("mac_prefix", "max_tunid", "svc_monitor_mac"),
            *("northd_internal_version", "bfd-min-rx", "bfd-decay-min-rx", "bfd-min-tx"),
            *("bfd-mult", "ic-route-adv", "ic-route-learn", "ic-route-adv-default", "ic-route-learn-default"),
            *("ic-as-adv", "ic-as-learn"),
            *("e2e_timestamp", "name"),
        )
    ),
    *(
        Key(
            Place(database, table, "max_backoff"),
            READERS_OF_ROWS.get(table, "ovsdb-server"),
            whole(1000, MOST),
            "The schema permits no less than 1000 ms.",
            source="vswitch.ovsschema, ovn-nb.ovsschema, ovn-sb.ovsschema: minInteger 1000",
        )
        for database, table in (
            ("Open_vSwitch", "Manager"),
            ("Open_vSwitch", "Controller"),
            ("OVN_Northbound", "Connection"),
            ("OVN_Southbound", "Connection"),
        )
    ),
    Key(
        Place("Local_Config", "Connection", "inactivity_probe"),
        "ovsdb-server",
        _milliseconds,
        "The server probes its clients too soon.",
        source="OVS ovsdb/local-config.ovsschema; Kube-OVN dist/images/start-db.sh, create_local_config",
    ),
    _file("remotes", "inactivity_probe", _milliseconds, "The server probes its clients too soon."),
    _file("source", "inactivity_probe", _milliseconds, "The relay probes its source too soon, and drops it."),
    _file("source", "max_backoff", _milliseconds, "The relay reconnects without a pause."),
)
