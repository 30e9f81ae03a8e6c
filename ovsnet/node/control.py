"""The control socket of a daemon, whose name carries a pid that may be stale."""

from __future__ import annotations

from ovsnet import unixctl
from ovsnet.errors import ConnectError, SocketMissing
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir


async def open_control(
    rundir: Rundir, daemon: str, preferred: Address | None = None, *, timeout: float
) -> unixctl.Session:
    """Connect to the first candidate that accepts, ``preferred`` before the others: only a connection tells a live
    control socket from a stale one. Raises the ConnectError that fits."""
    why: ConnectError = SocketMissing(f"There is no control socket of {daemon} in {rundir.pidfile(daemon).parent}.")
    for address in sorted(rundir.control_sockets(daemon), key=lambda each: each != preferred):
        try:
            return await unixctl.connect(address, timeout=timeout)
        except ConnectError as error:
            why = error
    raise why
