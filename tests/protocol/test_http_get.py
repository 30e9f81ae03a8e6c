"""One GET, and its answer in whatever pieces it comes."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import ConnectionLost, ProtocolError
from ovsnet.protocol.http_get import MAX_BODY, MAX_HEAD, Get, Response

ANSWER = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"


def test_request_is_sent_once() -> None:
    get = Get("/status")
    assert get.data_to_send().startswith(b"GET /status HTTP/1.1\r\nHost: ")
    assert get.data_to_send() == b""


@given(st.lists(st.integers(0, len(ANSWER))))
def test_any_split_gives_the_same_answer(cuts: list[int]) -> None:
    get, places = Get("/"), sorted({0, *cuts, len(ANSWER)})
    said = [each for start, end in pairwise(places) for each in get.receive_data(ANSWER[start:end])]
    assert said == [Response(503, b"hello")]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="no length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", id="superscript digit"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), id="endless body"),
        pytest.param(b"HTTP/1.1 abc OK\r\nContent-Length: 1\r\n\r\n", id="no code"),
        pytest.param(b"x" * (MAX_HEAD + 1), id="endless head"),
    ],
)
def test_anything_else_is_a_protocol_error(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        Get("/").receive_data(bad)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    said: list[Response] = []
    with suppress(ProtocolError):
        said = Get("/").receive_data(data)
    assert said == []


def test_end_before_the_answer_is_whole_is_a_lost_connection() -> None:
    get = Get("/")
    get.receive_data(ANSWER[:-1])
    with pytest.raises(ConnectionLost):
        get.eof_received()
