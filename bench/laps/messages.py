"""The OpenFlow 1.3 messages that codecs are compared on, as the switch sends them (OpenFlow 1.3.5, section 7.3.5.7)."""

from __future__ import annotations

import struct

VERSION = 4
HELLO = struct.pack("!BBHI", VERSION, 0, 8, 1)
PAYLOAD = b"12345678"
ECHO_REPLY = struct.pack("!BBHI", VERSION, 3, 16, 7) + PAYLOAD
PORTS = 64


def _port(number: int) -> bytes:
    name = f"port{number}".encode()
    return struct.pack("!I4x6s2x16s8I", number, number.to_bytes(6, "big"), name, 0, 4, 0, 0, 0, 0, 0, 0)


def _port_desc() -> bytes:
    body = struct.pack("!HH4x", 13, 0) + b"".join(map(_port, range(1, PORTS + 1)))
    return struct.pack("!BBHI", VERSION, 19, 8 + len(body), 9) + body


PORT_DESC_REPLY = _port_desc()
