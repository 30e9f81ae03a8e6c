"""Which daemon a line comes from, and which one an address leads to, by content. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ovsnet.explain.event import UNKNOWN

SOUTHBOUND = "southbound"
NORTHBOUND = "northbound"
NORTHD = "ovn-northd"
CONTROLLER = "ovn-controller"
VSWITCHD = "ovs-vswitchd"
OVSDB = "ovsdb-server"

TITLES = {
    OVSDB: "ovsdb-server",
    VSWITCHD: "ovs-vswitchd",
    CONTROLLER: "ovn-controller",
    SOUTHBOUND: "the southbound server",
    NORTHBOUND: "the northbound server",
    NORTHD: "ovn-northd",
}
NAMES = {
    OVSDB: "ovsdb",
    VSWITCHD: "vswitchd",
    CONTROLLER: "controller",
    SOUTHBOUND: "southbound",
    NORTHBOUND: "nb",
    NORTHD: "northd",
}
"""How each begins its codes: as ``node.components`` has it; tests hold the two together."""

MODULES = {
    b"ovn_northd": NORTHD,
    b"northd": NORTHD,
    b"ofctrl": CONTROLLER,
    b"pinctrl": CONTROLLER,
    b"binding": CONTROLLER,
    b"lflow": CONTROLLER,
    b"chassis": CONTROLLER,
    b"vif_plug_provider": CONTROLLER,
    b"features": CONTROLLER,
    b"bridge": VSWITCHD,
    b"ofproto": VSWITCHD,
    b"ofproto_dpif": VSWITCHD,
    b"ofproto_dpif_upcall": VSWITCHD,
    b"connmgr": VSWITCHD,
    b"ovs_numa": VSWITCHD,
    b"ovsdb_server": OVSDB,
    b"ovsdb_jsonrpc_server": OVSDB,
    b"raft": OVSDB,
}
"""Modules that one daemon alone has."""

PATHS = (
    (SOUTHBOUND, re.compile(r"(?:^|[-_./])(?:ovn-?)?sb(?:[-_.\d]|db|$)|southbound", re.IGNORECASE)),
    (NORTHBOUND, re.compile(r"(?:^|[-_./])(?:ovn-?)?nb(?:[-_.\d]|db|$)|northbound", re.IGNORECASE)),
    (NORTHD, re.compile(r"northd")),
    (CONTROLLER, re.compile(r"ovn-controller(?!-vtep)")),
    (VSWITCHD, re.compile(r"vswitchd")),
    (OVSDB, re.compile(r"ovsdb-server|(?:^|/)ovsdb")),
)
"""Names of log files; of those that match the first counts."""
SPECIFIC = (SOUTHBOUND, NORTHBOUND)


PROGRAMS = frozenset((VSWITCHD, OVSDB, CONTROLLER, NORTHD))
ROTATED = re.compile(r"[-.]?\d++(?:[-.T]\d++)*$")
LONGEST_NAME = 255
"""Bytes (NAME_MAX of limits.h): what a line says may be longer, and be no name."""

MOMENTS = {"previous": "current"}
"""The names that ``oc adm must-gather`` gives to a container's two logs."""


def stem(name: str) -> str:
    """A file's name without what rotation and compression add: ``ovn-sb.log.2.gz`` is ``ovn-sb``."""
    base = name.rpartition("/")[2][-LONGEST_NAME:]
    for suffix in (".gz", ".xz", ".bz2"):
        base = base.removesuffix(suffix)
    base = ROTATED.sub("", base).removesuffix(".log")
    base = ROTATED.sub("", base) if not re.search(r"(?:sb|nb)\d$", base) else base
    return MOMENTS.get(base, base)


def daemon_by_module(known: str, module: bytes, text: bytes) -> str:
    """Whose line it is by the module that wrote it; ``known`` where that says nothing."""
    if known != UNKNOWN:
        return known
    if module == b"main" and text.startswith((b"OVN internal version", b"OVS IDL", b"OVNSB IDL")):
        return CONTROLLER
    return MODULES.get(module.partition(b"(")[0], known)


def daemon_by_path(known: str, path: str) -> str:
    """Whose log a file of this name is; it tells the servers of the three databases apart."""
    base = path.rstrip("/").rpartition("/")[2]
    found = next((daemon for daemon, pattern in PATHS if pattern.search(base)), None)
    if found is None or (known not in (UNKNOWN, OVSDB) and found not in (known,)):
        return known
    return found


def daemon_by_sender(name: str, unit: str) -> str:
    """Whose line it is by the program, the container or the file that a carrier names; ``unit`` is that of systemd. One
    container may run several daemons, so all but the servers of OVN are known by their lines."""
    if name in PROGRAMS:
        return daemon_by_path(name, unit)
    found = daemon_by_path(UNKNOWN, name)
    return found if found in SPECIFIC else UNKNOWN


def code_of(daemon: str, verdict: str) -> str:
    """The code of the live diagnosis: ``vswitchd-down``."""
    return f"{NAMES.get(daemon, daemon.removeprefix('ovn-'))}-{verdict}"


def target_of(observer: str, address: str) -> str:
    """The daemon behind ``address``, which ``observer`` connects to; "" for one that it accepted."""
    if "#" in address or "<->" in address:
        return ""
    if ".mgmt" in address:
        return VSWITCHD
    if address.startswith("unix:"):
        base = address.rpartition("/")[2]
        if "sb" in base:
            return SOUTHBOUND
        if "nb" in base:
            return NORTHBOUND
        return OVSDB if base.startswith("db.sock") or "ovsdb" in base else ""
    if not address.startswith(("tcp:", "ssl:")):
        return ""
    port = address.rpartition(":")[2]
    if observer == NORTHD:
        return NORTHBOUND if port.endswith("6641") or port == "6641" else SOUTHBOUND
    if observer == CONTROLLER:
        return SOUTHBOUND
    return ""


def daemon_by_peers(addresses: Iterable[str]) -> str:
    """Whose lines they are that name only whom it connects to: ovn-controller alone connects to a bridge's management
    socket, and ovn-northd alone to the northbound. ``UNKNOWN`` where the addresses may be anybody's."""
    known = {_peer(address) for address in addresses}
    for peer, daemon in ((VSWITCHD, CONTROLLER), (NORTHBOUND, NORTHD), (SOUTHBOUND, CONTROLLER), (OVSDB, VSWITCHD)):
        if peer in known:
            return daemon
    return UNKNOWN


PORTS = {"6641": NORTHBOUND, "6642": SOUTHBOUND}
"""Those of OVN's documents (ovn-ctl(8), ``--db-nb-port`` and ``--db-sb-port``)."""


def _peer(address: str) -> str:
    if address.startswith(("tcp:", "ssl:")):
        return PORTS.get(address.rpartition(":")[2], "")
    return target_of(CONTROLLER, address)
