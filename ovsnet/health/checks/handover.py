"""A daemon that ends, and the one that follows it: for a moment neither answers, and nothing is wrong with a socket.

A daemon removes its sockets and its pidfile a moment before it ends (lib/fatal-signal.c, ``unlink_files``), another may
follow it at once, and one that started just now has not made its own yet.
"""

from __future__ import annotations

import asyncio

from ovsnet.errors import ConnectionRefused, PeerError, SocketMissing
from ovsnet.health.checks.declaration import Check
from ovsnet.node.daemon import Daemon
from ovsnet.node.node import Node
from ovsnet.node.presence import Presence

ENDS_WITHIN = 0.3
"""Seconds between the end of a daemon's sockets and that of its process."""

ENDS_WITHOUT_PIDFILE_WITHIN = 1.5
"""Seconds likewise of one whose pidfile is gone as well: it removed both together, and a busy host lets it end late."""

BETWEEN_LOOKS = 0.02
"""Seconds between two looks whether a process has ended."""

HAS_SOCKETS_AFTER = 5.0
"""Seconds after its start until when a daemon may have no sockets yet, on a host with much to do."""

NAME_LOST = frozenset({SocketMissing.reason, ConnectionRefused.reason})


async def changes_hands(check: Check, node: Node, error: PeerError) -> bool:
    """Whether to ask again: the name of its socket went just now, and it was waited for what comes of that."""
    daemon = node.daemons[check.daemon]
    if error.reason not in NAME_LOST or daemon.late or daemon.distant:
        return False
    sighting = await node.sight(check.daemon)
    pid = sighting.pid
    if pid is None and sighting.presence is not Presence.RUNS:
        return False
    age = daemon.age(pid)
    if (pid is None or pid == daemon.nameless) and (age is None or age > HAS_SOCKETS_AFTER):
        return False
    daemon.nameless = pid
    await _end(daemon, pid)
    daemon.forget_sighting()
    return True


async def _end(daemon: Daemon, pid: int | None) -> None:
    """Wait for the end of a process whose sockets are gone, and no longer than it takes one that ends, or until a
    connection to the next one stands. One that starts has its pidfile soon."""
    met = daemon.times_met
    for look in range(round(ENDS_WITHOUT_PIDFILE_WITHIN / BETWEEN_LOOKS)):
        if daemon.times_met > met or (pid is not None and daemon.has_ended(pid)):
            return
        if look * BETWEEN_LOOKS >= ENDS_WITHIN and daemon.has_pidfile():
            return
        await asyncio.sleep(BETWEEN_LOOKS)
