"""What every OpenFlow message has in common: versions, the header, the types that never move.

Header: version u8, type u8, length u16 (with the header), xid u32, in network order
(OpenFlow 1.5.1, section 7.1.1; OVS include/openflow/openflow-common.h, struct ofp_header).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import msgspec

from ovsnet.errors import ProtocolError, UsageError

HEADER = struct.Struct("!BBHI")
MAX_LENGTH = 0xFFFF
MAX_XID = 0xFFFF_FFFF

NICIRA = 0x0000_2320
"""The experimenter whose extensions OVS speaks."""
ONF = 0x4F4E_4600
"""The Open Networking Foundation, which gave parts of later versions to earlier ones as extensions."""


class Version(IntEnum):
    """Wire numbers of the versions of OpenFlow."""

    OF10 = 1
    OF11 = 2
    OF12 = 3
    OF13 = 4
    OF14 = 5
    OF15 = 6


ALL_VERSIONS: frozenset[Version] = frozenset(Version)


class MessageType(IntEnum):
    """The types that have one number in every version. BARRIER and STATS moved after 1.0: see the functions below."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    EXPERIMENTER = 4
    FEATURES_REQUEST = 5
    FEATURES_REPLY = 6
    GET_CONFIG_REQUEST = 7
    GET_CONFIG_REPLY = 8
    SET_CONFIG = 9
    PORT_STATUS = 12
    ROLE_REQUEST = 24
    """Since 1.2; before, an EXPERIMENTER message of Nicira's."""
    ROLE_REPLY = 25


def stats_request_type(version: int) -> int:
    """The type of a STATS (1.0-1.2) or MULTIPART (1.3+) request; the reply's is one more."""
    return 16 if version == Version.OF10 else 18


def barrier_request_type(version: int) -> int:
    """The type of a BARRIER request; the reply's is one more."""
    return 18 if version == Version.OF10 else 20


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message as it came. ``body`` is what follows the 8 bytes of the header.

    A Struct and not a NamedTuple: made in a quarter of the time, and echo replies come by the hundred thousand.
    """

    version: int
    type: int
    xid: int
    body: bytes


class OpenFlowProtocolError(ProtocolError):
    """The switch sent bytes that OpenFlow forbids; the connection they came on is of no further use.

    Its text is a clause that says what was wrong: the caller, which knows the socket, makes the sentence. ``events``
    are those that came before the bad bytes in the same call of ``Connection.receive_data``.
    """

    events: Sequence[object] = ()


class NoCommonVersion(OpenFlowProtocolError):
    """The switch speaks none of the versions that were offered."""

    reason = "no-common-version"
    default_remedy = "Allow a common version in the bridge's protocols column: ovs-vsctl set bridge NAME protocols=..."


def pack_message(version: int, type: int, xid: int, body: bytes = b"") -> bytes:
    """The bytes of one message. Raises UsageError when a number does not fit its field, or the body 65 527 bytes."""
    try:
        return HEADER.pack(version, type, HEADER.size + len(body), xid) + body
    except struct.error:
        raise UsageError(
            f"No OpenFlow message has version {version}, type {type}, xid {xid} and a body of {len(body)} bytes.",
            remedy=f"Keep the xid within 0..{MAX_XID} and the body within {MAX_LENGTH - HEADER.size} bytes.",
        ) from None


def unpack(layout: struct.Struct, body: bytes, what: str, offset: int = 0) -> tuple[Any, ...]:
    """Read ``layout`` at ``offset``. Raises OpenFlowProtocolError when ``body`` ends before it does."""
    if len(body) - offset < layout.size:
        raise OpenFlowProtocolError(f"{what} has {len(body)} bytes of body, {offset + layout.size} are needed")
    return layout.unpack_from(body, offset)


def fixed_text(field: bytes) -> str:
    """Read text padded with NUL. Bytes that are not UTF-8, which the switch does not forbid, are escaped."""
    return field.partition(b"\0")[0].decode(errors="backslashreplace")
