"""By which name ovn-controller registers this node, and which bridge it uses."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.chassis import SYSTEM_ID_OVERRIDE, bridge_of, chassis_name
from ovsnet.node.host_files import Host
from ovsnet.node.node import Node
from ovsnet.node.process import command_line


def chassis_seen(node: Node) -> str | None:
    """The name of this node's chassis as ovn-controller's process has it; empty when it has none. None when that
    cannot be seen, or no process runs."""
    process = node.daemons["ovn-controller"].process()
    return None if process is None else chassis_of_process(process.pid, node.external_ids)


def chassis_of_process(pid: int, ids: Mapping[str, str]) -> str | None:
    """The name that this ovn-controller has, where ``ids`` are ``external_ids``; None when that cannot be seen."""
    words = command_line(pid)
    try:
        override = Host(f"/proc/{pid}/root").read(SYSTEM_ID_OVERRIDE) or ""
    except UnfitEnvironment:
        return chassis_name({}, words) or None
    return chassis_name(ids, words, override)


def chassis_of(node: Node) -> str:
    """The name of this node's chassis; empty when it has none. That of the database where the process cannot be
    seen."""
    seen = chassis_seen(node)
    return chassis_name(node.external_ids) if seen is None else seen


def bridge_used(node: Node) -> str:
    """The bridge of ovn-controller, as it is configured. The chassis' name is looked for where it counts alone."""
    ids = node.external_ids
    by_name = any(key.startswith("ovn-bridge-") and key not in OTHERS for key in ids)
    return bridge_of(ids, chassis_of(node) if by_name else "")


OTHERS = frozenset(
    ("ovn-bridge-mappings", "ovn-bridge-datapath-type", "ovn-bridge-remote", "ovn-bridge-remote-probe-interval")
)
"""Settings whose names only look like that of a bridge for one chassis (ovn-controller(8))."""
