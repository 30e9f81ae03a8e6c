"""Defects of known versions, as data. Each row says who found it, and a row without a source has no place here."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ovsnet.doctor.finding import Finding, Severity
from ovsnet.node.version import Version, shown

WAITS_IF_TOLD = (22, 3, 2)
"""The first version of OVN that reads ovn-ofctrl-wait-before-clear."""

ORIGIN = "the article on Kube-OVN start failures"


class Defect(msgspec.Struct, frozen=True):
    """Versions from ``first`` on, before ``fixed_in``, have it."""

    component: str
    first: Version
    fixed_in: Version
    severity: Severity
    what: str
    remedy: str
    source: str


DEFECTS = (
    Defect(
        "kernel",
        (3, 10, 0, 862),
        (3, 10, 0, 863),
        Severity.FATAL,
        "has a NAT defect that breaks Open vSwitch",
        "Install a kernel above 3.10.0-898 and boot it.",
        f"{ORIGIN}; kube-ovn #1393, dist/images/start-ovs.sh",
    ),
    Defect(
        "kernel",
        (3, 10, 0, 863),
        (3, 10, 0, 899),
        Severity.WARNING,
        "is between the defective 3.10.0-862 and 3.10.0-898, above which it is known to be fixed",
        "Install a kernel above 3.10.0-898 and boot it.",
        ORIGIN,
    ),
    Defect(
        "Open vSwitch",
        (0,),
        (2, 15),
        Severity.NOTE,
        "may drop a database connection because its own loop was late",
        "Upgrade to Open vSwitch 2.15 or newer, or give the database probes room: ovsnet tune advise.",
        "ovs 4241d652e",
    ),
    Defect(
        "OVN",
        (24, 3),
        (24, 9),
        Severity.NOTE,
        "has no probe on its OpenFlow connections, so it never notices a hung ovs-vswitchd",
        "Let ovsnet watch the switch (check openflow.echo), or upgrade to OVN 24.09 and set "
        "ovn-bridge-remote-probe-interval.",
        "ovn c16e5da80 (removed in 24.03), 3b7da5ac2 (back, in ms, in 24.09)",
    ),
    Defect(
        "OVN",
        (0,),
        WAITS_IF_TOLD,
        Severity.NOTE,
        "clears the switch's flows when ovn-controller restarts, and cannot be told to wait",
        "Upgrade to OVN 25.09, or to 22.03.2 and set external_ids:ovn-ofctrl-wait-before-clear before a restart.",
        "ovn controller/ofctrl.c: v22.03.2 and v22.06.0 are the first tags to read the setting; 358b1dd53 (waits by "
        "itself from 25.09)",
    ),
    Defect(
        "OVN",
        WAITS_IF_TOLD,
        (25, 9),
        Severity.NOTE,
        "clears the switch's flows when ovn-controller restarts, unless it is told to wait",
        "Set external_ids:ovn-ofctrl-wait-before-clear=8000 before a restart, or upgrade to OVN 25.09.",
        "ovn 358b1dd53 (waits by itself from 25.09); 3000 ports lost flows for 3 to 5 s on 23.03",
    ),
    *(
        Defect(
            "OVN",
            first,
            (*first[:2], first[2] + 1),
            Severity.WARNING,
            "sets other_config:flow-restore-wait on a gateway that has others beside it, and may never clear it: the "
            "switch then forwards nothing after its next start",
            "Upgrade to OVN 24.03.9, 25.09.4 or 26.03.2.",
            "ovn 621f85e92 (in v24.03.8, v25.03.3, v25.09.3, v26.03.1); 30f431174 and 89dbc4084 revert it (FDP-3862)",
        )
        for first in ((24, 3, 8), (25, 3, 3), (25, 9, 3), (26, 3, 1))
    ),
    Defect(
        "Kube-OVN",
        (0,),
        (1, 12, 17),
        Severity.WARNING,
        "starts ovs-ovn less reliably: a start may take 2 minutes instead of 20 seconds",
        "Upgrade to Kube-OVN 1.12.17 or newer.",
        f"{ORIGIN}; kube-ovn #4506, #4219",
    ),
)


def defects(component: str, version: Version) -> Iterator[Finding]:
    """A finding for each defect that this version has."""
    for row in DEFECTS:
        if row.component == component and row.first <= version < row.fixed_in:
            yield Finding(
                row.severity,
                f"{component} {shown(version)} {row.what}.",
                row.remedy,
                (f"source: {row.source}",),
            )
