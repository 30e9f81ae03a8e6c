"""The lines that count, each kind declared once: which module logs it, its words, and the source that prints it. Pure.

``MODULES`` is the prefilter: a line whose module is not in it is not looked at any further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ovsnet.explain.connection_kinds import CONNECTION_KINDS
from ovsnet.explain.fault_kinds import FAULT_KINDS
from ovsnet.explain.kind import Kind

KINDS = (
    Kind(
        "opened",
        "opened log",
        ("vlog",),
        r"opened log file (?P<path>.+)",
        "lib/vlog.c, vlog_set_log_file__()",
        since="OVS 1.0",
    ),
    Kind(
        "version",
        " (Open vSwitch) ",
        ("bridge", "ovsdb_server"),
        r"(?P<program>ovs-vswitchd|ovsdb-server) \(Open vSwitch\) (?P<version>\S+)",
        "vswitchd/bridge.c, bridge_run(); ovsdb/ovsdb-server.c, main()",
        since="OVS 1.9",
    ),
    Kind(
        "version",
        "OVN internal version",
        ("main", "ovn_northd"),
        r"OVN internal version is : \[(?P<version>[^\]]+)\]",
        "controller/ovn-controller.c and northd/ovn-northd.c, main()",
        since="OVN 20.12",
    ),
    # Stalls.
    Kind(
        "stall",
        "Unreasonably",
        ("timeval",),
        r"Unreasonably long (?P<ms>\d+)ms poll interval(?: \((?P<user>-?\d+)ms user, (?P<system>-?\d+)ms system\))?",
        "lib/timeval.c, log_poll_interval()",
        since="OVS 1.9",
    ),
    Kind(
        "quiesce",
        "to quiesce",
        ("ovs_rcu",),
        r"blocked (?P<ms>\d+) ms waiting for (?P<subject>\S+) to quiesce",
        "lib/ovs-rcu.c, ovsrcu_synchronize()",
        since="OVS 2.3",
    ),
    Kind(
        "computed",
        " took ",
        ("inc_proc_eng",),
        r"node: (?P<subject>\S+?),? (?:recompute|handler for input) .*?took (?P<ms>\d+)ms",
        "lib/inc-proc-eng.c, engine_recompute() and engine_compute()",
        since="OVN 21.09",
        many=200,
    ),
    # Ends of processes.
    Kind(
        "terminating",
        "terminating",
        ("fatal_signal",),
        r"terminating with signal (?P<signal>\d+) \((?P<name>[^)]*)\)",
        "lib/fatal-signal.c, fatal_signal_run()",
        since="OVS 1.7",
    ),
    Kind(
        "died",
        " died, ",
        ("daemon_unix",),
        r"(?:\d+ crashes: )?pid (?P<pid>\d+) died, (?P<how>.*?)(?:, (?P<then>restarting|exiting|waiting.*))?$",
        "lib/daemon-unix.c, monitor_daemon()",
        since="OVS 1.0",
    ),
    Kind(
        "pidfile",
        "pid",
        ("daemon_unix", "daemon"),
        r"(?P<subject>\S+): (?P<what>already running as pid \d+|pidfile check failed.*)",
        "lib/daemon-unix.c, check_already_running()",
        since="OVS 1.0",
    ),
    Kind(
        "exiting",
        "Exiting ovn",
        ("main",),
        r"Exiting ovn-controller",
        "controller/ovn-controller.c, main()",
        since="OVN 25.09",
    ),
    # What a daemon says is wrong.
    Kind(
        "lock",
        "another ovs-vswitchd",
        ("bridge",),
        r"another ovs-vswitchd process is running",
        "vswitchd/bridge.c, bridge_run()",
        since="OVS 1.2",
        many=100,
    ),
    Kind(
        "no-datapath",
        "failed to ",
        ("bridge", "ofproto", "ofproto_dpif", "dpif"),
        r"failed to (?:create bridge|open datapath|create datapath)(?: of type)? (?P<subject>\S+): (?P<error>.*)",
        "vswitchd/bridge.c, bridge_reconfigure(); ofproto/ofproto.c; lib/dpif.c",
        since="OVS 1.0",
        many=100,
    ),
    Kind(
        "disk",
        "",
        ("ovsdb_log", "ovsdb_error", "raft", "ovsdb_server", "ovsdb_file", "storage", "trigger", "ovsdb_trigger"),
        r".*(?P<error>No space left on device|Read-only file system|Input/output error|Disk quota exceeded)",
        "ovsdb/log.c, ovsdb_log_write(); ovsdb/raft.c",
        since="OVS 1.0",
        many=200,
    ),
    Kind(
        "election",
        "starting election",
        ("raft",),
        r"term (?P<term>\d+): (?:(?P<ms>\d+) ms timeout expired, )?starting election",
        "ovsdb/raft.c, raft_start_election()",
        since="OVS 2.10",
        many=500,
    ),
    Kind(
        "elected",
        "elected leader",
        ("raft",),
        r"term (?P<term>\d+): elected leader",
        "ovsdb/raft.c, raft_become_leader()",
        since="OVS 2.10",
    ),
    Kind(
        "led",
        "is leader for term",
        ("raft",),
        r"server (?P<leader>\S+) is leader for term (?P<term>\d+)",
        "ovsdb/raft.c, raft_update_leader()",
        since="OVS 2.10",
    ),
    Kind(
        "version-mismatch",
        "mismatch with northd",
        ("main",),
        r"controller version - (?P<own>\S+) mismatch with northd version - (?P<northd>\S+)",
        "controller/ovn-controller.c, check_northd_version()",
        since="OVN 20.12",
        many=100,
    ),
    Kind(
        "unconfigured",
        "",
        ("chassis",),
        r"(?P<subject>Need to specify an encap type and ip|'system-id' in Open_vSwitch database is missing)",
        "controller/chassis.c, chassis_parse_ovs_config() and get_ovs_chassis_id()",
        since="OVN 20.03",
        many=100,
    ),
    Kind(
        "moved",
        "Changing chassis",
        ("binding",),
        r"Changing chassis for lport (?P<subject>\S+) from (?P<other>\S+) to (?P<own>\S+?)\.?$",
        "controller/binding.c, set_pb_chassis_in_sbrec()",
        since="OVN 20.03",
        many=50,
    ),
    Kind(
        "paused",
        "execution pause",
        ("main",),
        r"User triggered execution pause",
        "controller/ovn-controller.c, debug_pause_execution()",
        since="OVN 20.09",
    ),
    Kind(
        "resumed",
        "execution resume",
        ("main",),
        r"User triggered execution resume",
        "controller/ovn-controller.c",
        since="OVN 20.09",
    ),
    Kind(
        "paused",
        "is now paused",
        ("ovn_northd",),
        r"This ovn-northd instance is now paused",
        "northd/ovn-northd.c",
        since="OVN 20.03",
    ),
    Kind(
        "resumed",
        "lock acquired",
        ("ovn_northd",),
        r"ovn-northd lock acquired",
        "northd/ovn-northd.c, main()",
        since="OVN 20.03",
    ),
    Kind(
        "tls",
        ": ",
        ("stream_ssl",),
        r"(?!SSL_accept: .*wrong version)(?P<subject>SSL_\w+|\S+): "
        r"(?P<error>.*(?:certificate|alert|handshake|wrong version|unknown ca|asn1 encoding).*)",
        "lib/stream-ssl.c, interpret_ssl_error()",
        since="OVS 1.0",
        many=100,
    ),
    *CONNECTION_KINDS,
    *FAULT_KINDS,
)

HELD_BACK = Kind(
    "held-back",
    "Dropped ",
    (),
    r"Dropped (?P<count>\d+) log messages in last (?P<seconds>\d+) seconds",
    "lib/vlog.c, vlog_should_drop()",
    since="OVS 1.0",
    many=500,
)
DESCRIPTORS = Kind(
    "descriptors",
    "Too many open files",
    (),
    r".*Too many open files",
    "any place that opens a file or a socket",
    since="OVS 1.0",
    many=50,
)
ANYWHERE = (HELD_BACK, DESCRIPTORS)
"""Printed by any module, as a warning or worse."""
ABORTED = Kind(
    "aborted",
    "",
    (),
    r"(?P<how>.+)",
    "lib/vlog.c, vlog_fatal_valist() and vlog_abort_valist()",
    since="OVS 1.2",
    many=200,
)
"""A process ends with what it logs as EMER."""
LIVES_ON = frozenset(("dpdk",))
"""But for these modules (lib/dpdk.c)."""

JUMP = Kind("clock-jump", "", (), r"", "the times of the lines themselves", many=50)
CUT = Kind("lines-missing", "", (), r"", "the numbers of the lines themselves", many=50)


class Module(msgspec.Struct, frozen=True):
    """What one module prints that counts, and by level the marks of it: a text without any of them is not looked at. A
    warning or worse may be what any module prints."""

    kinds: tuple[Kind, ...]
    marks: Mapping[bytes, tuple[bytes, ...]]


def module(kinds: Iterable[Kind]) -> Module:
    """A module that prints ``kinds``."""
    kinds = tuple(kinds)
    loud = _marks((*kinds, *ANYWHERE))
    return Module(kinds, {b"INFO": _marks(kinds), b"WARN": loud, b"ERR": loud, b"EMER": (b"",)})


def _by_module() -> Mapping[bytes, Module]:
    found: dict[bytes, list[Kind]] = {}
    for kind in KINDS:
        for name in kind.modules:
            found.setdefault(name.encode(), []).append(kind)
    return {name: module(kinds) for name, kinds in found.items()}


def _marks(kinds: Iterable[Kind]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(kind.mark.encode() for kind in kinds))


MODULES = _by_module()
