"""When a daemon of OVS or OVN tries again by itself. Pure.

Its reconnect backoff is deterministic: 1, 2, 4 and then always 8 seconds (lib/rconn.c, ``rconn_set_backoff``;
ofctrl.c passes 0, which means the default cap of 8). A backoff that a short connection carried over cannot be seen
from outside; then the answer is too early by at most one step.
"""

from __future__ import annotations

STEPS = (1.0, 2.0, 4.0)
CAP = 8.0


START_TOLERANCE = 0.1
"""Seconds by which the start of a process, which the kernel counts in ticks, may seem to lie before its cause."""


def next_attempt(since: float, now: float) -> float:
    """Seconds from ``now`` until the next attempt of a peer that lost its connection, or started without one, at
    ``since``."""
    at = since
    for step in STEPS:
        at += step
        if at > now:
            return at - now
    return CAP - (now - at) % CAP


def still_waits(lost: float, started: float, served: float, now: float) -> float | None:
    """Seconds until a client tries again that lost its server at ``lost``; None when it may have done so already.

    Another server ``started`` since, and has ``served`` us from then on. An attempt between the two may have met it or
    not. ``started`` before ``lost`` means that the server never went: then the client lost nothing.
    """
    came_back = started > lost - START_TOLERANCE
    if not came_back or started + next_attempt(lost, started) <= served:
        return None
    wait = served + next_attempt(lost, served) - now
    return wait if wait > 0 else None
