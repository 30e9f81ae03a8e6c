"""The clients of a database server of OVN: how many there are at each of its remotes, and which take nothing more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from ovsnet.health.checks.lasting import seen_for
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.clients import Client, clients
from ovsnet.node.components import Component
from ovsnet.node.node import Node
from ovsnet.node.raft import parse_cluster
from ovsnet.texts import whole_number


async def clients_of(node: Node, component: Component) -> Answer:
    """Those of this host's server, by what it says and what the kernel does.

    While something waits to be sent to a client, the server makes nothing else for it (ovsdb/jsonrpc-server.c,
    ``ovsdb_jsonrpc_session_run``). Where something waits, and a connection has the same bytes unsent look after look,
    that client takes nothing more: of any other they change from moment to moment.
    """
    timeout = node.settings.timeout
    control = await node.control[component.daemon].session(timeout)
    used = usage(await control.call("memory/show", timeout=timeout))
    members = ""
    if node.served[component.daemon].held().clustered:
        said = parse_cluster(await control.call("cluster/status", component.database, timeout=timeout))
        members = said.address.rpartition(":")[2]
    process = node.daemons[component.daemon].process()
    seen = None if process is None else await asyncio.to_thread(clients, process.pid)
    found = [each for each in seen or () if each.at != members]
    waiting = [each for each in found if each.unsent] if used["backlog_bytes"] else []
    ages = seen_for(node, f"{component.name}.clients", waiting)
    stalled = {client: ages[client] for client in waiting if ages[client] > node.settings.broken_after}
    return judge_clients(used, found, stalled, component)


def judge_clients(
    used: Mapping[str, int], found: Sequence[Client], stalled: Mapping[Client, float], component: Component
) -> Answer:
    """What follows; ``stalled`` are those that take nothing, each for so many seconds. Pure."""
    numbers = {**used, "stalled": len(stalled)}
    numbers |= {f"clients:{at}": count for at, count in sorted(Counter(each.at for each in found).items())}
    if not stalled:
        said = f"{used['clients']} clients have {used['monitors']} monitors"
        return ok(f"{said}; {used['backlog_bytes']} bytes wait to be sent.", **numbers)
    worst = max(stalled, key=lambda each: stalled[each])
    return failed(
        "client-stalled",
        f"{len(stalled)} of {len(found)} clients take nothing more from {component.database}, for longest {worst.host} "
        f"port {worst.port}: for {stalled[worst]:.0f} s {worst.unsent} bytes have been on their way to it from port "
        f"{worst.at}, and more wait.",
        facts={"host": worst.host, "port": str(worst.port), "database": component.database},
        **numbers,
    )


USAGE = {
    "sessions": "clients",
    "monitors": "monitors",
    "backlog": "backlog_bytes",
    "raft-backlog-kB": "members_backlog_kilobytes",
    "cells": "cells",
}
"""What is reported of the answer to memory/show, and what it is called here (ovsdb/jsonrpc-server.c,
``ovsdb_jsonrpc_server_get_memory_usage``; ovsdb/raft.c, ``raft_get_memory_usage``)."""


def usage(text: str) -> dict[str, int]:
    """Of an answer to ``memory/show``, such as ``cells:1211 monitors:3 sessions:2``; what is not in it is 0. Pure."""
    words = (word.partition(":") for word in text.split())
    found = {name: whole_number(number) or 0 for name, _, number in words}
    return {ours: found.get(theirs, 0) for theirs, ours in USAGE.items()}
