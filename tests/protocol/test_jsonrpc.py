"""Messages become events, echoes are answered, and whatever else arrives is a ProtocolError and nothing worse."""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from ovsnet.errors import ConnectionLost, ProtocolError, UsageError
from ovsnet.protocol.jsonrpc import (
    MAX_ERROR,
    Connection,
    ErrorReply,
    Event,
    Notification,
    Reply,
    Request,
    decode_body,
)

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)


def asked(requests: int = 1) -> Connection:
    """A connection on which that many requests wait for replies."""
    connection = Connection()
    for _ in range(requests):
        connection.request("list_dbs", [])
    connection.data_to_send()
    return connection


EVENTS: list[tuple[bytes, Event]] = [
    # What ovsdb-server and the control sockets of the daemons send.
    (b'{"id":0,"result":["Open_vSwitch"],"error":null}', Reply(0, Raw(b'["Open_vSwitch"]'))),
    (b'{"id":0,"result":"3.1.0\\n","error":null}', Reply(0, Raw(b'"3.1.0\\n"'))),
    (b'{"id":0,"result":null,"error":"\\"x\\" is not a valid command"}', ErrorReply(0, '"x" is not a valid command')),
    (
        b'{"error":{"error":"unknown database","details":"x"},"id":0,"result":null}',
        ErrorReply(0, {"error": "unknown database", "details": "x"}),
    ),
    (b'{"id":null,"method":"update","params":["m",{}]}', Notification("update", Raw(b'["m",{}]'))),
    (b'{"id":"x","method":"steal","params":["l"]}', Request(Raw(b'"x"'), "steal", Raw(b'["l"]'))),
    # What the protocol leaves open.
    (b'{"method":"locked","params":["l"]}', Notification("locked", Raw(b'["l"]'))),
    (b'{"id":null,"method":"echo","params":[]}', Notification("echo", Raw(b"[]"))),
    (b'{"id":0,"result":[]}', Reply(0, Raw(b"[]"))),
    (b'{"id":0,"error":"no"}', ErrorReply(0, "no")),
    (b'{"id":0,"result":null,"error":null}', Reply(0, Raw(b"null"))),
    (b'{"id":0,"result":[],"error":null,"method":null,"params":null}', Reply(0, Raw(b"[]"))),
    (b'{"jsonrpc":"2.0","id":0,"result":[]}', Reply(0, Raw(b"[]"))),
    (b'{"id":7,"id":0,"result":1,"result":2}', Reply(0, Raw(b"2"))),
    (b'{"id":[1,{"a":2.50}],"method":"m","params":[]}', Request(Raw(b'[1,{"a":2.50}]'), "m", Raw(b"[]"))),
    (
        b'{"id":' + b"9" * 400 + b',"method":"m","params":[],"result":null,"error":null}',
        Request(Raw(b"9" * 400), "m", Raw(b"[]")),
    ),
]


@pytest.mark.parametrize(("text", "event"), EVENTS)
def test_a_message_becomes_its_event_and_its_body_stays_undecoded(text: bytes, event: Event) -> None:
    connection = asked()
    assert connection.receive_data(text) == [event]
    assert connection.data_to_send() == b""


MALFORMED = [
    b"[]",
    b"x",
    b"{}",
    b"{nonsense}",
    b'{"id":0}',
    b'{"id":0,"error":null}',
    b'{"id":0,"result":[],"error":"both"}',
    b'{"id":null,"result":[],"error":null}',
    b'{"id":null,"result":null,"error":"syntax"}',
    b'{"id":"0","result":[],"error":null}',
    b'{"id":true,"result":[],"error":null}',
    b'{"id":0.5,"result":[],"error":null}',
    b'{"id":-1,"result":[],"error":null}',
    b'{"id":1,"result":[],"error":null}',
    b'{"id":' + b"9" * 5000 + b',"result":[],"error":null}',
    b'{"id":0,"result":[],"error":' + b"9" * 5000 + b"}",
    b'{"id":0,"result":null,"error":1e999}',
    b'{"id":0,"result":null,"error":"\xff"}',
    b'{"id":0,"result":"\\ud834","error":null}',
    b'{"id":0,"result":"\x00","error":null}',
    b'{"id":0,"result":"\n","error":null}',
    b'{"id":0,"result":' + b"[" * 100_000 + b"]" * 100_000 + b',"error":null}',
    b'{"id":0,"result":null,"error":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"id":0,"result":' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b',"error":null}',
    b'{"id":1,"method":7,"params":[]}',
    b'{"id":1,"method":"\xff","params":[]}',
    b'{"id":1,"method":"m"}',
    b'{"id":1,"method":"m","params":null}',
    b'{"id":1,"method":"m","params":{}}',
    b'{"id":1,"method":"m","params":"["}',
    b'{"id":1,"method":"m","params":[],"result":[]}',
    b'{"id":1,"method":"m","params":[],"error":"e"}',
    b'{"id":"\\u0000","method":"m","params":[]}',
    b'{"id":"\\u0000","method":"echo","params":[]}',
]


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:50]))
def test_what_the_protocol_forbids_is_a_protocol_error_for_good(data: bytes) -> None:
    connection = asked()
    with pytest.raises(ProtocolError) as first:
        connection.receive_data(data)
    assert str(first.value).endswith(".")
    assert len(str(first.value)) < 600
    for again in (lambda: connection.receive_data(b'{"id":0,"result":[]}'), connection.eof_received):
        with pytest.raises(ProtocolError) as later:
            again()
        assert str(later.value) == str(first.value)
        assert later.value.remedy == first.value.remedy


