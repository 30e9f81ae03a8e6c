"""How ovn-controller reaches its bridge over OpenFlow: which version it speaks, and where. Raises nothing."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping

from ovsnet.errors import AddressError
from ovsnet.io.address import Address
from ovsnet.node.clients import tcp_peers
from ovsnet.node.unix_peers import HeldEnds, accepted
from ovsnet.node.version import parse_version

SPEAKS_15 = (20, 6)
"""OVN commit 6ec0b8203 (controller/ofctrl.c, ``ofctrl_init``)."""

READS_REMOTE = (24, 9)
"""OVN commit 3b7da5ac2 (controller/ovn-controller.c, ``br_int_remote_update``)."""


def openflow_of(program: str) -> str:
    """The one version of OpenFlow that such an ovn-controller speaks; empty while its own is not known."""
    version = parse_version(program)
    return "" if version is None else "OpenFlow15" if version >= SPEAKS_15 else "OpenFlow13"


def bridge_remote(ids: Mapping[str, str], program: str, mgmt: str) -> str:
    """``external_ids:ovn-bridge-remote`` where such an ovn-controller heeds it; empty when that is the bridge's own
    socket, the path ``mgmt``."""
    if not (remote := ids.get("ovn-bridge-remote", "")):  # as nearly always, and this is asked each second
        return ""
    version = parse_version(program)
    if version is not None and version < READS_REMOTE:
        return ""
    scheme, _, path = remote.partition(":")
    return "" if scheme == "unix" and os.path.realpath(path) == os.path.realpath(mgmt) else remote


def is_connected(pid: int, remote: str) -> bool | None:
    """Whether a process is connected at this remote; None where that cannot be seen. For a thread."""
    try:
        address = Address.parse(remote)
    except AddressError:
        return False
    if address.scheme == "unix":
        ends = accepted(address.path)
        return None if ends is None else HeldEnds().holds_one(pid, ends)
    peers = tcp_peers(pid)
    return None if peers is None else any(port == address.port and _same(host, address.host) for host, port in peers)


def _same(host: str, wanted: str) -> bool:
    """A name may stand for any address."""
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(wanted)
    except ValueError:
        return True
