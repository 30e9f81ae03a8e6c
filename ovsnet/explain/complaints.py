"""Outages that a daemon names itself: a line of which each says what is wrong. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from ovsnet.explain.daemons import NORTHBOUND, NORTHD, OVSDB, SOUTHBOUND, code_of, target_of
from ovsnet.explain.event import Event
from ovsnet.explain.history import Absence, History
from ovsnet.explain.verdicts import Outage, Sure
from ovsnet.explain.view import FAR, View

AWHILE = 1.0
"""Seconds within which both ends of a connection speak of it."""
BETWEEN = 60.0
"""Complaints of one kind this close are one."""
IN_USE = "Address already in use"
SERVERS = (OVSDB, SOUTHBOUND, NORTHBOUND)


class Complaint(NamedTuple):
    """A line that names what is wrong: the code, which daemon it is about ("" for the one that says it), and words."""

    code: str
    daemon: str
    words: Callable[[Event], str]


COMPLAINTS = {
    "lock": Complaint(
        "vswitchd-locked-out", "", lambda _: "a second ovs-vswitchd is running, and one of the two serves nothing"
    ),
    "no-datapath": Complaint(
        "datapath-missing", "", lambda event: f"ovs-vswitchd could not create {event.subject}: {event.said['error']}"
    ),
    "disk": Complaint(
        "database-not-writable", "", lambda event: f"its database could not be written: {event.said['error']}"
    ),
    "stale": Complaint(
        "southbound-stale", SOUTHBOUND, lambda event: f"{event.subject} serves older data than was seen before"
    ),
    "cut-off": Complaint("southbound-stale", SOUTHBOUND, lambda event: f"{event.subject} has lost its cluster"),
    "joining": Complaint(
        "sb-joining", SOUTHBOUND, lambda event: f"the server at {event.subject} has not joined its cluster yet"
    ),
    "relay-cut-off": Complaint(
        "relay-cut-off", SOUTHBOUND, lambda event: f"the relay at {event.subject} has lost its source"
    ),
    "no-database": Complaint(
        "southbound-wrong-address",
        SOUTHBOUND,
        lambda event: f"{event.subject} serves no {event.said['database']} database",
    ),
    "version-mismatch": Complaint(
        "northd-version-mismatch",
        "",
        lambda event: f"ovn-controller is {event.said['own']}, ovn-northd {event.said['northd']}",
    ),
    "unconfigured": Complaint("chassis-unconfigured", "", lambda event: f"ovn-controller says: {event.subject}"),
    "descriptors": Complaint(
        "descriptors-exhausted", "", lambda _: "it had no file descriptor left: Too many open files"
    ),
    "pidfile": Complaint("", "", lambda event: f"it did not start: {event.subject}: {event.said['what']}"),
    "tls": Complaint("tls-failed", "", lambda event: f"TLS failed: {event.said['error']}"),
    "no-mapping": Complaint(
        "bridge-mapping-wrong",
        "",
        lambda event: f"no bridge is mapped to {event.said['network']}, the network of port {event.subject}",
    ),
    "protocols": Complaint(
        "bridge-protocols-wrong",
        "",
        lambda event: f"ovn-controller and the bridge have no version of OpenFlow in common: {event.said['error']}",
    ),
    "schema": Complaint(
        "schema-old", "", lambda event: f"the {event.subject} database lacks the {event.said['what']} that it uses"
    ),
    "conflict": Complaint(
        "chassis-conflict", "", lambda event: f"another chassis already has what it tried to register: {event.text}"
    ),
    "damaged": Complaint(
        "", "", lambda event: f"its database {event.subject} could not be opened: {event.said['error']}"
    ),
    "not-listening": Complaint("", "", lambda event: f"it could not listen on {event.subject}: {event.said['error']}"),
    "client-stalled": Complaint(
        "client-stalled", "", lambda event: f"it disconnected {event.subject}, which had stopped reading"
    ),
    "conntrack-full": Complaint(
        "conntrack-full", "", lambda _: "the kernel's table of connections was full: it dropped packets"
    ),
}


def complaints(view: View, told: History) -> Iterator[Outage]:
    """Lines that say themselves what is wrong."""
    for kind, complaint in COMPLAINTS.items():
        group: list[Event] = []
        for event in filter(partial(is_fault, told), told.of(kind)):
            if group and event.at - group[-1].last > BETWEEN:
                yield _complaint(view, told, complaint, group)
                group = []
            group.append(event)
        if group:
            yield _complaint(view, told, complaint, group)


def is_fault(told: History, event: Event) -> bool:
    """Whether it is a fault where this daemon says it, and not usual."""
    match event.kind:
        case "no-mapping":  # a network that is not on each chassis is usual (controller/patch.c, add_bridge_mappings())
            return "skipping" not in event.said
        case "schema":  # ovn-controller is upgraded first (OVN, Documentation/intro/install/ovn-upgrades.rst)
            return event.subject == "OVN_Southbound" and told.daemon == NORTHD
        case "not-listening":  # an address that moves is not here; the node's own database is reached by its socket
            own = told.daemon == OVSDB and not event.subject.startswith("punix:")
            return event.said["error"] == IN_USE and not own
        case "client-stalled":
            return told.daemon in SERVERS
    return True


def _about(told: History, complaint: Complaint, event: Event) -> tuple[str, str]:
    """The code and the daemon. Of a server that was refused, it matters which client refused it."""
    if complaint.daemon and told.daemon == NORTHD:
        return "northd-not-connected", NORTHD
    if complaint.daemon and target_of(told.daemon, event.subject) == OVSDB:
        return "database-foreign", OVSDB
    return complaint.code or code_of(told.daemon, "down"), complaint.daemon or told.daemon


def _complaint(view: View, told: History, complaint: Complaint, group: Sequence[Event]) -> Outage:
    code, daemon = _about(told, complaint, group[0])
    proof = group if len(group) < 4 else [*group[:2], group[-1]]
    words = complaint.words(group[0])
    if code == "tls-failed" and (reason := _expired(view, group)) is not None:
        code, daemon, words = "certificate-expired", reason.source.daemon, complaint.words(reason)
        proof = [*proof, *([] if any(each is reason for each in proof) else [reason])]
    times = sum(1 + event.repeated for event in group)
    words += f" (logged {times} times)" if times > 1 else ""
    began, last = group[0].at, group[-1].last
    ended = None if last >= told.last - 1.0 and len(group) > 1 else last
    if complaint.daemon and (lack := _lack(told, group[0])) is not None:
        began, ended = lack.began, lack.ended
    return Outage(code, view.node, daemon, began, ended, words, proof, Sure.CERTAIN)


def _expired(view: View, group: Sequence[Event]) -> Event | None:
    """The line that says that a certificate had ended. A daemon that refuses one may say so only to its peer, in an
    alert (RFC 8446, section 6.2). The peer does not read every alert: where it writes first, it finds a broken pipe."""
    peers = (event for told in view.all for event in told.of("tls") if "alert" in event.said["error"])
    near = (each for each in peers if any(abs(each.at - event.at) <= AWHILE for event in group))
    return next((event for event in (*group, *near) if "expired" in event.said["error"]), None)


def _lack(told: History, event: Event) -> Absence | None:
    """The time for which a client had no server that it could take, in which it refused this one."""
    target = target_of(told.daemon, event.subject)
    number = bisect_right(told.absences, event.at, key=lambda each: each.began)
    lacks = (each for each in reversed(told.absences[:number]) if each.target == target and each.thread == event.thread)
    found = next(lacks, None)
    return found if found is not None and (found.ended or FAR) >= event.at else None
