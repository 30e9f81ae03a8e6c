"""ovsnet itself: for what it lacks, no daemon is to blame."""

from __future__ import annotations

from ovsnet.errors import OwnLimit
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.io.nofile import nofile
from ovsnet.node.descriptors import descriptors
from ovsnet.node.node import Node

HANDFUL = 8
"""Descriptors: a new connection to each daemon, and a file of /proc to read beside them."""


@check("self.descriptors", daemon="", every=5)
async def own_descriptors(node: Node) -> Answer:
    """ovsnet has descriptors left to ask with."""
    try:
        held = descriptors("self")
    except OwnLimit as error:
        return failed(error.reason, str(error), facts={"limit": str(nofile())})
    if held is None:
        return not_used("There is no /proc to count them in.")
    if held.left >= HANDFUL:
        return ok(f"{held.left} of {held.limit} descriptors are left.", descriptors=held.open, limit=held.limit)
    return failed(
        OwnLimit.reason,
        f"ovsnet has {held.open} descriptors open, and may have {held.limit}.",
        facts={"descriptors": str(held.open), "limit": str(held.limit)},
        descriptors=held.open,
        limit=held.limit,
    )
