"""Ports, as FEATURES (1.0-1.2) and PORT_DESC report them.

Three layouts: 48 bytes in 1.0, 64 in 1.1-1.3, and since 1.4 a length of its own and properties at the end
(OVS include/openflow/openflow-1.0.h, -1.1.h and -1.4.h, struct ofp_port).
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, Version, fixed_text, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body

LOCAL_10 = 0xFFFE
LOCAL = 0xFFFF_FFFE
"""The number of the bridge's own port since 1.1; 1.0 has 16 bits for it."""

_PORT_10 = struct.Struct("!H6s16sII16x")
_PORT_11 = struct.Struct("!I4x6s2x16sII24x")
_PORT_14 = struct.Struct("!IH2x6s2x16sII")


class Port(msgspec.Struct, frozen=True):
    """One port. ``config`` (OFPPC) is what was set, ``state`` (OFPPS) what is; bit 0 means down in both."""

    number: int
    name: str
    hw_addr: str
    config: int
    state: int

    @property
    def admin_down(self) -> bool:
        """Whether someone took the port down."""
        return bool(self.config & 1)

    @property
    def link_down(self) -> bool:
        """Whether the port has no carrier."""
        return bool(self.state & 1)


def parse_ports(message: Message) -> tuple[Port, ...]:
    """Read a whole PORT_DESC reply. Raises OpenFlowProtocolError when it is not one, or a port is cut short."""
    return read_ports(message.version, multipart_body(message, MultipartKind.PORT_DESC))


def read_ports(version: int, body: bytes) -> tuple[Port, ...]:
    """Read ports, one after the other to the end of ``body``. Raises OpenFlowProtocolError when one is cut short."""
    if version >= Version.OF14:
        return _read_long_ports(body)
    layout = _PORT_10 if version == Version.OF10 else _PORT_11
    if len(body) % layout.size:
        raise OpenFlowProtocolError(f"{len(body)} bytes are not a whole number of ports of {layout.size} bytes")
    return tuple(_port(*fields) for fields in layout.iter_unpack(body))


def _read_long_ports(body: bytes) -> tuple[Port, ...]:
    ports = []
    start = 0
    while start < len(body):
        number, length, *rest = unpack(_PORT_14, body, "a list of ports", start)
        if length < _PORT_14.size or start + length > len(body):
            raise OpenFlowProtocolError(f"port {number} claims a length of {length} bytes")
        ports.append(_port(number, *rest))
        start += length
    return tuple(ports)


def _port(number: int, hw_addr: bytes, name: bytes, config: int, state: int) -> Port:
    return Port(number, fixed_text(name), hw_addr.hex(":"), config, state)
