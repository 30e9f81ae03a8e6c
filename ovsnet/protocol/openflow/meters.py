"""Meters: how they are set (METER_CONFIG), what went through them (METER), what the switch can do. Since 1.3.

OpenFlow 1.5.1, sections 7.3.5.12 to 7.3.5.14; OVS lib/ofp-meter.c.
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body
from ovsnet.protocol.openflow.properties import pieces, records

_CONFIG = struct.Struct("!HHI")
_BAND = struct.Struct("!HHII")
_REMARK = struct.Struct("!B3x")
_STATS = struct.Struct("!IH6xIQQII")
_COUNTERS = struct.Struct("!QQ")
_FEATURES = struct.Struct("!IIIBB2x")

_FLAGS = {1: "kbps", 2: "pktps", 4: "burst", 8: "stats"}
_BURST = 4
_BANDS = {1: "drop", 2: "dscp_remark"}
_VIRTUAL = {0xFFFF_FFFD: "slowpath", 0xFFFF_FFFE: "controller", 0xFFFF_FFFF: "all"}


class Band(msgspec.Struct, frozen=True):
    """What happens above a rate. ``prec_level`` is for ``dscp_remark`` alone."""

    type: str
    rate: int
    burst_size: int
    prec_level: int | None = None


class Meter(msgspec.Struct, frozen=True):
    """One meter; ``str`` is what ovs-ofctl dump-meters prints, in one line."""

    meter_id: int
    flags: tuple[str, ...]
    bands: tuple[Band, ...]

    def __str__(self) -> str:
        name = _VIRTUAL.get(self.meter_id, str(self.meter_id))
        return " ".join([f"meter={name}", *self.flags, "bands=", *map(self._band, self.bands)])

    def _band(self, band: Band) -> str:
        burst = f" burst_size={band.burst_size}" if _FLAGS[_BURST] in self.flags else ""
        level = "" if band.prec_level is None else f" prec_level={band.prec_level}"
        return f"type={band.type} rate={band.rate}{burst}{level}"


class MeterStats(msgspec.Struct, frozen=True):
    """What went into a meter, and packets and bytes of each of its bands."""

    meter_id: int
    flow_count: int
    packet_count: int
    byte_count: int
    duration: float
    bands: tuple[tuple[int, int], ...]


class MeterFeatures(msgspec.Struct, frozen=True):
    """What the switch can meter; ``band_types`` and ``capabilities`` are bits."""

    max_meter: int
    band_types: int
    capabilities: int
    max_bands: int
    max_color: int


def parse_meters(message: Message) -> tuple[Meter, ...]:
    """Read a METER_CONFIG reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.METER_CONFIG)
    return tuple(_meter(piece) for piece in records(body, _CONFIG.size, "a meter"))


def parse_meter_stats(message: Message) -> tuple[MeterStats, ...]:
    """Read a METER reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.METER)
    found = []
    start = 0
    while start < len(body):
        meter_id, length, flows, packets, octets, seconds, nanoseconds = unpack(_STATS, body, "a meter", start)
        end, begin = start + length, start + _STATS.size
        if end < begin or end > len(body) or (end - begin) % _COUNTERS.size:
            raise OpenFlowProtocolError(f"statistics of meter {meter_id} claim {length} bytes")
        bands = tuple(_COUNTERS.iter_unpack(body[begin:end]))
        found.append(MeterStats(meter_id, flows, packets, octets, seconds + nanoseconds / 1e9, bands))
        start = end
    return tuple(found)


def parse_meter_features(message: Message) -> MeterFeatures:
    """Read a METER_FEATURES reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.METER_FEATURES)
    return MeterFeatures(*unpack(_FEATURES, body, "a METER_FEATURES reply"))


def _meter(body: bytes) -> Meter:
    _length, flags, meter_id = unpack(_CONFIG, body, "a meter")
    names = tuple(name for bit, name in _FLAGS.items() if flags & bit)
    return Meter(meter_id, names, tuple(_band(whole) for _, whole in pieces(body[_CONFIG.size :], "a band")))


def _band(whole: bytes) -> Band:
    kind, _length, rate, burst_size = unpack(_BAND, whole, "a band")
    level = unpack(_REMARK, whole, "a band", _BAND.size)[0] if _BANDS.get(kind) == "dscp_remark" else None
    return Band(_BANDS.get(kind, str(kind)), rate, burst_size, level)
