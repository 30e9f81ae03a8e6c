"""The chassis that keep the whole network's state behind what the southbound holds.

ovn-northd has ``hv_cfg`` of NB_Global follow the lowest ``nb_cfg`` of all rows of Chassis_Private, but for chassis of
other zones (northd/ovn-northd.c, ``update_sequence_numbers``). So the rows with that very number are those to look at:
few, where a look at all would be one at each chassis of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from ovsnet.node.served import Served
from ovsnet.ovsdb.smap import smap_bool

MOST = 16
"""Chassis that are looked up by name. One is reported."""


class Laggard(msgspec.Struct, frozen=True):
    """``host`` is empty when its chassis is not registered, and only what it left is there. ``applied_at`` is when it
    came as far as it has, in seconds since 1970; None when it never said."""

    chassis: str
    host: str
    registered: bool
    applied_at: float | None


async def laggards(southbound: Served, applied: int, *, timeout: float) -> list[Laggard]:
    """Those that have applied the state ``applied``, the one that came there first in front. Empty in a southbound from
    before OVN 20.09, which does not say."""
    if "Chassis_Private" not in (await southbound.get_schema(southbound.database, timeout=timeout)).tables:
        return []
    columns = ("name", "nb_cfg_timestamp")
    rows = await southbound.rows("Chassis_Private", columns, [("nb_cfg", "==", applied)], timeout=timeout)
    rows.sort(key=lambda row: cast("int", row.get("nb_cfg_timestamp") or 0))
    found = [await _laggard(southbound, row, timeout) for row in rows[:MOST]]
    return [each for each in found if each is not None]


async def _laggard(southbound: Served, row: Mapping[str, object], timeout: float) -> Laggard | None:
    """None for a chassis of another zone."""
    name, milliseconds = str(row["name"]), cast("int", row.get("nb_cfg_timestamp") or 0)
    chassis = await southbound.rows("Chassis", ("hostname", "other_config"), [("name", "==", name)], timeout=timeout)
    known: Mapping[str, object] = chassis[0] if chassis else {}
    if smap_bool(cast("Mapping[str, str]", known.get("other_config") or {}), "is-remote"):
        return None
    return Laggard(
        chassis=name,
        host=str(known.get("hostname") or ""),
        registered=bool(chassis),
        applied_at=milliseconds / 1000 if milliseconds > 0 else None,
    )
