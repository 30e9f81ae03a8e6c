"""What its database refuses ovs-vswitchd, which says so nowhere but in its log."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping

from ovsnet.node.backoff import CAP
from ovsnet.node.daemon_log import last_said
from ovsnet.node.node import Node

REFUSED = "received unexpected error response in DATA_MONITOR"
"""What follows is the state and the server's answer (lib/ovsdb-cs.c, ``ovsdb_cs_process_response``)."""

LATELY = 2 * CAP
"""Seconds. It asks again after each backoff, and is refused again."""

_DETAILS = re.compile(r'"details":"([^"\\]+)"')


async def refused_lately(node: Node) -> Mapping[str, str]:
    """Facts for a remedy; empty when nothing was refused, or its log cannot be read."""
    process = node.daemons["ovs-vswitchd"].process()
    said = None if process is None else await asyncio.to_thread(last_said, process.pid, REFUSED)
    if said is None or time.time() - said[0] > LATELY or (details := _DETAILS.search(said[1])) is None:
        return {}
    return {"refused": details[1], "address": str(node.database)}
