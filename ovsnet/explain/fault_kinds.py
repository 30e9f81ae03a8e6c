"""Lines in which a daemon says what is wrong with a port, a tunnel, a database or a client. Pure."""

from __future__ import annotations

from ovsnet.explain.kind import Kind

CLIENTS = ("ovsdb_idl", "ovsdb_cs")

FAULT_KINDS = (
    # Ports, tunnels and bridges.
    Kind(
        "no-device",
        "could not open network device",
        ("bridge",),
        r"could not open network device (?P<subject>\S+) \((?P<error>.*)\)",
        "vswitchd/bridge.c, iface_do_create()",
        many=8,
        apart=30.0,
    ),
    Kind(
        "not-added",
        "could not add network device",
        ("bridge",),
        r"could not add network device (?P<subject>\S+) to ofproto \((?P<error>.*)\)",
        "vswitchd/bridge.c, iface_do_create()",
        many=8,
        apart=30.0,
    ),
    Kind(
        "no-bridge",
        "not found for network",
        ("patch",),
        r"Bridge '(?P<bridge>[^']*)' not found for network '(?P<subject>[^']*)'",
        "controller/patch.c, add_ovs_bridge_mappings()",
        many=100,
        apart=30.0,
    ),
    Kind(
        "no-mapping",
        "bridge not found for",
        ("patch",),
        r"bridge not found for (?P<type>\S+) port '(?P<subject>[^']*)' with network name '(?P<network>[^']*)'"
        r"(?P<skipping>; skipping)?",
        "controller/patch.c, add_bridge_mappings_by_type()",
        many=100,
    ),
    Kind(
        "path",
        "BFD state change",
        ("bfd",),
        # Of Open vSwitch 3.1: `up->down "No Diagnostic"->"..."`.
        r"(?P<subject>\S+): BFD state change: (?:\(bfd\.SessionState: )?(?P<before>\w+)"
        r'(?:->|, bfd\.LocalDiag: "[^"]*"\) -> \(bfd\.SessionState: )(?P<after>\w+)',
        "lib/bfd.c, bfd_set_state()",
        many=50,
    ),
    Kind(
        "tunnel-gone",
        "deleted interface ovn-",
        ("bridge",),
        r"bridge \S+: deleted interface (?P<subject>ovn-\S+)",
        "vswitchd/bridge.c, iface_destroy__()",
        many=4,
    ),
    Kind(
        "flow-limit",
        "reached the dynamic limit",
        ("ofproto_dpif_upcall",),
        r"upcall: datapath reached the dynamic limit of (?P<limit>\d+) flows",
        "ofproto/ofproto-dpif-upcall.c, should_install_flow()",
        many=500,
        apart=10.0,
    ),
    Kind(
        "protocols",
        "version negotiation failed",
        ("vconn",),
        # Of the switch's own clients any may speak another version; ovn-controller's is the connection to br-int.mgmt.
        r"(?P<subject>\S+\.mgmt): version negotiation failed \((?P<error>.*)\)",
        "lib/vconn.c, vcs_recv_hello()",
        many=100,
    ),
    # Databases, and their clients.
    Kind(
        "schema",
        "needs upgrade",
        CLIENTS,
        r"(?:(?P<table>\S+) table in )?(?P<subject>\S+) database lacks (?P<what>\S+ (?:table|column)) \(database needs",
        "lib/ovsdb-idl.c, ovsdb_idl_compose_monitor_request(); lib/ovsdb-cs.c",
        many=100,
    ),
    Kind(
        "conflict",
        "multiple rows in",
        ("ovsdb_idl",),
        r"transaction error: .*multiple rows in \W*(?P<subject>Encap|Chassis)\W",
        "ovsdb/transaction.c, check_index_uniqueness(); lib/ovsdb-idl.c, ovsdb_idl_txn_process_reply()",
        many=100,
    ),
    Kind(
        "conflict",
        "already has encap ip",
        ("chassis",),
        r"'(?P<subject>[^']*)' already has encap ip '(?P<address>[^']*)'",
        "controller/chassis.c, chassis_build_encaps()",
        many=100,
    ),
    Kind(
        "damaged",
        "failed to open database",
        ("ovsdb_server",),
        r"failed to open database '(?P<subject>[^']*)': (?P<error>.*)",
        "ovsdb/ovsdb-server.c, reconfigure_databases(); 3.1 says it on its standard error alone",
        many=100,
    ),
    Kind(
        "torn",
        "rror: ",
        ("ovsdb_server",),
        r"(?:I/O error|syntax error): (?P<subject>\S+): (?P<error>.* starting at offset .*)",
        "ovsdb/ovsdb-server.c, log_and_free_error(): what follows is left out",
        many=100,
    ),
    Kind(
        "not-listening",
        "listen failed",
        ("ovsdb_jsonrpc_server",),
        r"(?P<subject>\S+): listen failed: (?P<error>.*)",
        "ovsdb/jsonrpc-server.c, ovsdb_jsonrpc_server_add_remote()",
        many=100,
    ),
    Kind(
        "client-stalled",
        "sending backlog exceeded",
        ("jsonrpc",),
        r"sending backlog exceeded maximum .*disconnecting, jsonrpc: (?P<subject>\S+?)\.?$",
        "lib/jsonrpc.c, jsonrpc_send()",
        many=200,
    ),
    Kind(
        "lock-lost",
        "lock lost",
        ("ovn_northd",),
        r"ovn-northd lock lost",
        "northd/ovn-northd.c, main()",
        many=200,
    ),
    # Starts that fail.
    Kind(
        "pidfile",
        "create failed",
        ("daemon_unix",),
        r"(?P<subject>\S+): (?P<what>create failed \(.*\))",
        "lib/daemon-unix.c, make_pidfile()",
    ),
    Kind(
        "died",
        "fork child died",
        ("daemon_unix",),
        r"fork child died before signaling startup \((?P<how>.*)\)",
        "lib/daemon-unix.c, fork_and_wait_for_startup()",
    ),
)
