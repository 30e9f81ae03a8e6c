"""A long message is taken apart while it arrives, and nothing of it is lost, doubled or moved, however it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import ProtocolError, ProtocolFlood
from ovsnet.protocol import json_stream, jsonrpc
from ovsnet.protocol.json_stream import JsonStream
from ovsnet.protocol.jsonrpc import Body, LongBody, lifted_from, outline_of, part_of, size_of, whole
from ovsnet.protocol.long_object import LONG, Lifted, LongObject
from tests.protocol.test_json_stream import JSON_VALUES, cut

unhurried = settings(deadline=None, database=None)

CHUNK = 1 << 14
KEYS = st.text(alphabet='ab{}[]"\\,:', max_size=4)
ROWS = st.dictionaries(KEYS, st.none() | st.dictionaries(KEYS, JSON_VALUES, max_size=2), max_size=5)
TABLES = st.dictionaries(KEYS, st.dictionaries(KEYS, ROWS, max_size=5), max_size=4)
CUTS = st.lists(st.integers(0, 10**6), max_size=30)


def text_of(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def rows(count: int) -> dict[str, object]:
    return {f"row{number}": {"insert": {"name": "x" * 80 + '},"', "n": number}} for number in range(count)}


def chunks(data: bytes) -> Iterable[bytes]:
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


def put_back(outline: Any, lifted: Lifted) -> Any:
    """The value that the outline and what was lifted out of it were made of."""
    if isinstance(outline, list):
        return [put_back(each, lifted) for each in outline]
    if not isinstance(outline, dict):
        return outline
    found: dict[str, Any] = {}
    for name, value in outline.items():
        if name in lifted:
            for piece in lifted[name].pieces():
                found |= json.loads(piece)
        else:
            found[name] = put_back(value, lifted)
    return found


def arrived(data: Iterable[bytes]) -> bytes | LongObject:
    stream = JsonStream()
    (text,) = [text for chunk in data for text in stream.receive_data(chunk)]
    return text


def events(connection: jsonrpc.Connection, data: Iterable[bytes]) -> list[jsonrpc.Event]:
    return [event for chunk in data for event in connection.receive_data(chunk)]


def body_of(reply: Iterable[bytes]) -> Body:
    connection = jsonrpc.Connection()
    connection.request("monitor", [])
    (event,) = events(connection, reply)
    assert isinstance(event, jsonrpc.Reply)
    return event.result


@unhurried
@given(tables=TABLES, cuts=CUTS)
def test_what_was_lifted_out_of_tables_of_any_rows_is_what_the_outline_lacks(
    tables: Mapping[str, object], cuts: list[int]
) -> None:
    reply = {"id": 0, "result": [False, "txn", tables], "error": None}
    with mock.patch.object(json_stream, "LONG", 0):
        body = body_of(cut(text_of(reply), cuts))
    assert put_back(json.loads(bytes(outline_of(body))), lifted_from(body)) == reply["result"]
    assert json.loads(bytes(whole(body))) == reply["result"]


@unhurried
@given(value=JSON_VALUES, cuts=CUTS)
def test_any_other_message_is_read_as_if_it_had_come_in_one_piece(value: object, cuts: list[int]) -> None:
    with mock.patch.object(json_stream, "LONG", 0):
        body = body_of(cut(text_of({"id": 0, "result": value, "error": None}), cuts))
    assert json.loads(bytes(whole(body))) == value


@unhurried
@given(cuts=CUTS)
def test_objects_between_the_elements_of_an_array_are_left_where_they_are(cuts: list[int]) -> None:
    """A run that began in an array would be no members of an object."""
    value = {"a": {"b": [{}, "c", {}, "d", {}, "e", {}, "f"], "g": {}, "h": [{}, "i", {}, "j"]}}
    with mock.patch.object(json_stream, "LONG", 0):
        body = body_of(cut(text_of({"id": 0, "result": value}), cuts))
    assert json.loads(bytes(whole(body))) == value


def test_no_part_of_a_long_message_is_much_longer_than_a_chunk() -> None:
    tables = {"Few": rows(3), "Many": rows(20_000), "None": {}, "More": rows(5_000)}
    long = arrived(chunks(text_of({"id": 0, "result": [False, "txn", tables]})))
    assert isinstance(long, LongObject)
    assert len(long.outline) < LONG + 6 * CHUNK
    pieces = [piece for run in long.lifted.values() for piece in run.pieces()]
    assert max(map(len, pieces)) < 3 * CHUNK
    assert put_back(json.loads(long.outline), long.lifted) == {"id": 0, "result": [False, "txn", tables]}


def test_an_update_comes_apart_as_an_answer_does() -> None:
    connection = jsonrpc.Connection()
    message = {"method": "update3", "params": ["key", "txn", {"T": rows(5000)}], "id": None}
    (event,) = events(connection, chunks(text_of(message)))
    assert isinstance(event, jsonrpc.Notification)
    assert isinstance(event.params, LongBody)
    key, txn, outline = msgspec.json.decode(outline_of(event.params), type=tuple[str, str, msgspec.Raw])
    updates = part_of(event.params, outline)
    assert (key, txn, size_of(updates)) == ("key", "txn", len(text_of(message)))
    assert put_back(json.loads(bytes(outline_of(updates))), lifted_from(updates)) == {"T": rows(5000)}
    assert json.loads(bytes(whole(event.params))) == message["params"]


def test_short_bodies_are_their_own_outline() -> None:
    body = msgspec.Raw(b"[1]")
    assert (outline_of(body), dict(lifted_from(body)), size_of(body)) == (body, {}, 3)
    assert part_of(body, msgspec.Raw(b"1")) == msgspec.Raw(b"1")


@pytest.mark.parametrize(
    "message",
    [
        {"id": 0, "error": {"T": {"U": rows(5000)}}, "result": None},
        {"id": "x", "method": "echo", "params": [{"T": rows(5000)}]},
    ],
)
def test_a_long_refusal_or_request_is_a_flood(message: object) -> None:
    connection = jsonrpc.Connection()
    connection.request("monitor", [])
    with pytest.raises(ProtocolFlood):
        events(connection, chunks(text_of(message)))


def test_a_long_answer_that_is_no_json_is_refused_by_whoever_reads_it() -> None:
    text = text_of({"id": 0, "result": {"T": rows(5000)}})
    at = text.index(b'"row4000"')
    body = body_of(chunks(text[:at] + b"?" + text[at:]))
    with pytest.raises(ProtocolError):
        whole(body)
    with pytest.raises(ProtocolError):
        jsonrpc.decode_body(body, msgspec.json.Decoder())


def test_a_long_message_goes_on_being_read_after_the_next() -> None:
    text = text_of({"id": 0, "result": {"T": rows(5000)}})
    stream = JsonStream()
    texts = [text for chunk in chunks(text + b" " + text + b"{}") for text in stream.receive_data(chunk)]
    assert [each if isinstance(each, bytes) else bytes(each.text) for each in texts] == [text, text, b"{}"]
