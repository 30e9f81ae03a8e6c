"""The rules of one connection: HELLO first, versions kept, echoes answered, errors final."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import ConnectionLost, ProtocolError, UsageError
from ovsnet.protocol.openflow import (
    Connection,
    ErrorMessage,
    Event,
    Message,
    Negotiated,
    NoCommonVersion,
    OpenFlowProtocolError,
    Version,
    echo_request,
    hello,
    parse_ports,
)
from ovsnet.protocol.openflow.message import pack_message

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

HELLO_13 = bytes.fromhex("040000080000000b")
DESC_PARTS = pack_message(4, 19, 9, bytes.fromhex("0000000100000000") + b"ab") + pack_message(
    4, 19, 9, bytes(8) + b"cd"
)

ONE_OF_EACH = b"".join(
    [
        HELLO_13,
        pack_message(4, 3, 1, b"payload"),
        pack_message(4, 2, 2, b"are you there"),
        pack_message(4, 1, 3, bytes.fromhex("000100010463000800000005")),
        DESC_PARTS,
        pack_message(4, 21, 4),
        pack_message(4, 200, 5, b"no such type"),
    ]
)
EVENTS_OF_EACH: list[Event] = [
    Negotiated(Version.OF13),
    Message(4, 3, 1, b"payload"),
    ErrorMessage(4, 3, 1, 1, "OFPBRC_BAD_TYPE", bytes.fromhex("0463000800000005")),
    Message(4, 19, 9, bytes(8) + b"abcd"),
    Message(4, 21, 4, b""),
    Message(4, 200, 5, b"no such type"),
]


def negotiated(version: int = 4) -> Connection:
    connection = Connection()
    connection.receive_data(pack_message(version, 0, 0))
    connection.data_to_send()
    return connection


def outcome(pieces: list[bytes]) -> tuple[list[object], str, bytes]:
    """What one connection tells of a stream cut into pieces: events, error, answers."""
    connection = Connection()
    events: list[object] = []
    for piece in pieces:
        try:
            events += connection.receive_data(piece)
        except OpenFlowProtocolError as error:
            return [*events, *error.events], str(error), connection.data_to_send()
    return events, "", connection.data_to_send()


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [*pieces, stream]


def test_our_hello_is_there_from_the_beginning_and_is_sent_once() -> None:
    connection = Connection(frozenset({Version.OF13}))

    assert connection.data_to_send() == hello([Version.OF13])
    assert connection.data_to_send() == b""


def test_no_version_is_the_callers_error() -> None:
    with pytest.raises(UsageError):
        Connection(frozenset())


def test_the_version_is_unknown_until_the_switch_said_hello() -> None:
    connection = Connection()
    assert connection.version is None

    assert connection.receive_data(HELLO_13) == [Negotiated(Version.OF13)]
    assert connection.version is Version.OF13


def test_every_kind_of_message_becomes_its_event() -> None:
    assert outcome([ONE_OF_EACH])[:2] == (EVENTS_OF_EACH, "")


@pytest.mark.parametrize(("version", "kind"), [(1, 17), (2, 19), (3, 19), (4, 19), (5, 19), (6, 19)])
def test_multipart_replies_are_joined_in_every_version(version: int, kind: int) -> None:
    size = 4 if version == 1 else 8
    first = pack_message(version, kind, 9, bytes.fromhex("00030001").ljust(size, b"\0") + b"ab")
    last = pack_message(version, kind, 9, bytes.fromhex("00030000").ljust(size, b"\0") + b"cd")
    connection = negotiated(version)

    assert connection.receive_data(first) == []
    assert connection.receive_data(last) == [Message(version, kind, 9, b"\0\3".ljust(size, b"\0") + b"abcd")]


def test_type_19_is_a_barrier_reply_in_1_0() -> None:
    assert negotiated(1).receive_data(pack_message(1, 19, 7)) == [Message(1, 19, 7, b"")]


def test_a_port_list_longer_than_one_message_is_read_whole() -> None:
    """1 104 ports of 64 bytes came from ovs-vswitchd 3.1 in two parts; here as many, with made-up numbers."""
    ports = [number.to_bytes(4) + bytes(60) for number in range(1104)]
    first = pack_message(4, 19, 1, bytes.fromhex("000d000100000000") + b"".join(ports[:1023]))
    last = pack_message(4, 19, 1, bytes.fromhex("000d000000000000") + b"".join(ports[1023:]))
    [reply] = negotiated().receive_data(first + last)

    assert isinstance(reply, Message)
    assert [port.number for port in parse_ports(reply)] == list(range(1104))


def test_multipart_replies_are_bounded() -> None:
    connection = Connection(max_multipart_bytes=9)

    with pytest.raises(OpenFlowProtocolError, match="more than 9 bytes"):
        connection.receive_data(HELLO_13 + DESC_PARTS)


@pytest.mark.parametrize("version", [4, 1, 6])
def test_an_echo_request_is_answered_with_its_own_xid_payload_and_version(version: int) -> None:
    connection = negotiated(4)

    assert connection.receive_data(echo_request(version, 0, b"are you there")) == []
    assert connection.data_to_send() == pack_message(version, 3, 0, b"are you there")


@pytest.mark.parametrize("version", [1, 3, 6])
def test_echo_replies_and_errors_of_another_version_are_taken(version: int) -> None:
    """OVS answers a request of a version it does not speak in whatever version it can."""
    echo, error = negotiated(4).receive_data(
        pack_message(version, 3, 1) + pack_message(version, 1, 9, bytes.fromhex("00010000"))
    )

    assert echo == Message(version, 3, 1, b"")
    assert isinstance(error, ErrorMessage)
    assert error.name == "OFPBRC_BAD_VERSION"


@pytest.mark.parametrize("kind", [6, 19, 21, 200])
def test_any_other_message_of_another_version_is_refused(kind: int) -> None:
    with pytest.raises(OpenFlowProtocolError, match="has version 6, agreed was 4"):
        negotiated(4).receive_data(pack_message(6, kind, 1, bytes(8)))


@pytest.mark.parametrize("version", [4, 6])
def test_a_second_hello_is_refused(version: int) -> None:
    with pytest.raises(OpenFlowProtocolError, match="second HELLO"):
        negotiated(4).receive_data(pack_message(version, 0, 1))


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(echo_request(4, 1), id="openflow-without-hello"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="ssh"),
        pytest.param(b'{"method":"echo"', id="json-rpc"),
        pytest.param(b"HT", id="two-bytes-suffice"),
    ],
)
def test_a_peer_that_does_not_begin_with_hello_is_refused_at_once(opening: bytes) -> None:
    with pytest.raises(OpenFlowProtocolError, match="first message is of type") as caught:
        Connection().receive_data(opening)

    assert caught.value.remedy


def test_hello_of_version_0_is_refused() -> None:
    with pytest.raises(NoCommonVersion, match="no version known here"):
        Connection().receive_data(bytes.fromhex("0000000800000000"))


def test_nothing_in_common_is_refused_and_stays_so() -> None:
    """The bytes are from ovs-vswitchd 3.1, protocols=OpenFlow10,OpenFlow13,OpenFlow15, asked for 1.2."""
    connection = Connection(frozenset({Version.OF12}))
    hello_failed = pack_message(3, 1, 0, bytes(4) + b"We support versions 0x01, 0x04, 0x06")

    with pytest.raises(NoCommonVersion, match=r"OpenFlow 1\.0, OpenFlow 1\.3, OpenFlow 1\.5 and we"):
        connection.receive_data(bytes.fromhex("06000010000000550001000800000052"))
    with pytest.raises(NoCommonVersion):
        connection.receive_data(hello_failed)
    with pytest.raises(NoCommonVersion):
        connection.eof_received()


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"\0\0\0\1keep out", "OFPHFC_EPERM: keep out"), (b"\0\0\0\0", "OFPHFC_INCOMPATIBLE: no reason")],
)
def test_hello_failed_is_raised_with_the_switchs_own_words(body: bytes, words: str) -> None:
    with pytest.raises(OpenFlowProtocolError, match=words):
        negotiated(4).receive_data(pack_message(4, 1, 0, body))


def test_an_error_carries_the_events_before_it_and_is_repeated_without_them() -> None:
    connection = Connection()
    with pytest.raises(ProtocolError) as first:
        connection.receive_data(HELLO_13 + pack_message(4, 3, 1) + bytes(8))
    assert isinstance(first.value, OpenFlowProtocolError)
    assert first.value.events == (Negotiated(Version.OF13), Message(4, 3, 1, b""))

    with pytest.raises(OpenFlowProtocolError, match=str(first.value)) as again:
        connection.receive_data(pack_message(4, 3, 2))
    assert again.value.events == ()


def test_the_end_between_messages_is_no_error() -> None:
    connection = Connection()
    connection.eof_received()
    connection.receive_data(ONE_OF_EACH)
    connection.eof_received()

    assert connection.version is Version.OF13


@pytest.mark.parametrize(
    ("data", "where"),
    [
        pytest.param(HELLO_13[:5], "after 5 bytes of a message", id="header"),
        pytest.param(pack_message(4, 0, 1, bytes(8))[:12], "after 12 bytes of a message", id="body"),
        pytest.param(HELLO_13 + DESC_PARTS[:18], "inside a multipart reply", id="multipart"),
    ],
)
def test_the_end_inside_a_message_is_told(data: bytes, where: str) -> None:
    connection = Connection()
    connection.receive_data(data)

    with pytest.raises(ConnectionLost, match=where):
        connection.eof_received()


def test_pending_bytes_are_those_of_a_message_that_has_begun() -> None:
    connection = Connection()
    connection.receive_data(HELLO_13[:5])
    assert connection.pending_bytes == 5
    connection.receive_data(HELLO_13[5:])
    assert connection.pending_bytes == 0


@unhurried
@given(st.lists(st.integers(1, 40)))
def test_any_split_gives_the_same_events_and_answers(sizes: list[int]) -> None:
    assert outcome(cut(ONE_OF_EACH, sizes)) == outcome([ONE_OF_EACH])


frames = st.builds(
    pack_message, st.sampled_from([0, 1, 4, 4, 4, 9]), st.integers(0, 25), st.integers(0, 3), st.binary(max_size=30)
)


@unhurried
@given(st.lists(frames, max_size=6), st.binary(max_size=12), st.booleans(), st.lists(st.integers(0, 25)))
def test_random_bytes_give_events_or_a_protocol_error_however_they_are_split(
    messages: list[bytes], rest: bytes, greeted: bool, sizes: list[int]
) -> None:
    """Any other exception would leave ``outcome`` and fail this test."""
    stream = HELLO_13 * greeted + b"".join(messages) + rest

    assert outcome(cut(stream, sizes)) == outcome([stream])


def test_parts_are_handed_out_as_they_come_where_that_was_asked_for() -> None:
    connection = negotiated()
    connection.in_parts(9)
    first = Message(4, 19, 9, bytes.fromhex("0000000100000000") + b"ab")
    assert connection.receive_data(DESC_PARTS) == [first, Message(4, 19, 9, bytes(8) + b"cd")]
    assert connection.receive_data(DESC_PARTS) == [Message(4, 19, 9, bytes(8) + b"abcd")]


def test_part_too_short_for_its_header_is_refused_there_too() -> None:
    connection = negotiated()
    connection.in_parts(9)
    with pytest.raises(OpenFlowProtocolError):
        connection.receive_data(pack_message(4, 19, 9, b"\0\0"))
