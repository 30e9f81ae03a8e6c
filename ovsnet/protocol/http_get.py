"""One GET and its answer, sans-IO: enough to ask our own agent, and no more.

The agent always sends a Content-Length (RFC 9112 section 6.3), so neither chunks nor the end of the stream need be
understood.
"""

from __future__ import annotations

import msgspec

from ovsnet.errors import ConnectionLost, ProtocolError

MAX_HEAD = 16 << 10
MAX_BODY = 16 << 20
"""Bytes. A status document has a few KiB."""


class Response(msgspec.Struct, frozen=True):
    """The agent's answer."""

    status: int
    body: bytes


class Get:
    """``GET path`` on one connection."""

    def __init__(self, path: str) -> None:
        self._outgoing = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        self._received = bytearray()

    def data_to_send(self) -> bytes:
        """The request, once."""
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    def receive_data(self, data: bytes) -> list[Response]:
        """The answer, when it is whole. Raises ProtocolError."""
        self._received += data
        head, found, body = bytes(self._received).partition(b"\r\n\r\n")
        if not found:
            if len(head) > MAX_HEAD:
                raise ProtocolError("The answer's head does not end: this is not an ovsnet agent.")
            return []
        status, length = _read_head(head)
        return [Response(status, body[:length])] if len(body) >= length else []

    def eof_received(self) -> None:
        """Raises ConnectionLost: the answer was not whole."""
        raise ConnectionLost("The agent closed the connection before its answer was whole.")


def _read_head(head: bytes) -> tuple[int, int]:
    """The status code and the length of the body. Raises ProtocolError."""
    first, *fields = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest.partition(" ")[0]
    named = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    length = named.get("content-length", "")
    if not version.startswith("HTTP/1.") or not _is_number(code) or not _is_number(length) or int(length) > MAX_BODY:
        raise ProtocolError("The answer is not HTTP as an ovsnet agent sends it.")
    return int(code), int(length)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
