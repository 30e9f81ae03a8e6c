"""By which name ovn-controller registers this node, and which bridge it uses."""

from __future__ import annotations

from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.chassis import bridge_of, chassis_name
from ovsnet.node.host_files import Host
from ovsnet.node.node import Node
from ovsnet.node.process import command_line

SYSTEM_ID_OVERRIDE = Path("/etc/ovn/system-id-override")
"""Its first line takes precedence over external_ids:system-id (controller/ovn-controller.c, ``get_file_system_id``)."""


def chassis_of(node: Node) -> str:
    """The name of this node's chassis; empty when it has none."""
    process = node.daemons["ovn-controller"].process()
    if process is None:
        return chassis_name(node.external_ids)
    try:
        override = Host(f"/proc/{process.pid}/root").read(SYSTEM_ID_OVERRIDE) or ""
    except UnfitEnvironment:
        override = ""
    return chassis_name(node.external_ids, command_line(process.pid), override)


def bridge_used(node: Node) -> str:
    """The bridge of ovn-controller, as it is configured. The chassis' name is looked for where it counts alone."""
    ids = node.external_ids
    by_name = any(key.startswith("ovn-bridge-") and key not in OTHERS for key in ids)
    return bridge_of(ids, chassis_of(node) if by_name else "")


OTHERS = frozenset(
    ("ovn-bridge-mappings", "ovn-bridge-datapath-type", "ovn-bridge-remote", "ovn-bridge-remote-probe-interval")
)
"""Settings whose names only look like that of a bridge for one chassis (ovn-controller(8))."""
