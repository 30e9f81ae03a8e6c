"""JSON objects out of a byte stream that nothing delimits.

OVSDB and unixctl write one object after the other, with or without white space between (RFC 7047 section 4, OVS
lib/jsonrpc.c). Where an object ends is for the reader to find, and a first snapshot of a database is tens of megabytes
long, so nothing may be read again from its start.

1. An object ends with ``}`` and the next one begins with ``{``. Inside an object that sequence occurs only in strings.
   So the stream is cut into *pieces* after each ``}`` before a ``{``, and at the end of each chunk: an object ends
   where a piece ends, or the peer sent something between two objects.
2. A piece that begins an object is first offered to msgspec as a whole. This settles most messages, in 0.1-0.3 us.
3. Every other piece is scanned once, and its nesting is carried over to the next one. Each byte is thus looked at a
   fixed number of times, however the stream was cut into chunks.
4. What is long already is cut once more in each chunk, where a member ends, to be handed over as a ``LongObject``.

A complete text need not be valid JSON: that is for the decoder to say. It must not be asked whether a text is complete
either: msgspec calls a lone surrogate, ``{"a":"\\ud834"}``, truncated, and a reader that waits for the rest waits
forever.
"""

from __future__ import annotations

import re
from array import array
from itertools import accumulate
from typing import NoReturn

import msgspec

from ovsnet.errors import ConnectionLost, ProtocolError, ProtocolFlood
from ovsnet.protocol.long_object import LONG, MEMBERS, NEXT_MEMBER, Cuts, LongObject

MAX_BYTES = 256 << 20
"""Bytes in one object: seven times a southbound database of 100 000 rows."""

MAX_DEPTH = 1000
"""Objects inside objects, as in OVS (python/ovs/json.py, ``MAX_HEIGHT``)."""

_WHITE_SPACE = b" \t\r\n"
_OPEN, _CLOSE = b"{}"
_BOUNDARY = re.compile(rb"\}[ \t\r\n]*+\{")
# Leaves of a piece only what decides its nesting, as numbers to add up: +1 and, in two's complement, -1.
_STEPS = bytes.maketrans(b"{}", b"\x01\xff")
_IRRELEVANT = bytes(byte for byte in range(256) if byte not in b'"{}')
_skip_one_value = msgspec.json.Decoder(msgspec.Raw).decode


