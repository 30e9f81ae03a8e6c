"""The control socket of a daemon, whose name carries a pid that may be stale."""

from __future__ import annotations

from ovsnet import unixctl
from ovsnet.errors import ConnectError, PeerError, SocketMissing, telling
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir


async def open_control(
    rundir: Rundir, daemon: str, preferred: Address | None = None, *, timeout: float
) -> unixctl.Session:
    """Connect to the first candidate that accepts, ``preferred`` before the others: only a connection tells a live
    control socket from a stale one. Raises the most telling ConnectError."""
    failures: list[PeerError] = []
    for address in sorted(rundir.control_sockets(daemon), key=lambda each: each != preferred):
        try:
            return await unixctl.connect(address, timeout=timeout)
        except ConnectError as error:
            failures.append(error)
    if not failures:
        raise SocketMissing(f"There is no control socket of {daemon} in {rundir.pidfile(daemon).parent}.")
    raise telling(failures)
