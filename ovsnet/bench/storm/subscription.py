"""What a chassis monitors of the southbound, as ovn-controller composes it. Pure.

See controller/ovn-controller.c, ``update_sb_monitors``: tables that grow with the whole network are asked for the
chassis' own datapaths only, all others as a whole; columns that it does not read are left out (``main``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ovsnet.bench.storm.conversation import Subscription

_BY_DATAPATH = {
    "Port_Binding": ("datapath", "=="),
    "Logical_Flow": ("logical_datapath", "=="),
    "MAC_Binding": ("datapath", "=="),
    "Multicast_Group": ("datapath", "=="),
    "DNS": ("datapaths", "includes"),
    "IP_Multicast": ("datapath", "=="),
    "ECMP_Nexthop": ("datapath", "=="),
    "Advertised_Route": ("datapath", "=="),
    "Advertised_MAC_Binding": ("datapath", "=="),
}
"""Column and function by which rows are chosen (RFC 7047 section 5.1, <condition>)."""

_NEVER = ("FDB", "Controller_Event", "IGMP_Group", "Chassis_Template_Var")
"""By datapath key or by chassis: a chassis without traffic has none."""

_GATEWAY_PORTS = ("patch", "chassisredirect", "external", "l2gateway", "l3gateway")
"""Seen by every chassis, whatever it hosts."""

_OMITTED = {
    "SB_Global": ("external_ids",),
    "Logical_Flow": ("external_ids",),
    "Port_Binding": ("external_ids",),
    "SSL": ("external_ids",),
    "Connection": (
        *("external_ids", "inactivity_probe", "is_connected", "max_backoff", "other_config", "read_only", "role"),
        *("status", "target"),
    ),
}


def subscribe(tables: Mapping[str, Sequence[str]], datapath: str | None, *, monitor_all: bool = False) -> Subscription:
    """The monitor of a chassis with ports on ``datapath`` (a UUID). ``tables`` are those of the server's schema, with
    their columns; ``monitor_all`` is ``ovn-monitor-all``."""
    first = {} if monitor_all else _conditions(tables, None)
    again = {} if monitor_all else _conditions(tables, datapath)
    return Subscription(
        first=_raw({table: [_request(table, columns, first)] for table, columns in tables.items()}),
        change=_raw({table: [{"where": where}] for table, where in again.items() if where != first[table]}),
        again=_raw({table: [_request(table, columns, again)] for table, columns in tables.items()}),
    )


def _conditions(tables: Mapping[str, Sequence[str]], datapath: str | None) -> dict[str, list[Any]]:
    conditions: dict[str, list[Any]] = {}
    for table in tables:
        if table in _NEVER:
            conditions[table] = [False]
        elif table in _BY_DATAPATH:
            chosen: list[Any] = [["type", "==", kind] for kind in _GATEWAY_PORTS] if table == "Port_Binding" else []
            if datapath is not None:
                column, function = _BY_DATAPATH[table]
                chosen.append([column, function, ["uuid", datapath]])
            conditions[table] = chosen or [False]
    if datapath is not None and "logical_dp_group" in tables.get("Logical_Flow", ()):
        conditions["Logical_Flow"].append(["logical_dp_group", "!=", ["set", []]])
    return conditions


def _request(table: str, columns: Sequence[str], conditions: Mapping[str, list[Any]]) -> dict[str, Any]:
    wanted = sorted(set(columns) - set(_OMITTED.get(table, ())))
    return {"columns": wanted} | ({"where": conditions[table]} if table in conditions else {})


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