class JsonStream:
    """Cuts a byte stream into the texts of its JSON objects.

    ``max_bytes`` bounds one object, and with it what is kept: never more than ``max_bytes`` and one chunk.
    ``max_depth`` bounds objects inside objects; arrays are left to the decoder. Once a ProtocolError was raised, every
    later call raises it again.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._pending = bytearray()
        self._nesting = _Nesting(max_depth)
        self._cuts = Cuts()
        self._failure: ProtocolError | None = None

    @property
    def pending_bytes(self) -> int:
        """Bytes of the object that has begun and is not complete. It grows while a long answer arrives."""
        return len(self._pending)

    def receive_data(self, data: bytes) -> list[bytes | LongObject]:
        """Return the texts of the objects that ``data`` completes, in order, undecoded and without white space around.
        A long one in which something repeats comes taken apart.

        Raises ProtocolError for an object too large or nested too deep, and for anything between objects. What the
        same chunk completed before is then lost, as it is when a connection breaks.
        """
        self._raise_again()
        try:
            return self._cut(data)
        except ProtocolError as error:
            self._failure = error
            self._pending.clear()
            raise

    def eof_received(self) -> None:
        """Raise ConnectionLost if the stream ended inside an object: of that object nothing was handed over."""
        self._raise_again()
        if self._pending:
            raise ConnectionLost(
                f"The peer closed the connection inside a message, {len(self._pending)} bytes into it.",
                remedy="The daemon ended while it was writing: see its log.",
            )

    def _raise_again(self) -> None:
        if self._failure is not None:
            # A new object: one that is raised again and again grows its traceback each time.
            raise type(self._failure)(str(self._failure), remedy=self._failure.remedy)

    def _cut(self, data: bytes) -> list[bytes | LongObject]:
        texts = []
        start = 0
        while start < len(data):
            boundary = _BOUNDARY.search(data, start)
            end = boundary.start() + 1 if boundary else len(data)
            member = data.rfind(NEXT_MEMBER, start, end) + 1 if len(self._pending) > LONG else 0
            if text := self._take(data[start : member or end]):
                texts.append(text)
            elif member and self._nesting.at_depth(MEMBERS):
                self._cuts.may_cut(len(self._pending), same_object=self._nesting.lowest >= MEMBERS)
                self._nesting.lowest = MEMBERS
            start = member or end
        return texts

    def _take(self, piece: bytes) -> bytes | LongObject:
        """Return the text that ``piece`` completes, or nothing."""
        if not self._pending:
            piece = piece.lstrip(_WHITE_SPACE)
            if not piece:
                return b""
            if piece[0] != _OPEN:
                _refuse_garbage(piece)
        complete = (not self._pending and self._is_object(piece)) or self._nesting.ends_with(piece)
        if complete:
            piece = piece.rstrip(_WHITE_SPACE)
        if len(self._pending) + len(piece) > self._max_bytes:
            raise ProtocolFlood(
                f"The peer sent a message of more than {self._max_bytes} bytes.",
                remedy="Ask for fewer tables or columns, or raise max_bytes.",
            )
        if complete and not self._pending:
            return piece
        self._pending += piece
        if not complete:
            return b""
        text, self._pending = self._pending, bytearray()
        return self._cuts.take_apart(text) or bytes(text)

    def _is_object(self, piece: bytes) -> bool:
        """Whether ``piece`` surely is one whole object. False says nothing."""
        # Python's own limit on recursion differs between its versions: max_depth must hold before it does.
        if piece[-1] != _CLOSE or piece.count(b"{") > self._max_depth:
            return False
        try:
            _skip_one_value(piece)
        except (ValueError, msgspec.MsgspecError, RecursionError):
            return False
        return True


class _Nesting:
    """How deep in objects, and whether in a string, the end of the last piece lies."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self.lowest = 0
        """The lowest depth since it was set."""
        self._depth = 0
        self._in_string = False
        self._after_backslash = False

    def at_depth(self, depth: int) -> bool:
        """Whether the last piece ended in an object of that depth, and not in a string."""
        return self._depth == depth and not self._in_string

    def ends_with(self, piece: bytes) -> bool:
        """Move on by ``piece``, and return whether the object ends with it.

        Raises ProtocolError when it ends before, or nests too deep.
        """
        steps = self._steps(self._without_escapes(piece))
        if not steps:
            return False
        depths = list(accumulate(array("b", steps), initial=self._depth))
        if max(depths) > self._max_depth:
            raise ProtocolError(f"The peer sent a message that nests more than {self._max_depth} objects.")
        self._depth = depths[-1]
        lowest = min(depths[1:])
        if lowest > 0:
            self.lowest = min(self.lowest, lowest)
            return False
        if depths.index(0, 1) < len(steps) or self._in_string or not piece.rstrip(_WHITE_SPACE).endswith(b"}"):
            _refuse_garbage(piece)
        return True

    def _without_escapes(self, piece: bytes) -> bytes:
        if self._after_backslash:
            piece = b"\\" + piece
            self._after_backslash = False
        if b"\\" in piece:
            # In this order: after the first, a backslash that is left escapes what follows it.
            piece = piece.replace(b"\\\\", b"__").replace(b'\\"', b"__")
            self._after_backslash = piece.endswith(b"\\")
        return piece

    def _steps(self, piece: bytes) -> bytes:
        """The braces of ``piece`` that are outside strings."""
        # Two quotes with nothing between them change nothing for what follows: without them only the strings that
        # hold braces are left to split.
        marks = piece.translate(_STEPS, _IRRELEVANT).replace(b'""', b"")
        if not self._in_string and b'"' not in marks:
            return marks
        parts = marks.split(b'"')
        outside = parts[self._in_string :: 2]
        self._in_string ^= len(parts) % 2 == 0
        return b"".join(outside)


def _refuse_garbage(piece: bytes) -> NoReturn:
    raise ProtocolError(f"The peer sent something else than JSON objects: {piece[:40]!r}.")
