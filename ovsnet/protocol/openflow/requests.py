"""The requests that ask and never change anything, as bytes ready to send.

Each takes the negotiated version and an xid (0 is legal: OVS itself uses it for its probes) that the reply repeats.
All raise UsageError when a number does not fit its field.
"""

from __future__ import annotations

import struct

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow.message import (
    NICIRA,
    ONF,
    MessageType,
    Version,
    barrier_request_type,
    pack_message,
    stats_request_type,
)
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_header

NXT_ROLE_REQUEST = 10
NXT_ROLE_REPLY = 11
NXST_FLOW = 0
NXST_FLOW_MONITOR = 2
NXT_FLOW_MONITOR_CANCEL = 21
ONFST_FLOW_MONITOR = 1870
ONFT_FLOW_MONITOR_CANCEL = 1870

_ANY = 0xFFFF_FFFF
_ALL_TABLES = 0xFF
_ANY_10, _ALL_10 = 0xFFFF, 0xFFFC
_ALL_GROUPS = 0xFFFF_FFFC

_MONITORED = 0b01_1111
"""Flows that there are, that are added, removed and modified, with their instructions. The next bit would have our own
changes in full; we make none, and OVS refuses it since 1.4."""
_MONITOR_ADD, _MONITOR_DELETE = 0, 2


def echo_request(version: int, xid: int, payload: bytes = b"") -> bytes:
    """Ask for ``payload`` back. The switch answers on its main thread, behind all it does there: proof of life."""
    return pack_message(version, MessageType.ECHO_REQUEST, xid, payload)


def barrier_request(version: int, xid: int) -> bytes:
    """Ask for a reply once every request before this one is done."""
    return pack_message(version, barrier_request_type(version), xid)


def features_request(version: int, xid: int) -> bytes:
    """Ask for datapath_id and capabilities, and up to 1.2 the ports."""
    return pack_message(version, MessageType.FEATURES_REQUEST, xid)


def get_config_request(version: int, xid: int) -> bytes:
    """Ask for the fragment flags and miss_send_len of this connection."""
    return pack_message(version, MessageType.GET_CONFIG_REQUEST, xid)


def role_request(version: int, xid: int) -> bytes:
    """Ask for the role of this connection, without changing it.

    Before 1.2 there is only Nicira's extension, which has no "no change": it asks for "other", the role that every
    connection has until it asks for a different one, and nothing here does.
    """
    if version >= Version.OF12:
        return pack_message(version, MessageType.ROLE_REQUEST, xid, struct.pack("!I4xQ", 0, 0))
    body = struct.pack("!III", NICIRA, NXT_ROLE_REQUEST, 0)
    return pack_message(version, MessageType.EXPERIMENTER, xid, body)


def desc_request(version: int, xid: int) -> bytes:
    """Ask who made the switch: manufacturer, hardware, software, serial, description."""
    return _multipart_request(version, xid, MultipartKind.DESC)


def port_desc_request(version: int, xid: int) -> bytes:
    """Ask for all ports. Only 1.5 lets one ask for a single port, and so wants to hear "any"."""
    body = struct.pack("!I4x", _ANY) if version >= Version.OF15 else b""
    return _multipart_request(version, xid, MultipartKind.PORT_DESC, body)


def table_request(version: int, xid: int) -> bytes:
    """Ask for the flow count and the hits of each table: the cheap way to count flows."""
    return _multipart_request(version, xid, MultipartKind.TABLE)


def aggregate_request(version: int, xid: int) -> bytes:
    """Ask for the sums over all flows of all tables. OVS visits each flow on its main thread to answer this."""
    return _multipart_request(version, xid, MultipartKind.AGGREGATE, _every_flow(version))


