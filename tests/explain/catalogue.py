"""The incidents: each start and outage of which the daemons' logs tell, and some that are none."""

from __future__ import annotations

from ovsnet.sandbox.node import Sandbox
from tests.explain.steps import (
    CONTROLLER,
    DATABASE,
    NORTHBOUND,
    NORTHD,
    SOUTHBOUND,
    SWITCH,
    Incident,
    appctl,
    away,
    by_tcp,
    churned,
    configure,
    control,
    crash,
    disk_full,
    frozen,
    kill,
    killed,
    northbound_as_southbound,
    restart,
    second_switch,
    sleep,
    start,
    stop,
    unlink,
    without_descriptors,
)

IN_TURN = (1.05, 2.05, 4.05)
INCIDENTS = (
    Incident("first-start", "", [sleep(2)], lambda: Sandbox(bridge=False)),
    Incident("switch-away", "vswitchd-down", away(SWITCH, 4.2, 4.5)),
    Incident("switch-killed", "vswitchd-down", killed(SWITCH, 1.5, 3)),
    Incident("switch-crashed", "vswitchd-down", [crash(SWITCH), sleep(2), start(SWITCH), sleep(3)]),
    Incident(
        "switch-again-and-again",
        "vswitchd-down",
        [*(step for wait in IN_TURN for step in (restart(SWITCH), sleep(wait))), restart(SWITCH), sleep(9)],
    ),
    Incident(
        "controller-ahead", "vswitchd-down", [stop(SWITCH), restart(CONTROLLER), sleep(3.5), start(SWITCH), sleep(5)]
    ),
    Incident("database-away", "ovsdb-down", away(DATABASE, 3.5, 5)),
    Incident(
        "all-away",
        "ovsdb-down",
        [
            *map(stop, (CONTROLLER, SWITCH, DATABASE)),
            sleep(6),
            *map(start, (DATABASE, SWITCH, CONTROLLER)),
            sleep(3),
        ],
    ),
    Incident("controller-restarted", "controller-down", [restart(CONTROLLER), sleep(1)]),
    Incident(
        "controller-late", "controller-down", [stop(CONTROLLER), restart(SWITCH), sleep(3), start(CONTROLLER), sleep(1)]
    ),
    Incident("controller-paused", "controller-paused", [control("debug/pause"), sleep(3), control("debug/resume")]),
    Incident("southbound-away", "southbound-down", away(SOUTHBOUND, 5, 4)),
    Incident(
        "southbound-away-at-a-restart",
        "southbound-down",
        [stop(SOUTHBOUND), restart(CONTROLLER), restart(SWITCH), sleep(5), start(SOUTHBOUND), sleep(4)],
    ),
    Incident(
        "southbound-frozen",
        "southbound-hung",
        [by_tcp, sleep(3), *frozen(SOUTHBOUND, 22, 10)],
        lambda: Sandbox(door="tcp"),
    ),
    Incident("leader-killed", "southbound-down", killed("ovn-sb1", 6, 4), lambda: Sandbox(raft=True)),
    Incident("leader-frozen", "southbound-hung", frozen("ovn-sb1", 14, 4), lambda: Sandbox(raft=True)),
    Incident(
        "southbound-nowhere",
        "southbound-down",
        [configure("set", "open", ".", "external_ids:ovn-remote=tcp:127.0.0.1:1"), restart(CONTROLLER), sleep(16)],
    ),
    Incident("socket-unlinked", "mgmt-socket-missing", [unlink, restart(CONTROLLER), sleep(14)]),
    Incident(
        "no-encapsulation",
        "chassis-unconfigured",
        [configure("remove", "open", ".", "external_ids", "ovn-encap-ip"), restart(CONTROLLER), sleep(6)],
    ),
    Incident("northd-away", "northd-down", away(NORTHD, 5, 3)),
    Incident("northd-killed", "northd-down", killed(NORTHD, 3, 3)),
    Incident("northd-paused", "northd-paused", [appctl(NORTHD, "pause"), sleep(3), appctl(NORTHD, "resume"), sleep(1)]),
    Incident("northbound-away", "nb-down", away(NORTHBOUND, 5, 4)),
    Incident("northbound-killed", "nb-down", killed(NORTHBOUND, 3, 4)),
    Incident("database-killed", "ovsdb-down", killed(DATABASE, 2, 5)),
    Incident("database-crashed", "ovsdb-down", [crash(DATABASE), sleep(2), start(DATABASE), sleep(5)]),
    Incident("database-restarted", "ovsdb-down", [restart(DATABASE), sleep(4)]),
    Incident("controller-killed", "controller-down", killed(CONTROLLER, 3, 2)),
    Incident("controller-crashed", "controller-down", [crash(CONTROLLER), sleep(2), start(CONTROLLER), sleep(2)]),
    Incident(
        "controller-told-to-exit",
        "controller-down",
        [appctl(CONTROLLER, "exit"), sleep(3), start(CONTROLLER), sleep(2)],
    ),
    Incident("switch-told-to-exit", "vswitchd-down", [appctl(SWITCH, "exit"), sleep(2), start(SWITCH), sleep(3)]),
    Incident("switch-restarted", "vswitchd-down", [restart(SWITCH), sleep(4)]),
    Incident(
        "switch-in-a-crash-loop",
        "vswitchd-down",
        [*(step for _ in range(4) for step in (crash(SWITCH), sleep(1.5), start(SWITCH), sleep(2)))],
    ),
    Incident("southbound-killed", "southbound-down", killed(SOUTHBOUND, 3, 4)),
    Incident("southbound-restarted", "southbound-down", [restart(SOUTHBOUND), sleep(4)]),
    Incident("southbound-for-a-second", "southbound-down", away(SOUTHBOUND, 1, 4)),
    Incident(
        "both-in-the-middle-away",
        "southbound-down",
        [stop(NORTHBOUND), stop(SOUTHBOUND), sleep(5), start(NORTHBOUND), start(SOUTHBOUND), sleep(4)],
    ),
    Incident(
        "another-database-at-the-address",
        "southbound-wrong-address",
        [northbound_as_southbound, restart(CONTROLLER), sleep(8)],
    ),
    Incident("second-switch", "vswitchd-locked-out", [second_switch, sleep(1)]),
    Incident("switch-without-descriptors", "descriptors-exhausted", [without_descriptors(SWITCH, "br-int.mgmt")]),
    Incident("database-without-descriptors", "descriptors-exhausted", [without_descriptors(DATABASE, "db.sock")]),
    Incident(
        "no-system-id",
        "chassis-unconfigured",
        [configure("remove", "open", ".", "external_ids", "system-id"), restart(CONTROLLER), sleep(6)],
    ),
    Incident("disk-full", "database-not-writable ovsdb-down", [disk_full(DATABASE, "conf.db")]),
    Incident(
        "quorum-lost",
        "southbound-down",
        [kill("ovn-sb2"), kill("ovn-sb3"), sleep(8), start("ovn-sb2"), start("ovn-sb3"), sleep(5)],
        lambda: Sandbox(raft=True),
    ),
    Incident("follower-killed", "southbound-down", killed("ovn-sb3", 4, 3), lambda: Sandbox(raft=True)),
    Incident("leader-stopped", "southbound-down", away("ovn-sb1", 5, 4), lambda: Sandbox(raft=True)),
    Incident(
        "started-in-the-wrong-order",
        "ovsdb-down",
        [
            *map(stop, (CONTROLLER, SWITCH, DATABASE)),
            sleep(2),
            start(CONTROLLER),
            sleep(2),
            start(SWITCH),
            sleep(2),
            start(DATABASE),
            sleep(8),
        ],
    ),
    Incident("churned", "", [churned]),
    Incident(
        "logs-reopened", "", [*(appctl(daemon, "vlog/reopen") for daemon in (SWITCH, DATABASE, CONTROLLER)), sleep(1)]
    ),
)
