"""JSON-RPC 1.0 as OVSDB and unixctl speak it (RFC 7047 section 4, OVS lib/jsonrpc.c): bytes in, events and bytes out.

1. A message with a ``method`` is a request of the peer, or a notification when its ``id`` is null. One without is a
   reply to a request of ours. A member that is absent counts as null, and an unknown one is ignored; but a reply must
   hold a result or an error.
2. The peer's ``echo`` requests are answered here (RFC 7047 section 4.1.11) and make no event. So ``data_to_send`` must
   be asked after each ``receive_data``.
3. A reply to an id that was handed out is an event, always, even a second one: whether a caller still waits is for the
   caller to know, and a late reply to a call that was given up must not cost the connection. A reply to an id that was
   never handed out is a ProtocolError: it is not our conversation.
4. Only the envelope is decoded. Bodies stay ``msgspec.Raw`` until ``decode_body``, where their type is known: that
   saves nine tenths of the time of a large snapshot, and lets it be decoded in steps. Of a long message not even the
   envelope is decoded in one go: its body is a ``LongBody``.
5. Whatever the bytes, the error is a ProtocolError; then every later call that receives raises it again. Whatever the
   caller wants sent, the error is a UsageError, and nothing is queued.
"""

from __future__ import annotations

import gc
import re
from typing import Any, TypeAlias, TypeVar

import msgspec

from ovsnet.errors import ProtocolError, ProtocolFlood, UsageError
from ovsnet.protocol.json_stream import MAX_BYTES, JsonStream
from ovsnet.protocol.long_object import Lifted, LongObject

T = TypeVar("T")


class LongBody(msgspec.Struct, frozen=True):
    """Of a long message: ``outline`` is the body without what was lifted out. ``text`` is the whole message."""

    outline: msgspec.Raw
    lifted: Lifted
    text: bytearray


Body: TypeAlias = msgspec.Raw | LongBody


class Request(msgspec.Struct, frozen=True, gc=False):
    """The peer asks. ``id`` is any JSON value, undecoded, to be passed back as it came."""

    id: msgspec.Raw
    method: str
    params: msgspec.Raw


class Notification(msgspec.Struct, frozen=True, gc=False):
    """The peer tells, and wants no answer."""

    method: str
    params: Body


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The peer's answer to our request ``id``."""

    id: int
    result: Body


class ErrorReply(msgspec.Struct, frozen=True, gc=False):
    """The peer's refusal of our request ``id``, decoded: OVSDB sends an object or a string, unixctl a string."""

    id: int
    error: Any


Event: TypeAlias = Request | Notification | Reply | ErrorReply

MAX_ERROR = 1 << 16
"""Bytes of a refusal, which is decoded at once: ten megabytes of empty arrays would become three hundred."""

_NULL = msgspec.Raw(b"null")
_ARRAY = ord("[")


class _Message(msgspec.Struct, gc=False):
    """Any message as it arrives."""

    id: msgspec.Raw = _NULL
    method: str | None = None
    params: msgspec.Raw = _NULL
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw = _NULL


class _Call(msgspec.Struct, gc=False):
    id: int | None
    method: str
    params: object


class _Answer(msgspec.Struct, gc=False):
    id: object
    result: object
    error: object


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_error = msgspec.json.Decoder().decode
_decode_id = msgspec.json.Decoder(int).decode
_encode = msgspec.json.Encoder().encode
# In JSON text an even number of backslashes before "\u0000" escapes none of its own.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
BAD_JSON = (ValueError, msgspec.MsgspecError, RecursionError)
"""What msgspec raises for bytes of others: UnicodeDecodeError is a ValueError, and deep nesting a RecursionError."""
_UNENCODABLE = (ValueError, TypeError, OverflowError, msgspec.MsgspecError, RecursionError)