def test_a_message_larger_than_max_bytes_is_refused() -> None:
    with pytest.raises(ProtocolError, match="more than 10 bytes"):
        Connection(max_bytes=10).receive_data(b'{"id":null,')


def test_echo_requests_are_answered_here_with_their_id_and_params_as_they_came() -> None:
    connection = Connection()
    assert connection.receive_data(b'{"id":"echo","method":"echo","params":[]}') == []
    assert connection.receive_data(b'{"params":[1.50,"\\u00e9"],"id":[null, 2.0],"method":"echo"}') == []
    assert connection.data_to_send() == (
        b'{"id":"echo","result":[],"error":null}{"id":[null, 2.0],"result":[1.50,"\\u00e9"],"error":null}'
    )
    assert connection.data_to_send() == b""


def test_requests_are_numbered_from_zero_and_sent_in_order() -> None:
    connection = Connection()
    assert connection.request("version", []) == 0
    connection.notify("note", ("a", "b"))
    assert connection.request("echo", ["x"]) == 1
    connection.reply("theirs", {"ok": True})
    connection.refuse(Raw(b"[7]"), "unknown method")
    assert connection.data_to_send() == (
        b'{"id":0,"method":"version","params":[]}'
        b'{"id":null,"method":"note","params":["a","b"]}'
        b'{"id":1,"method":"echo","params":["x"]}'
        b'{"id":"theirs","result":{"ok":true},"error":null}'
        b'{"id":[7],"result":null,"error":"unknown method"}'
    )


def test_a_second_or_late_reply_is_an_event_and_costs_nothing_more() -> None:
    connection = asked(2)
    reply = b'{"id":0,"result":[],"error":null}'
    assert connection.receive_data(reply + reply) == [Reply(0, Raw(b"[]"))] * 2
    assert connection.receive_data(b'{"id":1,"result":[],"error":null}') == [Reply(1, Raw(b"[]"))]


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    "params",
    [["\0"], [{"a\0": 1}], ["\\\0"], ["\ud834"], [object()], [{(1, 2): 3}], [10**5000], endless()],
    ids=["NUL", "NUL in a key", "NUL after a backslash", "surrogate", "object", "key", "huge", "endless"],
)
def test_what_cannot_be_sent_is_a_usage_error_and_queues_nothing(params: object) -> None:
    connection = Connection()
    with pytest.raises(UsageError):
        connection.request("transact", params)
    with pytest.raises(UsageError):
        connection.notify("transact", params)
    with pytest.raises(UsageError):
        connection.reply(0, params)
    with pytest.raises(UsageError):
        connection.refuse(0, params)
    assert connection.data_to_send() == b""
    assert connection.request("list_dbs", []) == 0


def test_text_that_only_looks_like_an_escaped_nul_is_sent() -> None:
    connection = Connection()
    connection.request("transact", ["\\u0000", "a\\\\u0000"])
    assert json.loads(connection.data_to_send())["params"] == ["\\u0000", "a\\\\u0000"]


def test_pending_bytes_show_that_a_long_answer_arrives() -> None:
    connection = asked()
    connection.receive_data(b'{"id":0,"result":[')
    assert connection.pending_bytes == 18
    connection.receive_data(b"]}")
    assert connection.pending_bytes == 0


def test_an_end_between_messages_is_fine_and_one_inside_is_not() -> None:
    connection = asked()
    connection.receive_data(b'{"id":0,"result":[]}\n')
    connection.eof_received()
    connection.receive_data(b'{"id":0')
    with pytest.raises(ConnectionLost, match="inside a message"):
        connection.eof_received()


