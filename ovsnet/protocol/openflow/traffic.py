"""What went through ports (PORT) and their queues (QUEUE).

OpenFlow 1.5.1, sections 7.3.5.6 and 7.3.5.10; OVS lib/ofp-port.c, lib/ofp-queue.c. A switch that does not count
something says all ones; that is None here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, Version, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body
from ovsnet.protocol.openflow.properties import properties, records

_UNKNOWN = 0xFFFF_FFFF_FFFF_FFFF

_PORT_10 = struct.Struct("!H6x12Q")
_PORT_11 = struct.Struct("!I4x12Q")
_PORT_13 = struct.Struct("!I4x12QII")
_PORT_14 = struct.Struct("!H2xIII8Q")
_ETHERNET = struct.Struct("!4x4Q")

_QUEUE_10 = struct.Struct("!H2xI3Q")
_QUEUE_11 = struct.Struct("!II3Q")
_QUEUE_13 = struct.Struct("!II3QII")
_QUEUE_14 = struct.Struct("!H6xII3QII")


class PortStats(msgspec.Struct, frozen=True, gc=False):
    """The counters of one port. ``duration`` is None before 1.3."""

    number: int
    rx_packets: int | None
    tx_packets: int | None
    rx_bytes: int | None
    tx_bytes: int | None
    rx_dropped: int | None
    tx_dropped: int | None
    rx_errors: int | None
    tx_errors: int | None
    rx_frame_errors: int | None
    rx_over_errors: int | None
    rx_crc_errors: int | None
    collisions: int | None
    duration: float | None = None


class QueueStats(msgspec.Struct, frozen=True, gc=False):
    """The counters of one queue of a port."""

    port: int
    queue: int
    tx_bytes: int | None
    tx_packets: int | None
    tx_errors: int | None
    duration: float | None = None


def parse_port_stats(message: Message) -> tuple[PortStats, ...]:
    """Read a PORT reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.PORT)
    if message.version >= Version.OF14:
        return tuple(map(_port_14, records(body, _PORT_14.size, "statistics of a port")))
    layout = _PORT_10 if message.version == Version.OF10 else _PORT_11
    layout = _PORT_13 if message.version >= Version.OF13 else layout
    _require_whole(body, layout, "ports")
    return tuple(_port(*fields) for fields in layout.iter_unpack(body))


def parse_queue_stats(message: Message) -> tuple[QueueStats, ...]:
    """Read a QUEUE reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.QUEUE)
    if message.version >= Version.OF14:
        found = records(body, _QUEUE_14.size, "statistics of a queue")
        return tuple(_queue(*unpack(_QUEUE_14, each, "statistics of a queue")[1:]) for each in found)
    layout = _QUEUE_10 if message.version == Version.OF10 else _QUEUE_11
    layout = _QUEUE_13 if message.version >= Version.OF13 else layout
    _require_whole(body, layout, "queues")
    return tuple(_queue(*fields) for fields in layout.iter_unpack(body))


def _require_whole(body: bytes, layout: struct.Struct, what: str) -> None:
    if len(body) % layout.size:
        raise OpenFlowProtocolError(f"{len(body)} bytes are not a whole number of {what} of {layout.size} bytes")


def _known(count: int) -> int | None:
    return None if count == _UNKNOWN else count


def _port(number: int, *fields: int) -> PortStats:
    counters, duration = fields[:12], fields[12:]
    return _port_stats([number, *map(_known, counters), _seconds(*duration) if duration else None])


def _seconds(seconds: int, nanoseconds: int) -> float | None:
    return None if seconds == 0xFFFF_FFFF else seconds + nanoseconds / 1e9


def _port_14(body: bytes) -> PortStats:
    """The errors of Ethernet are a property (type 0), which may be missing."""
    _length, number, seconds, nanoseconds, *counters = unpack(_PORT_14, body, "statistics of a port")
    more: tuple[int | None, ...] = (None,) * 4
    for kind, value in properties(body[_PORT_14.size :], "a property of a port"):
        if kind == 0:
            more = tuple(map(_known, unpack(_ETHERNET, value, "a property of a port")))
    return _port_stats([number, *map(_known, counters), *more, _seconds(seconds, nanoseconds)])


def _port_stats(fields: Sequence[Any]) -> PortStats:
    return PortStats(*fields)


def _queue(port: int, queue: int, octets: int, packets: int, errors: int, *duration: int) -> QueueStats:
    told = _seconds(*duration) if duration else None
    return QueueStats(port, queue, _known(octets), _known(packets), _known(errors), told)
