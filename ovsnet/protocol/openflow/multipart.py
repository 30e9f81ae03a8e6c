"""Multipart: one reply that comes in several messages (STATS in 1.0-1.2).

After the header come kind u16, flags u16 and, since 1.1, four bytes of padding. Flag bit 0 says MORE follow with the
same xid (OpenFlow 1.5.1, section 7.3.5; OVS lib/ofp-msgs.c ofpmp_assembler_execute). A joined reply looks as if it had
come in one message: the header of the first part with the flags of the last, then the bodies of all of them.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, Version, stats_request_type, unpack

DEFAULT_MAX_MULTIPART_BYTES = 16 * 1024 * 1024
"""The longest reply to a request made here is PORT_DESC: 65 279 ports of 72 bytes are 4.7 MB."""

MAX_UNFINISHED_REPLIES = 1024
"""A part may be only 16 bytes, and each unfinished reply costs far more than that: bound their number too."""

_MORE = 1
_OPENING = struct.Struct("!HH")


class MultipartKind(IntEnum):
    """What a multipart message is about. The numbers are the same in every version."""

    DESC = 0
    FLOW = 1
    AGGREGATE = 2
    TABLE = 3
    PORT = 4
    QUEUE = 5
    GROUP = 6
    GROUP_DESC = 7
    GROUP_FEATURES = 8
    METER = 9
    METER_CONFIG = 10
    METER_FEATURES = 11
    TABLE_FEATURES = 12
    PORT_DESC = 13
    """Since 1.3; OVS answers it in every version."""
    TABLE_DESC = 14
    FLOW_MONITOR = 16
    CONTROLLER_STATUS = 18
    """Since 1.5."""
    EXPERIMENTER = 0xFFFF


def multipart_header_size(version: int) -> int:
    """How many bytes precede a part's own body, after the 8 of the message header."""
    return 4 if version == Version.OF10 else 8


def multipart_header(version: int, kind: int) -> bytes:
    """The opening of the body of a request or of a reply's last part."""
    return _OPENING.pack(kind, 0).ljust(multipart_header_size(version), b"\0")


def multipart_body(message: Message, kind: MultipartKind) -> bytes:
    """Strip the multipart header of a whole reply. Raises OpenFlowProtocolError when it is not a reply of that kind."""
    if message.type != stats_request_type(message.version) + 1:
        raise OpenFlowProtocolError(f"{kind.name} was asked for and a message of type {message.type} came")
    found, _flags = unpack(_OPENING, message.body, "a multipart reply")
    if found != kind:
        raise OpenFlowProtocolError(f"{kind.name} was asked for and a multipart reply of kind {found} came")
    return message.body[multipart_header_size(message.version) :]


def is_last_part(message: Message) -> bool:
    """Whether no more parts of this multipart reply follow. Raises OpenFlowProtocolError when it is too short."""
    _kind, flags = unpack(_OPENING, message.body, "a multipart reply")
    return not flags & _MORE


class Joiner:
    """The unfinished multipart replies of one connection, of ``max_bytes`` all together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._unfinished: dict[int, bytearray] = {}

    def __len__(self) -> int:
        return len(self._unfinished)

    def add(self, part: Message) -> Message | None:
        """The whole reply that ``part`` completes, or None.

        Experimenter replies pass part by part: each part repeats a header whose length only the experimenter knows. So
        do changes of flows, which are not an answer that ends.
        Raises OpenFlowProtocolError for a part that is too short, of another kind than the first, or past the bounds.
        """
        size = multipart_header_size(part.version)
        if len(part.body) < size:
            raise OpenFlowProtocolError(f"a multipart reply has {len(part.body)} bytes of body, {size} are needed")
        kind, flags = _OPENING.unpack_from(part.body)
        if kind in (MultipartKind.EXPERIMENTER, MultipartKind.FLOW_MONITOR):
            return part
        more = bool(flags & _MORE)
        if part.xid in self._unfinished:
            self._continue(part, size)
            return None if more else self._finish(part)
        if not more:
            return part
        self._begin(part)
        return None

    def _begin(self, part: Message) -> None:
        if len(self._unfinished) >= MAX_UNFINISHED_REPLIES:
            raise OpenFlowProtocolError(f"more than {MAX_UNFINISHED_REPLIES} multipart replies are unfinished")
        self._unfinished[part.xid] = bytearray(part.body)
        self._hold(len(part.body))

    def _continue(self, part: Message, header_size: int) -> None:
        joined = self._unfinished[part.xid]
        if joined[:2] != part.body[:2]:
            raise OpenFlowProtocolError(f"the parts of the multipart reply {part.xid:#x} are of different kinds")
        joined += part.body[header_size:]
        joined[2:4] = part.body[2:4]
        self._hold(len(part.body) - header_size)

    def _hold(self, count: int) -> None:
        self._held_bytes += count
        if self._held_bytes > self._max_bytes:
            raise OpenFlowProtocolError(f"unfinished multipart replies hold more than {self._max_bytes} bytes")

    def _finish(self, last: Message) -> Message:
        body = bytes(self._unfinished.pop(last.xid))
        self._held_bytes -= len(body)
        return Message(last.version, last.type, last.xid, body)
