"""The rules of one OpenFlow connection, seen from the client, without a socket.

    write data_to_send()            the HELLO is there from the beginning
    receive_data(bytes) -> events   then write data_to_send() again: answers to the switch's own echo requests
    eof_received()                  when the switch has closed

Rule 1: the first message is HELLO, and there is no second. Until it came, ``version`` is None.
Rule 2: from then on every message is of the agreed version, but for ECHO and ERROR, which OVS sends and takes in any
        (lib/vconn.c vconn_recv).
Rule 3: the first error is the last: every later call raises it again. It is raised from ``receive_data`` with the
        events before it in its ``events``, so that where the bytes were split never changes what is learnt.
Rule 4: HELLO_FAILED is raised like bytes that OpenFlow forbids, for the switch closes after it. Any other ERROR
        answers one request and is an event.

No ERROR is sent to a switch that has no version in common with us: it reads the same from our HELLO, and an ERROR is a
line in its log.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ovsnet.errors import ConnectionLost
from ovsnet.protocol.openflow.error_message import HELLO_FAILED, ErrorMessage, parse_error
from ovsnet.protocol.openflow.framing import Framer
from ovsnet.protocol.openflow.hello import agree, hello, offer
from ovsnet.protocol.openflow.message import (
    ALL_VERSIONS,
    Message,
    MessageType,
    OpenFlowProtocolError,
    Version,
    pack_message,
    stats_request_type,
)
from ovsnet.protocol.openflow.multipart import DEFAULT_MAX_MULTIPART_BYTES, Joiner, is_last_part


class Negotiated(NamedTuple):
    """The switch's HELLO came, and this is the version to speak from now on."""

    version: Version


Event = Negotiated | Message | ErrorMessage
"""``Message`` is every message not handled here: replies, whole multipart replies, asynchronous messages."""

_ANY_VERSION = frozenset({MessageType.ECHO_REQUEST, MessageType.ECHO_REPLY, MessageType.ERROR})


class Connection:
    """One connection's state. ``max_multipart_bytes`` bounds the unfinished multipart replies all together."""

    def __init__(
        self, versions: frozenset[Version] = ALL_VERSIONS, *, max_multipart_bytes: int = DEFAULT_MAX_MULTIPART_BYTES
    ) -> None:
        self.version: Version | None = None
        self.messages = 0
        """How many came."""
        self._offered = offer(versions)
        self._to_send = bytearray(_hello_of(self._offered))
        self._framer = Framer()
        self._joiner = Joiner(max_multipart_bytes)
        self._handled_here: frozenset[int] = frozenset()
        self._failure: OpenFlowProtocolError | None = None
        self._in_parts: set[int] = set()

    @property
    def pending_bytes(self) -> int:
        """Bytes of the message that has begun and is not complete."""
        return len(self._framer.tail)

    def in_parts(self, xid: int) -> None:
        """Hand the multipart reply to this request out part by part, as it comes: it may be too long to be joined."""
        self._in_parts.add(xid)

    def data_to_send(self) -> bytes:
        """The bytes to write now. Each is given once."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def receive_data(self, data: bytes) -> list[Event]:
        """The events that these bytes complete.

        Raises OpenFlowProtocolError when a rule of this module's docstring was broken, now or in an earlier call.
        """
        self._raise_failure()
        events: list[Event] = []
        try:
            if self.version is None:
                self._require_hello(data)
            for message in self._framer.messages(data):
                self.messages += 1
                if message.version == self.version and message.type not in self._handled_here:
                    events.append(message)
                else:
                    self._handle(message, events)
        except OpenFlowProtocolError as error:
            error.events = tuple(events)
            self._failure = error
            raise
        return events

    def eof_received(self) -> None:
        """The stream has ended. Raises ConnectionLost when that was inside a message or a multipart reply."""
        self._raise_failure()
        if self.pending_bytes:
            raise ConnectionLost(f"The switch closed the connection after {self.pending_bytes} bytes of a message.")
        if self._joiner:
            raise ConnectionLost("The switch closed the connection inside a multipart reply.")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            self._failure.events = ()
            raise self._failure.with_traceback(None)

    def _require_hello(self, data: bytes) -> None:
        """Look at the type before the length, which in another protocol's bytes may promise 64 KiB that never come."""
        opening = self._framer.tail[:2] + data[:2]
        if len(opening) > 1 and opening[1] != MessageType.HELLO:
            raise OpenFlowProtocolError(f"the peer's first message is of type {opening[1]}, not HELLO")

    def _handle(self, message: Message, events: list[Event]) -> None:
        if self.version is None:
            events.append(self._negotiate(message))
        elif message.type == MessageType.HELLO:
            raise OpenFlowProtocolError("the switch sent a second HELLO")
        elif message.version != self.version and message.type not in _ANY_VERSION:
            raise OpenFlowProtocolError(
                f"a message of type {message.type} has version {message.version}, agreed was {self.version:d}"
            )
        elif message.type == MessageType.ECHO_REQUEST:
            self._to_send += pack_message(message.version, MessageType.ECHO_REPLY, message.xid, message.body)
        elif message.type == MessageType.ERROR:
            self._in_parts.discard(message.xid)
            events.append(_error_event(message))
        elif message.type == MessageType.ECHO_REPLY:
            events.append(message)
        elif message.xid in self._in_parts:
            if is_last_part(message):
                self._in_parts.discard(message.xid)
            events.append(message)
        elif (whole := self._joiner.add(message)) is not None:
            events.append(whole)

    def _negotiate(self, message: Message) -> Negotiated:
        self.version = agree(self._offered, message)
        self._handled_here = _handled_in(self.version)
        return Negotiated(self.version)


_hello_of = cache(hello)


@cache
def _handled_in(version: Version) -> frozenset[int]:
    multipart_reply = stats_request_type(version) + 1
    return frozenset(map(int, (MessageType.HELLO, MessageType.ERROR, MessageType.ECHO_REQUEST, multipart_reply)))


def _error_event(message: Message) -> ErrorMessage:
    error = parse_error(message)
    if (error.type, error.experimenter) == (HELLO_FAILED, 0):
        raise OpenFlowProtocolError(f"the switch ended the negotiation with {error.name}: {error.text or 'no reason'}")
    return error
