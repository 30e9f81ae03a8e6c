"""Cut a byte stream into OpenFlow messages.

Every byte is copied at most twice however the stream was split: once into the tail of an unfinished message,
once out of it when the message is whole. The tail never grows past one message, 64 KiB, plus one read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovsnet.protocol.openflow.message import HEADER, Message, OpenFlowProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Framer:
    """One stream's cutting. ``tail`` is the beginning of a message whose end has not come."""

    __slots__ = ("_wanted", "tail")

    def __init__(self) -> None:
        self.tail = bytearray()
        self._wanted = HEADER.size

    def messages(self, data: bytes) -> Iterator[Message]:
        """Yield each message that ``data`` completes; run it to its end, for there it keeps what is left over.

        Raises OpenFlowProtocolError for a length below that of the header: nothing after it can be trusted.
        """
        if self.tail:
            self.tail += data
            if len(self.tail) < self._wanted:
                return
            data = bytes(self.tail)
            self.tail.clear()
        unpack_from = HEADER.unpack_from
        size = len(data)
        start = 0
        wanted = HEADER.size
        while size - start >= HEADER.size:
            version, kind, length, xid = unpack_from(data, start)
            if length < HEADER.size:
                raise OpenFlowProtocolError(f"a message claims a length of {length}, less than its own header")
            end = start + length
            if end > size:
                wanted = length
                break
            yield Message(version, kind, xid, data[start + 8 : end])
            start = end
        self._wanted = wanted
        self.tail += data[start:]
