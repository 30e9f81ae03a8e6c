"""The run directory: there, with the right owner, and found under the name that programs built from source use."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.fixes import MakeLink
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import ON_A_NODE, daemon_pid, uid
from ovsnet.node.host_files import Host

LINK = "/usr/local/var/run/openvswitch"
LINK_TARGET = "/var/run/openvswitch"
"""As the article wants it. A build without --localstatedir looks in the first (kube-ovn start-ovs-dpdk-v2.sh)."""

BUILT_FROM_SOURCE = (
    "/usr/local/sbin/ovs-vswitchd",
    "/usr/local/sbin/ovsdb-server",
    "/usr/local/bin/ovs-vsctl",
    "/usr/local/bin/ovn-controller",
)


@examination("rundir.present")
def present(host: Host, live: Live) -> Iterator[Finding]:
    """The run directory is there."""
    if host.exists(host.rundir.ovs):
        yield ok(f"The run directory is {host.rundir.ovs}.")
    else:
        yield note(
            f"There is no run directory {host.rundir.ovs}.",
            "It appears with the first start; if Open vSwitch runs, name its directory with --rundir.",
        )
    if host.rundir.others:
        yield note(
            f"There is more than one Open vSwitch on this host, and the one in {host.rundir.ovs} is examined.",
            "If another is meant, name its directory with --rundir.",
            *map(str, host.rundir.others),
        )


@examination("rundir.owner")
def owner(host: Host, live: Live) -> Iterator[Finding]:
    """The daemons, and they alone, may make files in the run directory."""
    entry = host.stat(host.rundir.ovs)
    if entry is None:
        return
    evidence = f"{host.rundir.ovs}: {stat.filemode(entry.st_mode)} uid {entry.st_uid} gid {entry.st_gid}"
    found = []
    if entry.st_mode & 0o002:
        found.append(
            warning(
                "Any user of this host may replace the sockets in the run directory.",
                f"Take the right away: chmod o-w {host.rundir.ovs}.",
                evidence,
            )
        )
    if strangers := list(_kept_out(host, live, entry.st_uid, group_writes=bool(entry.st_mode & 0o020))):
        found.append(
            warning(
                "A daemon runs as a user who may not make its sockets in the run directory after a restart.",
                f"Give it the directory: chown USER {host.rundir.ovs}, with the user that the evidence names.",
                evidence,
                *strangers,
            )
        )
    yield from found or [ok("The daemons, and they alone, may write in the run directory.", evidence)]


def _kept_out(host: Host, live: Live, owner: int, *, group_writes: bool) -> Iterator[str]:
    for program in ON_A_NODE:
        pid = daemon_pid(host, live, program)
        user = uid(host, pid) if pid else None
        if user not in (None, 0, owner) and not group_writes:
            yield f"{program} runs as uid {user}"


@examination("rundir.link")
def link(host: Host, live: Live) -> Iterator[Finding]:
    """Programs built from source find the run directory: /usr/local/var/run/openvswitch leads to it."""
    rundir = host.rundir.ovs
    if host.stat(LINK, follow=False) is None:
        yield _without_link(host, _built_from_source(host, live))
    elif host.real(LINK) == host.real(rundir):
        yield ok(f"{LINK} is the run directory.", f"{LINK} -> {host.link(LINK) or 'itself'}")
    elif host.real(rundir) != host.real(LINK_TARGET):
        yield ok(f"{LINK} is not for {rundir}, which programs look for only when OVS_RUNDIR names it.")
    elif (target := host.link(LINK)) is not None:
        yield warning(
            f"{LINK} does not lead to the run directory {rundir}.",
            f"Check what it points to, then: ln -sfn {LINK_TARGET} {LINK}.",
            f"{LINK} -> {target}",
        )
    else:
        yield warning(
            f"There are two run directories, {LINK} and {rundir}: programs that look in different ones never meet.",
            f"Stop what runs in {LINK}, move it away, then: ln -s {LINK_TARGET} {LINK}.",
        )


def _without_link(host: Host, built: list[str]) -> Finding:
    if not built:
        return ok(f"Nothing here was built to look in {LINK}.")
    if host.real(host.rundir.ovs) != host.real(LINK_TARGET):
        return note(
            f"Programs built from source look in {LINK}, which is absent.",
            f"Set OVS_RUNDIR={host.rundir.ovs} for them.",
            *built,
        )
    return warning(
        f"Programs built from source look in {LINK}, which is absent: they will not find the daemons.",
        f"Make the link: ln -s {LINK_TARGET} {LINK}, or ovsnet doctor --fix.",
        *built,
        fix=MakeLink(Path(LINK), LINK_TARGET),
    )


def _built_from_source(host: Host, live: Live) -> list[str]:
    """Programs below /usr/local, installed or running."""
    found = [path for path in BUILT_FROM_SOURCE if host.exists(path)]
    for program in ON_A_NODE:
        try:
            pid = daemon_pid(host, live, program)
            path = host.link(f"/proc/{pid}/exe") if pid else None
        except UnfitEnvironment:
            # Another user's program may not be read; what is installed is still evidence.
            continue
        if path and path.startswith("/usr/local/") and path not in found:
            found.append(path)
    return found
