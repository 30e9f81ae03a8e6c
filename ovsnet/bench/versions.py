"""Which daemons a run had before it."""

from __future__ import annotations

from pathlib import Path

from ovsnet import unixctl
from ovsnet.errors import OvsnetError
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir

PATIENCE = 0.5
"""Seconds for a daemon to answer with its version; one that is silent is left out."""


async def versions(rundir: Rundir) -> dict[str, str]:
    """By the name of its control socket, what each daemon that answers says of itself."""
    found = {}
    for socket in _control_sockets(rundir):
        try:
            async with unixctl.connect(Address.unix(socket), timeout=PATIENCE) as session:
                found[_daemon(socket)] = (await session.call("version", timeout=PATIENCE)).splitlines()[0]
        except OvsnetError:
            continue  # a stale socket, or one that we may not open
    return found


def _daemon(socket: Path) -> str:
    """``ovs-vswitchd`` of ``ovs-vswitchd.1234.ctl``."""
    return socket.stem.rstrip("0123456789").rstrip(".")


def _control_sockets(rundir: Rundir) -> list[Path]:
    return sorted({socket for directory in (rundir.ovs, rundir.ovn) for socket in directory.glob("*.ctl")})
