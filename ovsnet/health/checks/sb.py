"""The southbound database, where a server of it runs on this host."""

from __future__ import annotations

from ovsnet.health.checks import central
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.ovsdb import storage_of
from ovsnet.health.checks.result import Answer
from ovsnet.node.components import SB, Socket
from ovsnet.node.node import Node


@check("sb.echo", daemon=SB.daemon, socket=Socket.DATABASE, every=5)
async def echo(node: Node) -> Answer:
    """This host's server of the southbound answers an echo."""
    return await central.echo_of(node, SB)


@check("sb.cluster", daemon=SB.daemon, socket=Socket.CONTROL, needs=("sb.echo",), every=10, phase=0.5)
async def cluster(node: Node) -> Answer:
    """This host's server of the southbound is in its cluster, which is whole and keeps its leader."""
    return await central.cluster_of(node, SB)


@check("sb.storage", daemon=SB.daemon, needs=("sb.echo",), every=10)
async def storage(node: Node) -> Answer:
    """The file system of the southbound database takes changes."""
    return await storage_of(node, SB.daemon, clustered=node.served[SB.daemon].held().clustered)