class Connection:
    """One JSON-RPC conversation. ``max_bytes`` bounds one message of the peer."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._stream = JsonStream(max_bytes=max_bytes)
        self._outgoing: list[bytes] = []
        self._next_id = 0
        self.messages = 0
        """How many came."""
        self._failure: ProtocolError | None = None

    @property
    def pending_bytes(self) -> int:
        """Bytes of the message that has begun and is not complete. It grows while a long answer arrives."""
        return self._stream.pending_bytes

    def receive_data(self, data: bytes) -> list[Event]:
        """Return what the peer said. Ask for ``data_to_send`` afterwards: an echo may have been answered.

        Raises ProtocolError for bytes that RFC 7047 forbids. Events of the same ``data`` are then lost, as they are
        when a connection breaks.
        """
        if self._failure is not None:
            raise type(self._failure)(str(self._failure), remedy=self._failure.remedy)
        try:
            texts = self._stream.receive_data(data)
            self.messages += len(texts)
            return [event for text in texts if (event := self._event(text)) is not None]
        except ProtocolError as error:
            self._failure = error
            raise

    def eof_received(self) -> None:
        """Raise ConnectionLost if the peer closed the connection inside a message."""
        if self._failure is not None:
            raise type(self._failure)(str(self._failure), remedy=self._failure.remedy)
        self._stream.eof_received()

    def data_to_send(self) -> bytes:
        """Return what is queued, once. Empty when there is nothing."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def request(self, method: str, params: object) -> int:
        """Queue a request and return its id. ``params`` must encode as an array.

        Raises UsageError when they cannot be written as JSON that OVS reads.
        """
        request_id = self._next_id
        self._queue(_Call(request_id, method, params))
        self._next_id = request_id + 1
        return request_id

    def notify(self, method: str, params: object) -> None:
        """Queue a notification. Raises UsageError as ``request`` does."""
        self._queue(_Call(None, method, params))

    def reply(self, id: object, result: object) -> None:
        """Queue the answer to the peer's request ``id``. Raises UsageError as ``request`` does."""
        self._queue(_Answer(id, result, None))

    def refuse(self, id: object, error: object) -> None:
        """Queue the refusal of the peer's request ``id``. Raises UsageError as ``request`` does."""
        self._queue(_Answer(id, None, error))

    def _queue(self, message: _Call | _Answer) -> None:
        try:
            text = _encode(message)
        except _UNENCODABLE as error:
            raise UsageError(f"The message cannot be written as JSON: {error}.") from error
        # OVS drops the connection over one: lib/json.c, "null bytes not supported in quoted strings".
        if b"\\u0000" in text and _NUL.search(text):
            raise UsageError("A string in the message holds a NUL character, which OVS does not read.")
        self._outgoing.append(text)

    def _event(self, text: bytes | LongObject) -> Event | None:
        if isinstance(text, LongObject):
            return self._long_event(text)
        try:
            message = _decode_message(text)
            if message.method is None:
                return self._answer(message, text)
        except BAD_JSON as error:
            raise ProtocolError(f"The peer sent no JSON-RPC message: {error}: {_start_of(text)}.") from error
        return self._call(message, message.method, text)

    def _long_event(self, long: LongObject) -> Event | None:
        try:
            event = self._event(long.outline)
        except ProtocolError:  # it was cut in arrays, or it is wrong anyway
            return self._event(bytes(long.text))
        match event:
            case Reply(id, msgspec.Raw() as result):
                return Reply(id, LongBody(result, long.lifted, long.text))
            case Notification(method, msgspec.Raw() as params):
                return Notification(method, LongBody(params, long.lifted, long.text))
            case _:
                raise ProtocolFlood(f"The peer sent a request or a refusal of more than {MAX_ERROR} bytes.")

    def _answer(self, message: _Message, text: bytes) -> Reply | ErrorReply:
        request_id = _decode_id(message.id)
        if not 0 <= request_id < self._next_id:
            raise ProtocolError(f"The peer answered a request that was never made: {_start_of(text)}.")
        if message.error == _NULL:
            if message.result is msgspec.UNSET:
                raise ProtocolError(f"The peer sent neither a result nor an error: {_start_of(text)}.")
            return Reply(request_id, message.result)
        if message.result is not msgspec.UNSET and message.result != _NULL:
            raise ProtocolError(f"The peer sent both a result and an error: {_start_of(text)}.")
        if memoryview(message.error).nbytes > MAX_ERROR:
            raise ProtocolFlood(f"The peer sent a refusal of more than {MAX_ERROR} bytes.")
        return ErrorReply(request_id, _decode_error(message.error))

    def _call(self, message: _Message, method: str, text: bytes) -> Request | Notification | None:
        if message.error != _NULL or (message.result is not msgspec.UNSET and message.result != _NULL):
            raise ProtocolError(f"The peer sent a request and a reply in one message: {_start_of(text)}.")
        if memoryview(message.params)[0] != _ARRAY:
            raise ProtocolError(f"The peer sent a call whose params are not an array: {_start_of(text)}.")
        if message.id == _NULL:
            return Notification(method, message.params)
        # No request of OVS has one (see _queue), and no answer could be written.
        if _NUL.search(message.id):
            raise ProtocolError(f"The peer sent a NUL character in an id: {_start_of(text)}.")
        if method != "echo":
            return Request(message.id, method, message.params)
        self._outgoing.append(_encode(_Answer(message.id, message.params, None)))
        return None


def decode_body(body: Body, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode what an event holds. Raises ProtocolError if it is not what ``decoder`` takes.

    The cyclic collector is paused meanwhile. A decoded body has no cycles, yet the collector would walk it again and
    again while it grows: that is 70-85 % of the time of a large one.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return decoder.decode(whole(body))
    except BAD_JSON as error:
        raise ProtocolError(f"The peer sent something else than was asked for: {error}.") from error
    finally:
        if was_enabled:
            gc.enable()


def whole(body: Body) -> msgspec.Raw:
    """All of it in one text. Raises ProtocolError if a long one is no JSON."""
    if isinstance(body, msgspec.Raw):
        return body
    try:
        message = _decode_message(body.text)
    except BAD_JSON as error:
        raise ProtocolError(f"The peer sent no JSON-RPC message: {error}.") from error
    if message.method is None and isinstance(message.result, msgspec.Raw):
        return message.result
    return message.params


def size_of(body: Body) -> int:
    """Bytes of it, or of the long message that it came in."""
    return len(body.text) if isinstance(body, LongBody) else memoryview(body).nbytes


def outline_of(body: Body) -> msgspec.Raw:
    """What is left of a long one, or all."""
    return body.outline if isinstance(body, LongBody) else body


def lifted_from(body: Body) -> Lifted:
    """What is not in its outline."""
    return body.lifted if isinstance(body, LongBody) else {}


def part_of(body: Body, outline: msgspec.Raw) -> Body:
    """A part of a body; ``outline`` is that of ``outline_of`` the body."""
    return LongBody(outline, body.lifted, body.text) if isinstance(body, LongBody) else outline


def _start_of(text: bytes) -> str:
    return repr(text[:80])
