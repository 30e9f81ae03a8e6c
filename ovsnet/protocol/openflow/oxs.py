"""OXS: how 1.5 writes the statistics of flows (OpenFlow 1.5.1, section 7.2.4; OVS lib/ox-stat.c).

A list: reserved u16, length u16 with this header and without the padding to 8 bytes. An entry: class u16, number u7 and
a reserved bit, length u8.
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.message import OpenFlowProtocolError, unpack

_LIST = struct.Struct("!HH")
_ENTRY = struct.Struct("!HBB")
_TIME = struct.Struct("!II")
_BASIC = 0x8002


class Oxs(msgspec.Struct):
    """What a list told; None where it did not."""

    duration: tuple[int, int] | None = None
    """Seconds and nanoseconds, as ``idle_time``."""
    idle_time: tuple[int, int] | None = None
    flow_count: int | None = None
    packet_count: int | None = None
    byte_count: int | None = None


def read_oxs(body: bytes, start: int, end: int) -> tuple[Oxs, int]:
    """The list at ``start``, and where its padding ends. Other classes than the basic one are passed over.

    Raises OpenFlowProtocolError when it does not end before ``end``.
    """
    sent = body[start:end]
    _reserved, length = unpack(_LIST, sent, "a list of statistics")
    if length < _LIST.size or length > len(sent):
        raise OpenFlowProtocolError(f"a list of statistics claims {length} bytes, {len(sent)} came")
    found = Oxs()
    entries, at = sent[:length], _LIST.size
    while at < length:
        oxs_class, field, size = unpack(_ENTRY, entries, "a list of statistics", at)
        at += _ENTRY.size + size
        if at > length:
            raise OpenFlowProtocolError(f"statistic {field >> 1} of {size} bytes ends after its list")
        if oxs_class == _BASIC:
            _take(found, field >> 1, entries[at - size : at])
    return found, start + length + -length % 8


def _take(found: Oxs, field: int, value: bytes) -> None:
    match field:
        case 0:
            found.duration = _time(value)
        case 1:
            found.idle_time = _time(value)
        case 3:
            found.flow_count = int.from_bytes(value)
        case 4:
            found.packet_count = int.from_bytes(value)
        case 5:
            found.byte_count = int.from_bytes(value)


def _time(value: bytes) -> tuple[int, int]:
    seconds, nanoseconds = unpack(_TIME, value, "a time of statistics")
    return seconds, nanoseconds
