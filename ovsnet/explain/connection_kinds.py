"""Lines of a daemon about its connections: when it tried, had and lost them, and which servers it refused. Pure."""

from __future__ import annotations

from ovsnet.explain.kind import Kind

PEERS = ("rconn", "reconnect")
CLIENTS = ("ovsdb_cs", "ovsdb_idl")
NAME = r"(?P<subject>\S+): "

CONNECTION_KINDS = (
    # By rconn (OpenFlow) and by reconnect (JSON-RPC).
    Kind(
        "connecting",
        "connecting...",
        PEERS,
        NAME + r"connecting\.\.\.",
        "lib/rconn.c, reconnect(); lib/reconnect.c",
        since="OVS 1.0",
    ),
    Kind(
        "connected",
        ": connected",
        PEERS,
        NAME + r"connected$",
        "lib/rconn.c, run_CONNECTING(); lib/reconnect.c",
        since="OVS 1.0",
    ),
    Kind(
        "failed",
        ": connection ",
        PEERS,
        NAME + r"connection (?:attempt )?(?:failed \((?P<error>.*)\)|(?P<late>timed out))",
        "lib/rconn.c, reconnect() and run_CONNECTING(); lib/reconnect.c, reconnect_disconnected()",
        since="OVS 1.0",
    ),
    Kind(
        "waiting",
        ": waiting ",
        PEERS,
        NAME + r"waiting (?P<seconds>[\d.e+]+) seconds before reconnect",
        "lib/rconn.c, disconnect(); lib/reconnect.c, reconnect_disconnected()",
        since="OVS 1.0",
    ),
    Kind(
        "suppressed",
        ": continuing to ",
        PEERS,
        NAME + r"continuing to (?:retry connections|reconnect) in the background",
        "lib/rconn.c, disconnect(); lib/reconnect.c, reconnect_disconnected()",
        since="OVS 1.1",
    ),
    Kind(
        "closed",
        "closed by peer",
        PEERS,
        NAME + r"connection closed by peer",
        "lib/rconn.c, report_error(); lib/reconnect.c",
        since="OVS 1.0",
        many=500,
    ),
    Kind(
        "dropped",
        "connection dropped",
        PEERS,
        NAME + r"connection dropped(?: \((?P<error>.*)\))?",
        "lib/rconn.c, report_error(); lib/reconnect.c",
        since="OVS 1.0",
        many=500,
    ),
    Kind(
        "gave-up",
        "inactivity probe after",
        PEERS,
        NAME + r"no response to inactivity probe after (?P<seconds>[\d.e+]+) seconds",
        "lib/rconn.c, run_IDLE(); lib/reconnect.c, reconnect_run()",
        since="OVS 1.0",
        many=500,
    ),
    Kind(
        "listening",
        "added ",
        ("connmgr",),
        r'(?P<subject>\S+): added (?:service|primary)? ?controller "(?P<path>p[^"]+)"',
        "ofproto/connmgr.c, ofservice_create()",
        since="OVS 1.7",
    ),
    # Servers that were reached, and are not good enough.
    Kind(
        "stale",
        "stale data",
        CLIENTS,
        r"(?P<subject>\S+): clustered database server has stale data",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.10",
        many=100,
    ),
    Kind(
        "cut-off",
        "clustered database server",
        CLIENTS,
        r"(?P<subject>\S+): clustered database server is disconnected from",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.10",
        many=100,
    ),
    Kind(
        "joining",
        "clustered database server",
        CLIENTS,
        r"(?P<subject>\S+): clustered database server has not yet joined",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.10",
        many=100,
    ),
    Kind(
        "relay-cut-off",
        "relay database server",
        CLIENTS,
        r"(?P<subject>\S+): relay database server (?:is disconnected from|has not yet connected to) the relay source",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.16",
        many=100,
    ),
    Kind(
        "not-leader",
        "not cluster leader",
        CLIENTS,
        r"(?P<subject>\S+): clustered database server is not cluster leader",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.10",
        many=500,
    ),
    Kind(
        "no-database",
        "does not have",
        CLIENTS,
        r"(?P<subject>\S+): server does not have (?P<database>\S+) database",
        "lib/ovsdb-cs.c, ovsdb_cs_check_server_db__()",
        since="OVS 2.10",
        many=100,
    ),
)
