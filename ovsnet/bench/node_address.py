"""Where on a node a workload connects."""

from __future__ import annotations

from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.workload import Request
from ovsnet.config import Settings
from ovsnet.errors import SocketMissing, UsageError
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir


def require_one_node(request: Request, address: Address | None) -> None:
    """Raise UsageError when a sandbox and another node are meant at once."""
    if not request.sandbox:
        return
    if address is not None:
        raise UsageError("--address names an existing daemon, but a sandbox was asked for.", remedy="Add --node.")
    if request.shard.of > 1:
        raise UsageError("All shards must load one daemon, but each would have its own sandbox.", remedy="Add --node.")
    require_no_run_directory(request)


def require_no_run_directory(request: Request) -> None:
    """Raise UsageError when a run directory is named and a sandbox is meant."""
    if request.sandbox and (request.settings.rundir or request.settings.ovn_rundir) and not request.named:
        raise UsageError("--rundir names an existing node, but a sandbox was asked for.", remedy="Add --node.")


def address_of(protocol: ProtocolName, settings: Settings, rundir: Rundir) -> Address:
    """Where the daemon of this protocol listens."""
    if protocol == "openflow":
        return rundir.mgmt(settings.bridge[0])
    if protocol == "ovsdb":
        return Address.parse(settings.database) if settings.database else rundir.database
    if sockets := rundir.control_sockets("ovs-vswitchd"):
        return sockets[0]
    raise SocketMissing(f"ovs-vswitchd has no control socket in {rundir.ovs}.")