def flow_request(
    version: int,
    xid: int,
    table: int = _ALL_TABLES,
    out_port: int = _ANY,
    out_group: int = _ANY,
    cookie: int = 0,
    cookie_mask: int = 0,
) -> bytes:
    """Ask for flows: of one table, with an output to one port or group, or with these bits of the cookie.

    1.0 is asked in Nicira's form, which knows no groups and has the cookie as a field of its match; and 1.1, whose
    match no later version has, is not asked. Raises UsageError.
    """
    if version == Version.OF11 or (version == Version.OF10 and out_group != _ANY):
        raise UsageError(
            f"OpenFlow 1.{version - 1} has no such request.", remedy="Let the switch speak OpenFlow 1.3 or later."
        )
    if version == Version.OF10:
        return _nicira_flow_request(xid, table, out_port, cookie, cookie_mask)
    body = _pack("!B3xII4xQQ", table, out_port, out_group, cookie, cookie_mask) + _match_all_oxm()
    return _multipart_request(version, xid, MultipartKind.FLOW, body)


def flow_monitor_request(version: int, xid: int, monitor: int, table: int = _ALL_TABLES, out_port: int = _ANY) -> bytes:
    """Ask for the flows, all, of one table or with an output to one port, and from then on for each change of them.

    ``monitor`` is a number of the caller's, by which it is cancelled.
    """
    if version >= Version.OF14:
        return _monitor_request(version, xid, monitor, table, out_port, _MONITOR_ADD)
    if version == Version.OF13:
        owner = struct.pack("!II", ONF, ONFST_FLOW_MONITOR)
        body = _pack("!IHHIB3x", monitor, _MONITORED, 4, out_port, table) + _match_all_oxm()
    else:
        owner = _nicira_statistics(version, NXST_FLOW_MONITOR)
        body = _pack("!IHHHB5x", monitor, _MONITORED, _ANY_10 if out_port == _ANY else out_port, 0, table)
    return _multipart_request(version, xid, MultipartKind.EXPERIMENTER, owner + body)


def flow_monitor_cancel(version: int, xid: int, monitor: int) -> bytes:
    """Ask for no more changes of flows. Since 1.4 it has an answer, which is empty."""
    if version >= Version.OF14:
        return _monitor_request(version, xid, monitor, _ALL_TABLES, _ANY, _MONITOR_DELETE)
    owner = (ONF, ONFT_FLOW_MONITOR_CANCEL) if version == Version.OF13 else (NICIRA, NXT_FLOW_MONITOR_CANCEL)
    return pack_message(version, MessageType.EXPERIMENTER, xid, _pack("!III", *owner, monitor))


def _monitor_request(version: int, xid: int, monitor: int, table: int, out_port: int, command: int) -> bytes:
    body = _pack("!IIIHBB", monitor, out_port, _ANY, _MONITORED, table, command) + _match_all_oxm()
    return _multipart_request(version, xid, MultipartKind.FLOW_MONITOR, body)


def port_stats_request(version: int, xid: int) -> bytes:
    """Ask for the counters of all ports."""
    body = struct.pack("!H6x", _ANY_10) if version == Version.OF10 else struct.pack("!I4x", _ANY)
    return _multipart_request(version, xid, MultipartKind.PORT, body)


def queue_stats_request(version: int, xid: int) -> bytes:
    """Ask for the counters of all queues of all ports."""
    # 1.0 says "all" with another port than later versions (OVS lib/ofp-queue.c).
    body = struct.pack("!H2xI", _ALL_10, _ANY) if version == Version.OF10 else struct.pack("!II", _ANY, _ANY)
    return _multipart_request(version, xid, MultipartKind.QUEUE, body)


def group_desc_request(version: int, xid: int) -> bytes:
    """Ask what all groups do. Raises UsageError before 1.1."""
    _require(version, Version.OF11)
    body = struct.pack("!I4x", _ALL_GROUPS) if version >= Version.OF15 else b""
    return _multipart_request(version, xid, MultipartKind.GROUP_DESC, body)


def group_stats_request(version: int, xid: int) -> bytes:
    """Ask for the counters of all groups. Raises UsageError before 1.1."""
    _require(version, Version.OF11)
    return _multipart_request(version, xid, MultipartKind.GROUP, struct.pack("!I4x", _ALL_GROUPS))


def meter_config_request(version: int, xid: int) -> bytes:
    """Ask how all meters are set. Raises UsageError before 1.3."""
    return _meter_request(version, xid, MultipartKind.METER_CONFIG)


