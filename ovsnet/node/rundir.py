"""Find the sockets of the daemons, whatever the distribution, the container or the pid namespace.

A control socket's name carries its daemon's pid (``ovs-vswitchd.1234.ctl``). The pid in a pidfile may be stale,
reused, or of another pid namespace, so it only orders the candidates: the one that accepts a connection is right
(lib/daemon-unix.c, ``read_pidfile__`` asks for the lock's owner instead, which fails across namespaces).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.node.pidfile import read_pidfile

USUAL_PLACES = ("/run/openvswitch", "/var/run/openvswitch", "/usr/local/var/run/openvswitch")


@dataclass(frozen=True, slots=True)
class Rundir:
    """The directories in which OVS and OVN keep sockets and pidfiles; often one."""

    ovs: Path
    ovn: Path

    @property
    def database(self) -> Address:
        """The Open_vSwitch database. Raises AddressError when the path is too long."""
        return Address.unix(self.ovs / "db.sock")

    def mgmt(self, bridge: str) -> Address:
        """The bridge's OpenFlow service socket. Raises AddressError."""
        return Address.unix(self.ovs / f"{bridge}.mgmt")

    def pidfile(self, daemon: str) -> Path:
        """Where the daemon writes its pid."""
        return (self.ovn if daemon.startswith("ovn") else self.ovs) / f"{daemon}.pid"

    def control_sockets(self, daemon: str) -> list[Address]:
        """Candidates, the likeliest first: the pidfile's, then the newest. Raises AddressError."""
        directory = self.pidfile(daemon).parent
        found = sorted(directory.glob(f"{daemon}*.ctl"), key=_modified, reverse=True)
        name = re.compile(re.escape(daemon) + r"(\.[0-9]+)?\.ctl")
        exact = [path for path in found if name.fullmatch(path.name)]
        pid = read_pidfile(self.pidfile(daemon))
        exact.sort(key=lambda path: path.name != f"{daemon}.{pid}.ctl")
        return [Address.unix(path) for path in exact]


def find_rundir(
    rundir: str, ovn_rundir: str, environ: Mapping[str, str], usual_places: Sequence[str] = USUAL_PLACES
) -> Rundir:
    """The run directories: as named, else ``OVS_RUNDIR`` and ``OVN_RUNDIR``, else the usual places.

    A directory that somebody named must exist: UnfitEnvironment. One that nobody named may still be missing; it
    appears with the daemons' first start after a boot. So OVN's own is taken unless OVN is seen to live in the other,
    as it did before 2.12.
    """
    ovs = _named(rundir or environ.get("OVS_RUNDIR", ""))
    if ovs is None:
        ovs = next((Path(place) for place in usual_places if os.path.isdir(place)), Path(usual_places[0]))
    ovn = _named(ovn_rundir or environ.get("OVN_RUNDIR", ""))
    if ovn is None:
        beside = ovs.parent / "ovn"
        shared = ovs.name != "openvswitch" or (not beside.is_dir() and any(ovs.glob("ovn-controller*")))
        ovn = ovs if shared else beside
    return Rundir(ovs, ovn)


def _named(text: str) -> Path | None:
    if not text:
        return None
    if not os.path.isdir(text):  # Path.is_dir raises PermissionError where a parent may not be searched
        raise UnfitEnvironment(
            f"There is no run directory {text} that this user can see.",
            remedy="Correct --rundir or OVS_RUNDIR; `ls /run/openvswitch` shows the usual one.",
        )
    return Path(text)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
