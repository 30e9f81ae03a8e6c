"""Replies in several messages: joined by xid, bounded, and as if they had come in one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import Message, OpenFlowProtocolError
from ovsnet.protocol.openflow.message import stats_request_type
from ovsnet.protocol.openflow.multipart import (
    MAX_UNFINISHED_REPLIES,
    Joiner,
    MultipartKind,
    multipart_body,
    multipart_header,
)

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)


def part(body: bytes, *, more: bool, version: int = 4, xid: int = 7, kind: int = MultipartKind.PORT_DESC) -> Message:
    header = bytearray(multipart_header(version, kind))
    header[3] = more
    return Message(version, stats_request_type(version) + 1, xid, bytes(header) + body)


def test_the_header_is_4_bytes_in_1_0_and_8_later() -> None:
    assert [multipart_header(version, 13).hex() for version in (1, 2, 6)] == ["000d0000"] + ["000d000000000000"] * 2


def test_a_reply_in_one_part_passes_untouched() -> None:
    whole = part(b"abc", more=False)

    assert Joiner(0).add(whole) is whole


@unhurried
@given(st.sampled_from([1, 2, 3, 4, 5, 6]), st.lists(st.binary(max_size=20), min_size=1, max_size=6))
def test_joined_parts_look_like_one_message(version: int, bodies: list[bytes]) -> None:
    joiner = Joiner(1000)
    results = [joiner.add(part(body, more=True, version=version)) for body in bodies[:-1]]
    whole = joiner.add(part(bodies[-1], more=False, version=version))

    assert not any(results)
    assert whole == part(b"".join(bodies), more=False, version=version)
    assert len(joiner) == 0


def test_replies_that_interleave_are_kept_apart_by_xid() -> None:
    joiner = Joiner(1000)
    joiner.add(part(b"a", more=True, xid=1))
    joiner.add(part(b"x", more=True, xid=2))

    assert joiner.add(part(b"b", more=False, xid=1)) == part(b"ab", more=False, xid=1)
    assert joiner.add(part(b"y", more=False, xid=2)) == part(b"xy", more=False, xid=2)


def test_a_finished_reply_gives_back_what_it_held() -> None:
    joiner = Joiner(40)
    for _ in range(10):
        joiner.add(part(bytes(16), more=True))
        assert joiner.add(part(bytes(16), more=False)) is not None


def test_more_than_the_bound_is_refused() -> None:
    joiner = Joiner(40)
    joiner.add(part(bytes(16), more=True, xid=1))

    with pytest.raises(OpenFlowProtocolError, match="more than 40 bytes"):
        joiner.add(part(bytes(16), more=True, xid=2))


def test_the_last_part_counts_against_the_bound_too() -> None:
    joiner = Joiner(40)
    joiner.add(part(bytes(16), more=True))

    with pytest.raises(OpenFlowProtocolError, match="more than 40 bytes"):
        joiner.add(part(bytes(17), more=False))


def test_endless_unfinished_replies_are_refused() -> None:
    joiner = Joiner(1 << 20)
    for xid in range(MAX_UNFINISHED_REPLIES):
        joiner.add(part(b"", more=True, xid=xid))

    with pytest.raises(OpenFlowProtocolError, match="unfinished"):
        joiner.add(part(b"", more=True, xid=MAX_UNFINISHED_REPLIES))


def test_parts_of_different_kinds_are_refused() -> None:
    joiner = Joiner(1000)
    joiner.add(part(b"", more=True, kind=MultipartKind.DESC))

    with pytest.raises(OpenFlowProtocolError, match="0x7 are of different kinds"):
        joiner.add(part(b"", more=False, kind=MultipartKind.TABLE))


@pytest.mark.parametrize(("version", "size"), [(1, 3), (4, 7), (4, 0)])
def test_a_part_shorter_than_its_header_is_refused(version: int, size: int) -> None:
    with pytest.raises(OpenFlowProtocolError, match=f"{size} bytes of body"):
        Joiner(1000).add(Message(version, stats_request_type(version) + 1, 7, bytes(size)))


def test_experimenter_replies_pass_part_by_part() -> None:
    first = part(b"abcdefgh", more=True, kind=MultipartKind.EXPERIMENTER)

    assert Joiner(0).add(first) is first


def test_the_body_of_a_reply_is_what_follows_its_header() -> None:
    assert multipart_body(part(b"abc", more=False, version=1), MultipartKind.PORT_DESC) == b"abc"
    assert multipart_body(part(b"abc", more=False, version=6), MultipartKind.PORT_DESC) == b"abc"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(part(b"", more=False, kind=MultipartKind.TABLE), id="another-kind"),
        pytest.param(Message(4, 6, 7, bytes(8)), id="another-type"),
        pytest.param(Message(4, 19, 7, b"\0"), id="too-short"),
    ],
)
def test_the_body_of_anything_else_is_refused(message: Message) -> None:
    with pytest.raises(OpenFlowProtocolError):
        multipart_body(message, MultipartKind.DESC)
