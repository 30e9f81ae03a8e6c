"""The requests that ask and never change anything, as bytes ready to send.

Each takes the negotiated version and an xid (0 is legal: OVS itself uses it for its probes) that the reply repeats.
All raise UsageError when a number does not fit its field.
"""

from __future__ import annotations

import struct

from ovsnet.protocol.openflow.message import (
    NICIRA,
    MessageType,
    Version,
    barrier_request_type,
    pack_message,
    stats_request_type,
)
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_header

NXT_ROLE_REQUEST = 10
NXT_ROLE_REPLY = 11

_ANY = 0xFFFF_FFFF
_ALL_TABLES = 0xFF


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