@unhurried
@given(st.lists(st.sampled_from(EVENTS), max_size=5), st.lists(st.integers(0, 10**4), max_size=6))
def test_any_split_of_the_bytes_gives_the_same_events(
    messages: list[tuple[bytes, Event]], positions: list[int]
) -> None:
    data = b"\n".join(text for text, _ in messages)
    edges = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    connection = asked()
    events = [e for a, b in pairwise(edges) for e in connection.receive_data(data[a:b])]
    assert events == [event for _, event in messages]


MEMBERS = [b'{"id":', b'"method":', b'"params":', b'"result":', b'"error":', b'"echo"', b"null", b"0", b"[]", b","]
MARKS = [b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u0000", b"\\ud834", b"\xff", b"\0", b"1e400", b"9" * 4400]
SCRAPS = st.lists(st.sampled_from(MEMBERS + MARKS), max_size=12).map(b"".join)


@unhurried
@given(st.lists(st.binary(max_size=40) | SCRAPS, max_size=4))
def test_any_bytes_are_events_or_a_protocol_error(chunks: list[bytes]) -> None:
    connection = asked()
    events: list[Event] = []
    with suppress(ProtocolError, ConnectionLost):
        for chunk in chunks:
            events += connection.receive_data(chunk)
        connection.eof_received()
    assert all(isinstance(event, Request | Notification | Reply | ErrorReply) for event in events)


MEMBER = st.sampled_from([None, 0, 1, True, -0.5, "echo", "\0", [], ["m", {}], {"error": "e"}, 10**30])


@unhurried
@given(st.dictionaries(st.sampled_from(["id", "method", "params", "result", "error", "other"]), MEMBER))
def test_any_members_make_one_event_an_echo_or_a_protocol_error(members: dict[str, Any]) -> None:
    connection = asked()
    try:
        events = connection.receive_data(json.dumps(members).encode())
    except ProtocolError:
        assert connection.data_to_send() == b""
    else:
        assert len(events) == (0 if connection.data_to_send() else 1)


TEXT = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
BODY = st.lists(
    st.recursive(
        TEXT | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@unhurried
@given(TEXT.filter(lambda method: method != "echo"), BODY, BODY)
def test_two_connections_understand_each_other(method: str, params: list[Any], result: list[Any]) -> None:
    here, there = Connection(), Connection()
    anything = msgspec.json.Decoder()
    request_id = here.request(method, params)
    here.notify(method, params)
    request, notification = there.receive_data(here.data_to_send())
    assert isinstance(request, Request)
    assert isinstance(notification, Notification)
    assert request.method == notification.method == method
    assert decode_body(request.params, anything) == decode_body(notification.params, anything) == params
    there.reply(request.id, result)
    there.refuse(request.id, result or "no")
    reply, refusal = here.receive_data(there.data_to_send())
    assert isinstance(reply, Reply)
    assert reply.id == request_id
    assert decode_body(reply.result, anything) == result
    assert refusal == ErrorReply(request_id, result or "no")


class Probe:
    """A type that msgspec does not know, so that it asks the hook."""


def test_a_body_is_decoded_with_the_collector_paused_and_started_again() -> None:
    while_decoding: list[bool] = []

    def hook(_kind: type, _value: object) -> Probe:
        while_decoding.append(gc.isenabled())
        return Probe()

    assert gc.isenabled()
    decode_body(Raw(b"[1,2]"), msgspec.json.Decoder(list[Probe], dec_hook=hook))
    assert while_decoding == [False, False]
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        assert decode_body(Raw(b"[]"), msgspec.json.Decoder(list[int])) == []
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("body", [b'"x"', b"[1", b'["\\ud834"]', b"[1e999]", b"", b"[" * 5000 + b"]" * 5000])
def test_a_body_of_another_type_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="something else than was asked for"):
        decode_body(Raw(body), msgspec.json.Decoder(list[Any]))
    assert gc.isenabled()


def test_a_body_that_is_no_utf8_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="something else than was asked for"):
        decode_body(Raw(b'"\xff"'), msgspec.json.Decoder(str))


def test_refusal_that_would_fill_the_memory_is_none() -> None:
    """A refusal is decoded at once: ten megabytes of empty arrays would become three hundred of lists."""
    connection = Connection()
    connection.request("x", [])
    with pytest.raises(ProtocolError, match="refusal of more than"):
        connection.receive_data(b'{"id":0,"result":null,"error":[' + b"[]," * (MAX_ERROR // 3) + b"[]]}")
    connection = Connection()
    connection.request("x", [])
    assert connection.receive_data(b'{"id":0,"error":' + b'"x"' + b"}" + b'{"id":0,"result":1}')
    assert connection.messages == 2
