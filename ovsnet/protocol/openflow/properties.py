"""Lists of what begins with its own length, and of properties: type u16, length u16, padded to 8 bytes.

OpenFlow 1.5.1, section 7.2.1.2 and those of the descriptions; OVS lib/ofp-prop.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ovsnet.protocol.openflow.message import OpenFlowProtocolError, unpack

_LENGTH = struct.Struct("!H")
_HEADER = struct.Struct("!HH")


def records(body: bytes, least: int, what: str) -> Iterator[bytes]:
    """Each record of a list, its length u16 included. Raises OpenFlowProtocolError when one is cut short."""
    start = 0
    while start < len(body):
        (length,) = unpack(_LENGTH, body, what, start)
        if length < least or start + length > len(body):
            raise OpenFlowProtocolError(f"{what} claims {length} bytes, {len(body) - start} are left")
        yield body[start : start + length]
        start += length


def pieces(body: bytes, what: str) -> Iterator[tuple[int, bytes]]:
    """The type of each property, and all of it. Raises OpenFlowProtocolError when one is cut short."""
    start = 0
    while start < len(body):
        kind, length = unpack(_HEADER, body, what, start)
        if length < _HEADER.size or start + length > len(body):
            raise OpenFlowProtocolError(f"{what} claims {length} bytes, {len(body) - start} are left")
        yield kind, body[start : start + length]
        start += length + -length % 8


def properties(body: bytes, what: str) -> Iterator[tuple[int, bytes]]:
    """The type and the value of each property. Raises OpenFlowProtocolError when one is cut short."""
    for kind, whole in pieces(body, what):
        yield kind, whole[_HEADER.size :]
