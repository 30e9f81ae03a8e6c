"""Messages come out whole and once, however the stream was split."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import Message, OpenFlowProtocolError
from ovsnet.protocol.openflow.framing import Framer
from ovsnet.protocol.openflow.message import pack_message

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

messages = st.builds(
    Message,
    version=st.integers(0, 255),
    type=st.integers(0, 255),
    xid=st.integers(0, 0xFFFFFFFF),
    body=st.binary(max_size=40),
)


def pack(message: Message) -> bytes:
    return pack_message(message.version, message.type, message.xid, message.body)


@unhurried
@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 60)))
def test_any_split_gives_the_same_messages(sent: list[Message], sizes: list[int]) -> None:
    stream = b"".join(map(pack, sent))
    framer = Framer()
    received: list[Message] = []
    for size in [*sizes, len(stream)]:
        received += framer.messages(stream[:size])
        stream = stream[size:]

    assert received == sent
    assert not framer.tail


@pytest.mark.parametrize("length", range(8))
def test_a_length_below_the_header_is_refused(length: int) -> None:
    with pytest.raises(OpenFlowProtocolError, match=f"length of {length},"):
        list(Framer().messages(bytes([4, 2, 0, length, 0, 0, 0, 0])))


def test_messages_before_a_bad_length_still_come() -> None:
    stream = Framer().messages(pack_message(4, 3, 7) + bytes(8))

    assert next(stream) == Message(4, 3, 7, b"")
    with pytest.raises(OpenFlowProtocolError):
        next(stream)


def test_the_longest_message_dribbled_is_held_once_and_copied_once() -> None:
    """The tail only grows until the message is whole: no read in between looks at more than its own bytes."""
    message = pack_message(4, 3, 7, bytes(65527))
    framer = Framer()
    pieces = [message[start : start + 8] for start in range(0, len(message), 8)]
    for count, piece in enumerate(pieces[:-1], 1):
        assert list(framer.messages(piece)) == []
        assert len(framer.tail) == 8 * count

    assert list(framer.messages(pieces[-1])) == [Message(4, 3, 7, bytes(65527))]
    assert not framer.tail


def test_bodies_are_bytes_even_when_pieced_together() -> None:
    framer = Framer()
    framer_reads = [*framer.messages(b"\x04\x03\x00"), *framer.messages(b"\x0a\0\0\0\x07hi")]

    assert [type(message.body) for message in framer_reads] == [bytes]
