"""The file systems of databases, logs and sockets, and the database files themselves.

A server that cannot write its database refuses every change, and ends at its next start where the file was torn
(kube-ovn #1968, #3112). A full log directory keeps daemons from starting (ovs-issues #257).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.running import arguments, daemons, has_the_hosts_files
from ovsnet.errors import OvsnetError, UnfitEnvironment
from ovsnet.files import read_bytes
from ovsnet.io.rights import unreadable
from ovsnet.node.database_file import MOST_READ, damage, lost, may_be_read
from ovsnet.node.facts import Live
from ovsnet.node.gather import stored_facts
from ovsnet.node.host_files import Host
from ovsnet.node.layouts import LAYOUTS
from ovsnet.node.mounts import Mount, mounts

LITTLE = 64 << 20
"""Bytes: a compaction writes the whole database once more before it removes the old one."""

LITTLE_FOR_SOCKETS = 1 << 20
FEW_INODES = 64

LOGS = ("/var/log/openvswitch", "/var/log/ovn", "/var/log/kube-ovn", "/var/snap/microovn/common/logs")

OVN_DATABASES = tuple(
    f"{place}/ovn{name}_db.db"
    for place in (
        *("/etc/ovn", "/var/lib/ovn"),
        "/etc/origin/ovn",  # Kube-OVN's chart mounts it at /etc/ovn
        *("/var/lib/ovn/etc", "/var/lib/ovn-ic/etc"),  # OVN-Kubernetes', and OpenShift's with a zone for each node
        "/var/snap/microovn/common/data/central/db",
    )
    for name in ("nb", "sb")
)


@examination("disk.space")
def space(host: Host, live: Live) -> Iterator[Finding]:
    """The file systems of databases, logs and sockets have room."""
    found = []
    for place, what in _places(host, live).items():
        if (size := host.space(place)) is None or not size.f_blocks:
            continue
        free = size.f_bavail * size.f_frsize
        needed = LITTLE_FOR_SOCKETS if what == "sockets" else LITTLE
        said = f"{place}: {free >> 20} MiB free" + (f", {size.f_favail} inodes" if size.f_files else "")
        found.append((said, what, free < needed, bool(size.f_files) and size.f_favail < FEW_INODES))
    short = [each for each in found if each[2] or each[3]]
    if short:
        whats = ", ".join(dict.fromkeys(what for _, what, _, _ in short))
        lack = " and ".join(
            word for word, lacks in (("room", any(s[2] for s in short)), ("inodes", any(s[3] for s in short))) if lacks
        )
        yield warning(
            f"The file system of the {whats} has hardly any {lack} left.",
            "Free some: old logs first (`du -x`); a server whose database could not be written writes again by itself.",
            *(said for said, *_ in short),
        )
    else:
        yield ok("The file systems of databases, logs and sockets have room.", *(said for said, *_ in found))


@examination("disk.read-only")
def read_only(host: Host, live: Live) -> Iterator[Finding]:
    """The daemons may write where databases, logs and sockets are."""
    pids = daemons(host, live)
    process = pids.get("ovsdb-server") or pids.get("ovs-vswitchd") or (1 if host.sees_all_processes else None)
    seen = [] if process is None else mounts(host.read(f"/proc/{process}/mountinfo") or "")
    if process is not None and process != 1 and not has_the_hosts_files(host, process):
        # A container's own root may well be read-only: what it writes is mounted there.
        seen = [each for each in seen if len(each.point.parts) > 1]
    held = {place: mount for place in _places(host, live) if (mount := _mount_of(place, seen)) and mount.read_only}
    if held:
        yield warning(
            f"{', '.join(map(str, held))} is on a file system that is mounted read-only.",
            "See why (`dmesg`: a disk error makes the kernel remount it so), then mount it for writing.",
            *(f"{mount.point} is mounted read-only" for mount in dict.fromkeys(held.values())),
        )
    else:
        yield ok("No file system of databases, logs and sockets is mounted read-only, as far as can be seen.")


@examination("database.file")
def database_file(host: Host, live: Live) -> Iterator[Finding]:
    """Every database file can be read to its end."""
    files = [path for path in _databases(host, live) if host.exists(path)]
    at_rest = "ovsdb-server" not in daemons(host, live)
    if not files and not at_rest:
        raise UnfitEnvironment("The files of the databases that are served are not seen from here.")
    torn = [f"{path} {what}" for path in files if (what := damage(host.locate(path)))]
    if torn:
        yield warning(
            "A database file cannot be loaded: its server ends at every start.",
            "Move it away and restart the server where its clients fill it again, as OVN's chassis and CNIs do; of a "
            "clustered one rejoin the cluster; else restore a copy (`ovsdb-tool show-log` shows what is left).",
            *torn,
        )
    cut = [f"{path}: {count} bytes" for path in files if at_rest and (count := lost(host.locate(path)))]
    if cut and not torn:
        yield warning(
            "The last changes of a database were not written whole, and its server will start without them.",
            "Keep a copy of the file before it does, and see what is missing: `ovsdb-tool show-log -m`.",
            *cut,
        )
    if hidden := next((path for path in files if not may_be_read(host.locate(path))), None):
        raise unreadable(str(hidden), str(host.locate(hidden)))
    if not torn and not cut:
        yield ok("No database file is empty or torn." if files else "There is no database file yet.", *map(str, files))


@examination("database.settings")
def settings(host: Host, live: Live) -> Iterator[Finding]:
    """The settings of this node can be seen: ovsdb-server answers, or its file is there."""
    live.need_database()
    if live.stored_in:
        yield note(
            f"The settings are those in {live.stored_in}: {live.why_unanswered('ovsdb-server').cause}",
            "Nothing is to be done: once ovsdb-server runs, it is asked.",
        )
    else:
        yield ok("The settings are those that ovsdb-server reports.")


def with_stored_settings(host: Host, live: Live) -> Live:
    """Where no ovsdb-server answers, the settings are in its file, as the last one left them."""
    for path in [] if live.database is not None else _databases(host, live):
        try:
            facts = stored_facts(read_bytes(host.locate(path), MOST_READ))
        except (OvsnetError, OSError):
            continue
        return replace(live, database=facts, stored_in=str(path))
    return live


def _places(host: Host, live: Live) -> dict[Path, str]:
    """Directories that are there, and what lies in them."""
    named = {Path(each.removeprefix("--log-file=")).parent: "logs" for each in _flags(host, live, "--log-file=")}
    places = {
        **{path.parent: "databases" for path in _databases(host, live)},
        **{Path(each): "logs" for each in LOGS},
        **named,
        **dict.fromkeys((host.rundir.ovs, host.rundir.ovn), "sockets"),
    }
    return {place: what for place, what in places.items() if host.exists(place)}


def _databases(host: Host, live: Live) -> list[Path]:
    """The usual files of such a run directory, and those that ovsdb-server was given."""
    usual = [each.database for each in LAYOUTS if Path(each.ovs) == host.rundir.ovs]
    given = [each for each in _flags(host, live, "/", only="ovsdb-server") if each.endswith(".db")]
    return list(map(Path, dict.fromkeys([*usual, *OVN_DATABASES, *given])))


def _flags(host: Host, live: Live, beginning: str, only: str = "") -> list[str]:
    pids = daemons(host, live)
    given = (each for name, pid in pids.items() if only in ("", name) for each in arguments(host, pid)[1:])
    return [each for each in given if each.startswith(beginning)]


def _mount_of(place: Path, seen: list[Mount]) -> Mount | None:
    holding = (each for each in seen if place.is_relative_to(each.point))
    # Of several at one point, the last covers the others.
    return max(enumerate(holding), key=lambda each: (len(each[1].point.parts), each[0]), default=(0, None))[1]
