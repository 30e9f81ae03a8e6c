"""Print bridges with their ports and interfaces, as of one moment.

python examples/bridge_inventory.py unix:/run/openvswitch/db.sock
"""

from __future__ import annotations

import asyncio
import sys

from ovsnet import ovsdb


async def inventory(remote: str) -> list[str]:
    """Lines, a level of indentation for each level of the switch."""
    async with ovsdb.connect(remote) as session, session["Open_vSwitch"].transaction() as t:
        bridges = t.select("Bridge", columns=["name", "datapath_type", "ports"])
        ports = t.select("Port", columns=["_uuid", "name", "tag", "interfaces"])
        interfaces = t.select("Interface", columns=["_uuid", "name", "type", "ofport"])
    port_of = {row["_uuid"]: row for row in ports.rows}
    interface_of = {row["_uuid"]: row for row in interfaces.rows}
    lines = []
    for bridge in sorted(bridges.rows, key=_name):
        lines.append(f"{bridge['name']} ({bridge['datapath_type'] or 'system'})")
        for port in sorted((port_of[uuid] for uuid in bridge["ports"]), key=_name):
            lines.append(f"    {port['name']}" + ("" if port["tag"] is None else f" tag {port['tag']}"))
            lines += [f"        {_shown(interface_of[uuid])}" for uuid in port["interfaces"]]
    return lines


def _name(row: ovsdb.Row) -> str:
    return str(row["name"])


def _shown(interface: ovsdb.Row) -> str:
    return f"{interface['name']} type {interface['type'] or 'system'} ofport {interface['ofport']}"


if __name__ == "__main__":
    print("\n".join(asyncio.run(inventory(sys.argv[1]))))
