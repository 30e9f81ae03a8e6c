"""How ``ovsnet openflow`` writes what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ovsnet.openflow import Flow, FlowChange, FlowChanges, Port, PortStats, TableStats


def flow_document(flow: Flow) -> Mapping[str, Any]:
    """A flow for scripts: the texts of ovs-ofctl, and each part by its name."""
    counted = {
        "duration_seconds": round(flow.duration, 3),
        "packets": flow.packet_count,
        "bytes": flow.byte_count,
        "importance": flow.importance,
        "flags": list(flow.flag_names),
    }
    return _rule_document(flow) | counted


def _rule_document(flow: Flow) -> dict[str, Any]:
    return {
        "table": flow.table_id,
        "priority": flow.priority,
        "cookie": f"{flow.cookie:#x}",
        "idle_timeout": flow.idle_timeout,
        "hard_timeout": flow.hard_timeout,
        "match": {entry.name: entry.text for entry in flow.match},
        "actions": [{"name": each.name, **msgspec.to_builtins(each.arguments)} for each in flow.actions],
        "text": flow.rule,
    }


def changes_document(changes: FlowChanges) -> Mapping[str, Any]:
    """Changes of flows for scripts."""
    found = [{"change": each.change, "reason": each.reason, "flow": _rule_document(each.flow)} for each in changes]
    return {"complete": changes.complete, "changes": found}


_SIGNS = {"initial": "+", "added": "+", "modified": "~", "removed": "-"}


def change_line(change: FlowChange) -> str:
    """A change of a flow in one line."""
    return f"{_SIGNS[change.change]} {change.flow.rule}"


def port_line(port: Port, stats: PortStats | None) -> str:
    """A port in one line."""
    state = "down" if port.admin_down else "no-link" if port.link_down else "up"
    line = f"{_port_name(port.number):>5} {port.name:<16} {port.hw_addr} {state:<8}"
    if stats is None:
        return line.rstrip()
    counts = {"rx": stats.rx_packets, "tx": stats.tx_packets, "dropped": stats.rx_dropped, "errors": stats.rx_errors}
    return line + " ".join(f"{name}={'?' if count is None else count}" for name, count in counts.items())


def _port_name(number: int) -> str:
    return "LOCAL" if number & 0xFFFF == 0xFFFE else str(number)


def table_line(table: TableStats) -> str:
    """A table in one line."""
    return (
        f"table {table.table_id}: flows={table.active_count} lookups={table.lookup_count} matched={table.matched_count}"
    )
