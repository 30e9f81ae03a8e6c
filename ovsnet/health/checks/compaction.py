"""A database server that does not compact its log any more."""

from __future__ import annotations

import asyncio
import os.path
import time
from collections.abc import Sequence

from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.compaction import Log, logs
from ovsnet.node.node import Node
from ovsnet.texts import size


async def compaction_of(node: Node, daemon: str, target: str) -> Answer:
    """What ails it of any database server on this host; ``target`` is what ``ovs-appctl -t`` takes for it."""
    process = node.daemons[daemon].process()
    # In a thread: a file system whose server is gone (NFS) answers late.
    found = [] if process is None else await asyncio.to_thread(logs, process.pid)
    runs_for = 0.0 if process is None else process.age
    return judge_compaction(found, target, now=time.time(), runs_for=runs_for, patience=node.settings.compacted_within)


def judge_compaction(found: Sequence[Log], target: str, *, now: float, runs_for: float, patience: float) -> Answer:
    """What follows from the logs of one server at ``now``, in seconds since 1970. It ``runs_for`` so many seconds:
    after a start it takes its time again. Pure."""
    if not found:
        return not_used("Its database file cannot be seen from here.")
    log = found[0]
    numbers = {"size": log.size, "compacted": log.compacted}
    overdue = 0.0 if log.due_since is None else min(now - log.due_since, runs_for)
    if overdue <= patience:
        return ok(f"{log.path} has {log.size} bytes, and {log.compacted} when it was compacted last.", **numbers)
    facts = {"target": target}
    if log.free < log.compacted:
        facts |= {"cramped": log.path, "free": size(log.free), "directory": os.path.dirname(log.path)}
    return failed(
        "log-not-compacted",
        f"{log.path} has grown from {log.compacted} to {log.size} bytes, and has not been compacted for "
        f"{overdue / 60:.0f} minutes since that was due. Its file system has {size(log.free)} left.",
        facts=facts,
        **numbers,
    )
