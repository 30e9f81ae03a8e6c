"""Patch ports between bridges. Pure.

A bridge's datapath finds the other end of a patch only among the bridges of its own type (ofproto/ofproto-dpif.c,
``ofport_update_peer``). Between two types it carries nothing, and ``Interface.error`` says
"No usable peer", as it does where there is no other end at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from ovsnet.ovsdb.values import Row

KERNEL = "system"
"""The type of a bridge that names none (ofproto/ofproto.c, ``ofproto_normalize_type``)."""


class Patch(msgspec.Struct, frozen=True):
    """One end: a port of ``bridge``, and the name of the port at the other end."""

    name: str
    peer: str
    bridge: str

    @classmethod
    def of(cls, row: Row, bridge: str) -> Self:
        """A row of Interface with its name and options."""
        options = row.get("options")
        peer = options.get("peer", "") if isinstance(options, Mapping) else ""
        return cls(str(row["name"]), str(peer), bridge)


class Apart(msgspec.Struct, frozen=True):
    """Two ends whose bridges have different datapaths."""

    one: Patch
    other: Patch
    types: tuple[str, str]


def kinds(datapaths: Mapping[str, str]) -> Mapping[str, str]:
    """The datapath type of each bridge, none of them empty."""
    return {bridge: kind or KERNEL for bridge, kind in datapaths.items()}


def apart(patches: Iterable[Patch], datapaths: Mapping[str, str]) -> list[Apart]:
    """The pairs of ends that lead to one another, and carry nothing; each pair once."""
    by_name = {each.name: each for each in patches}
    types = kinds(datapaths)
    found = []
    for one in sorted(by_name.values(), key=lambda each: (each.bridge, each.name)):
        other = by_name.get(one.peer)
        if other is None or other.peer != one.name or (other.bridge, other.name) <= (one.bridge, one.name):
            continue
        pair = types.get(one.bridge, ""), types.get(other.bridge, "")
        if all(pair) and pair[0] != pair[1]:
            found.append(Apart(one, other, pair))
    return found
