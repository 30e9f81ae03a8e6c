"""Answers are counted, however the bytes come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.bench.probe_protocol import JsonRpcProbe, OpenFlowProbe
from ovsnet.protocol.openflow import MessageType, OpenFlowProtocolError, Version, hello
from ovsnet.protocol.openflow.message import pack_message

REPLY = pack_message(Version.OF13, MessageType.ECHO_REPLY, 1)
SWITCH_ASKS = pack_message(Version.OF13, MessageType.ECHO_REQUEST, 0, b"alive?")
OTHER_VERSION = pack_message(Version.OF10, MessageType.ECHO_REPLY, 1)
STREAM = hello() + 3 * REPLY + SWITCH_ASKS + OTHER_VERSION + 5 * REPLY + SWITCH_ASKS + 7 * REPLY


def pieces(stream: bytes, cuts: set[int]) -> list[bytes]:
    bounds = [0, *sorted(cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_every_echo_reply_is_counted_wherever_the_stream_is_cut(cuts: set[int]) -> None:
    probe = OpenFlowProbe()
    probe.data_to_send()
    answers = sum(sum(probe.receive_data(piece)) for piece in pieces(STREAM, cuts))

    assert answers == 16
    assert probe.data_to_send() == 2 * pack_message(Version.OF13, MessageType.ECHO_REPLY, 0, b"alive?")
    probe.eof_received()


def test_replies_before_a_hello_are_no_answers() -> None:
    with pytest.raises(OpenFlowProtocolError, match="not HELLO"):
        OpenFlowProbe().receive_data(4 * REPLY)


def test_answers_before_bad_bytes_count() -> None:
    probe = OpenFlowProbe()
    with pytest.raises(OpenFlowProtocolError) as caught:
        probe.receive_data(hello() + 2 * REPLY + bytes(8))
    assert caught.value.events == [1, 1]


def test_a_body_that_looks_like_replies_is_none() -> None:
    probe = OpenFlowProbe()
    probe.receive_data(hello())
    asked = pack_message(Version.OF13, MessageType.ECHO_REQUEST, 0, 2 * REPLY)
    assert sum(probe.receive_data(asked[:8])) == 0
    assert sum(probe.receive_data(asked[8:])) == 0
    assert sum(probe.receive_data(REPLY)) == 1


def test_a_refusal_is_an_answer_too() -> None:
    probe = JsonRpcProbe("echo")
    assert probe.ask(2).count(b'"echo"') == 2
    assert sum(probe.receive_data(b'{"id":0,"result":[],"error":null}{"id":1,"result":null,"error":"no"}')) == 2