def meter_stats_request(version: int, xid: int) -> bytes:
    """Ask for the counters of all meters. Raises UsageError before 1.3."""
    return _meter_request(version, xid, MultipartKind.METER)


def meter_features_request(version: int, xid: int) -> bytes:
    """Ask what the switch can meter. Raises UsageError before 1.3."""
    _require(version, Version.OF13)
    return _multipart_request(version, xid, MultipartKind.METER_FEATURES)


def _meter_request(version: int, xid: int, kind: MultipartKind) -> bytes:
    _require(version, Version.OF13)
    return _multipart_request(version, xid, kind, struct.pack("!I4x", _ANY))


def _require(version: int, least: Version) -> None:
    if version < least:
        raise UsageError(
            f"OpenFlow 1.{version - 1} has no such request.", remedy=f"Speak OpenFlow 1.{least - 1} or later."
        )


_NXM_NX_COOKIE = 0x0001_3D10
"""OVS lib/nx-match.c: field 30 of Nicira's class, with a mask, 16 bytes."""


def _nicira_flow_request(xid: int, table: int, out_port: int, cookie: int, cookie_mask: int) -> bytes:
    match = _pack("!IQQ", _NXM_NX_COOKIE, cookie, cookie_mask) if cookie_mask else b""
    port = 0xFFFF if out_port == _ANY else out_port
    body = _nicira_statistics(Version.OF10, NXST_FLOW) + _pack("!HHB3x", port, len(match), table)
    padded = match + bytes(-len(match) % 8)
    return _multipart_request(Version.OF10, xid, MultipartKind.EXPERIMENTER, body + padded)


def _nicira_statistics(version: int, kind: int) -> bytes:
    """What opens statistics of Nicira's: 1.0 pads it."""
    return struct.pack("!II", NICIRA, kind) + (bytes(4) if version == Version.OF10 else b"")


def _pack(layout: str, *numbers: int) -> bytes:
    try:
        return struct.pack(layout, *numbers)
    except struct.error as error:
        raise UsageError(f"No request holds these numbers: {', '.join(map(str, numbers))} ({error}).") from None


def _multipart_request(version: int, xid: int, kind: MultipartKind, body: bytes = b"") -> bytes:
    return pack_message(version, stats_request_type(version), xid, multipart_header(version, kind) + body)


def _every_flow(version: int) -> bytes:
    """The body of an AGGREGATE request that selects every flow: any table, port, group, cookie and match."""
    if version == Version.OF10:
        return _match_all_10() + struct.pack("!BxH", _ALL_TABLES, 0xFFFF)
    match = _match_all_11() if version == Version.OF11 else _match_all_oxm()
    return struct.pack("!B3xII4xQQ", _ALL_TABLES, _ANY, _ANY, 0, 0) + match


def _match_all_10() -> bytes:
    """OVS openflow-1.0.h struct ofp10_match: 40 bytes, every wildcard bit of OFPFW10_ALL set."""
    return struct.pack("!I36x", 0x003F_FFFF)


def _match_all_11() -> bytes:
    """OVS openflow-1.1.h struct ofp11_match: 88 bytes. A set mask bit means "any", and addresses have no other way."""
    wildcards, any_ethernet, any_ip, any_metadata = 0x3FF, b"\xff" * 6, b"\xff" * 4, b"\xff" * 8
    ethernet = bytes(6) + any_ethernet
    ip = bytes(4) + any_ip
    return (
        struct.pack("!HHII", 0, 88, 0, wildcards)
        + ethernet * 2  # dl_src, dl_dst
        + bytes(8)  # dl_vlan, dl_vlan_pcp, pad, dl_type, nw_tos, nw_proto
        + ip * 2  # nw_src, nw_dst
        + bytes(12)  # tp_src, tp_dst, mpls_label, mpls_tc, pad
        + (bytes(8) + any_metadata)
    )


def _match_all_oxm() -> bytes:
    """Type 1 (OXM) of length 4: no field, so every packet; padded to 8 bytes."""
    return struct.pack("!HH4x", 1, 4)
