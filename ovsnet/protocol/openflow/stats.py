"""Statistics: DESC, TABLE and AGGREGATE.

Every function takes a whole reply, as ``Connection`` hands it out, and raises OpenFlowProtocolError when it is of
another kind, cut short or of a length that its version does not have.
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, Version, fixed_text, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body
from ovsnet.protocol.openflow.oxs import read_oxs

_DESC = struct.Struct("!256s256s256s32s256s")
_AGGREGATE = struct.Struct("!QQI4x")
_TABLE = struct.Struct("!B3xIQQ")
_OLD_TABLE: dict[int, struct.Struct] = {
    # Up to 1.2 an entry told name, wildcards and limits too; 1.3 moved those to TABLE_FEATURES.
    Version.OF10: struct.Struct("!B43xIQQ"),
    Version.OF11: struct.Struct("!B67xIQQ"),
    Version.OF12: struct.Struct("!B107xIQQ"),
}

_UNKNOWN_COUNT = 0xFFFF_FFFF_FFFF_FFFF
"""How OVS says "not counted" where the layout leaves no other way."""


class Desc(msgspec.Struct, frozen=True):
    """Who made the switch, in its own words."""

    manufacturer: str
    hardware: str
    software: str
    serial: str
    datapath: str


class TableStats(msgspec.Struct, frozen=True, gc=False):
    """One table: flows in it, packets looked up, packets that matched a flow.

    A Struct, because one reply holds 254 of them: a frozen dataclass costs ten times as much to make.
    """

    table_id: int
    active_count: int
    lookup_count: int
    matched_count: int


class Aggregate(msgspec.Struct, frozen=True):
    """Sums over flows; None where the switch does not count."""

    packet_count: int | None
    byte_count: int | None
    flow_count: int


def parse_desc(message: Message) -> Desc:
    """Read a DESC reply."""
    fields = unpack(_DESC, multipart_body(message, MultipartKind.DESC), "a DESC reply")
    return Desc(*map(fixed_text, fields))


def parse_tables(message: Message) -> tuple[TableStats, ...]:
    """Read a TABLE reply: every table the switch has, empty ones too."""
    body = multipart_body(message, MultipartKind.TABLE)
    layout = _OLD_TABLE.get(message.version, _TABLE)
    if len(body) % layout.size:
        raise OpenFlowProtocolError(f"{len(body)} bytes are not a whole number of tables of {layout.size} bytes")
    return tuple(TableStats(*fields) for fields in layout.iter_unpack(body))


def parse_aggregate(message: Message) -> Aggregate:
    """Read an AGGREGATE reply."""
    body = multipart_body(message, MultipartKind.AGGREGATE)
    if message.version >= Version.OF15:
        return _oxs_aggregate(body)
    packets, octets, flows = unpack(_AGGREGATE, body, "an AGGREGATE reply")
    return Aggregate(_known(packets), _known(octets), flows)


def _known(count: int) -> int | None:
    return None if count == _UNKNOWN_COUNT else count


def _oxs_aggregate(body: bytes) -> Aggregate:
    found, _ = read_oxs(body, 0, len(body))
    if found.flow_count is None:
        raise OpenFlowProtocolError("an AGGREGATE reply has no flow count")
    return Aggregate(found.packet_count, found.byte_count, found.flow_count)
