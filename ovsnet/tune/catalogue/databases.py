"""Knobs of the northbound and the southbound database, and of northd. Sources are of OVN unless a file is OVS's."""

from __future__ import annotations

from ovsnet.tune.knob import Evidence, Knob, Place, Unit, Width, at_least

NORTHBOUND, SOUTHBOUND = "OVN_Northbound", "OVN_Southbound"

SERVER_SOURCE = "OVS ovsdb/jsonrpc-server.c; lib/reconnect.c, reconnect_set_probe_interval()"
LOCK_LEAK = "The server never probes: a northd that is cut off keeps its lock, and no other can take over."


def _connection(name: str, database: str, clients: str, *partners: str) -> Knob:
    return Knob(
        name,
        "ovsdb-server",
        Place(database, "Connection", "inactivity_probe"),
        Unit.MILLISECONDS,
        f"After how long a silence the server asks {clients} whether they live; it drops them after as long again.",
        default="5000 for tcp and ssl, 0 for unix",
        unset=5000,
        takes=at_least(1000),
        bounds=(1000, 3_600_000),
        typical=(1000, 600_000),
        zero=LOCK_LEAK,
        zero_is_safe=False,
        agrees_with=partners,
        depends_on="the longest silences of the clients",
        note="It tunes the server's side of the connections to this one remote, not the clients'.",
        source=SERVER_SOURCE,
    )


def _without_consumer(name: str, database: str, table: str, instead: str, note: str) -> Knob:
    return Knob(
        name,
        "ovn-northd",
        Place(database, table, "options", "inactivity_probe"),
        Unit.MILLISECONDS,
        f"Nothing reads it. {instead} is meant, in the Connection table.",
        default="",
        consumed=False,
        replaced_by={instead: lambda milliseconds: milliseconds},
        note=note,
        source="no file of OVN or OVS reads this key",
    )


KNOBS = (
    _connection("nb-inactivity-probe", NORTHBOUND, "northd and other clients", "northd_probe_interval"),
    _connection(
        "sb-inactivity-probe",
        SOUTHBOUND,
        "ovn-controller and northd",
        "ovn-remote-probe-interval",
        "northd_probe_interval",
    ),
    Knob(
        "northd_probe_interval",
        "ovn-northd",
        Place(NORTHBOUND, "NB_Global", "options", "northd_probe_interval"),
        Unit.MILLISECONDS,
        "After how long a silence northd asks both databases whether they live; it reconnects after as long again.",
        default="5000 for tcp and ssl, 0 for unix",
        unset=5000,
        takes=at_least(1000),
        bounds=(1000, 3_600_000),
        typical=(1000, 600_000),
        zero="northd never probes: it does not notice when a database is cut off.",
        zero_is_safe=False,
        since=(20, 6),
        agrees_with=("nb-inactivity-probe", "sb-inactivity-probe"),
        depends_on="the longest silences of both database servers",
        note="An explicit value counts for unix sockets too.",
        source="northd/ovn-northd.c, main(); lib/ovn-util.c, set_idl_probe_interval()",
    ),
    Knob(
        "northd-backoff-interval-ms",
        "ovn-northd",
        Place(NORTHBOUND, "NB_Global", "options", "northd-backoff-interval-ms"),
        Unit.MILLISECONDS,
        "How long northd rests after a round, so that it takes more changes at once.",
        default="0",
        unset=0,
        bounds=(1, 60_000),
        typical=(1, 60_000),
        zero="northd begins the next round at once.",
        since=(23, 9),
        depends_on="how long a round takes: OpenShift and OVN-Kubernetes set 300",
        width=Width.UINT,
        evidence=Evidence.SOURCE,
        source="northd/ovn-northd.c, main()",
    ),
    _without_consumer(
        "nb-options-inactivity-probe",
        NORTHBOUND,
        "NB_Global",
        "nb-inactivity-probe",
        "Kube-OVN's start-db.sh writes it.",
    ),
    _without_consumer(
        "sb-options-inactivity-probe",
        SOUTHBOUND,
        "SB_Global",
        "sb-inactivity-probe",
        "northd writes the northbound's options over it.",
    ),
    Knob(
        "election-timer",
        "ovsdb-server",
        None,
        Unit.MILLISECONDS,
        "How long the followers of a clustered database wait for their leader before they elect another.",
        default="1000",
        agrees_with=("ovn-remote-probe-interval", "northd_probe_interval"),
        depends_on="the longest stall of a server: compaction, snapshots, a slow disk",
        note="Read only here. `ovn-appctl cluster/change-election-timer` changes it, at most by a factor of two.",
        source="OVS ovsdb/raft.c, raft_unixctl_change_election_timer()",
    ),
    Knob(
        "relay-probe-interval",
        "ovsdb-server",
        None,
        Unit.MILLISECONDS,
        "After how long a silence a relay asks its source whether it lives.",
        default="5000",
        note="It counts per direction: set the active side to twice the passive one. A command since Open vSwitch 3.2, "
        "`--config-file` since 3.3.",
        evidence=Evidence.SOURCE,
        source="OVS ovsdb/relay.c; openvswitch/ovs-issues #320",
    ),
    Knob(
        "replication-probe-interval",
        "ovsdb-server",
        None,
        Unit.MILLISECONDS,
        "After how long a silence a backup server asks the active one whether it lives.",
        default="60000",
        note="`ovsdb-server/set-active-ovsdb-server-probe-interval` changes it.",
        evidence=Evidence.SOURCE,
        source="OVS ovsdb/replication.c, REPLICATION_DEFAULT_PROBE_INTERVAL",
    ),
    Knob(
        "default-probe-interval",
        "ovsdb-server",
        None,
        Unit.MILLISECONDS,
        "The probe interval of every JSON-RPC session for which nothing is set.",
        default="5000, compiled in",
        note="Kube-OVN's own build has 60000.",
        evidence=Evidence.SOURCE,
        source="OVS lib/reconnect.h, RECONNECT_DEFAULT_PROBE_INTERVAL",
    ),
)
