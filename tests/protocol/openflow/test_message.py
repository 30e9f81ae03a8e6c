"""The header, the numbers that move between versions, and numbers that do not fit."""

from __future__ import annotations

import pytest

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow import ALL_VERSIONS, MessageType, Version, echo_request
from ovsnet.protocol.openflow.message import barrier_request_type, fixed_text, pack_message, stats_request_type


def test_a_message_is_a_header_with_its_whole_length_and_a_body() -> None:
    assert pack_message(Version.OF13, MessageType.ECHO_REQUEST, 0x01020304, b"hi").hex() == "0402000a010203046869"


def test_all_versions_are_the_six_wire_numbers() -> None:
    assert sorted(ALL_VERSIONS) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("version", "stats", "barrier"), [(1, 16, 18), (2, 18, 20), (3, 18, 20), (6, 18, 20)])
def test_stats_and_barrier_moved_after_1_0(version: int, stats: int, barrier: int) -> None:
    assert (stats_request_type(version), barrier_request_type(version)) == (stats, barrier)


@pytest.mark.parametrize(
    ("version", "xid", "payload"),
    [
        pytest.param(4, -1, b"", id="negative-xid"),
        pytest.param(4, 1 << 32, b"", id="xid-of-33-bits"),
        pytest.param(256, 1, b"", id="version-of-9-bits"),
        pytest.param(4, 1, bytes(65528), id="body-one-byte-too-long"),
    ],
)
def test_a_number_that_does_not_fit_is_the_callers_error(version: int, xid: int, payload: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        echo_request(version, xid, payload)

    assert "65527" in caught.value.remedy


def test_the_longest_payload_fits() -> None:
    assert len(echo_request(4, 0xFFFFFFFF, bytes(65527))) == 65535


@pytest.mark.parametrize(
    ("field", "text"),
    [(b"br-int\0\0", "br-int"), (b"\0\0", ""), (b"full", "full"), (b"a\xff\0b", "a\\xff"), ("ü".encode(), "ü")],
)
def test_text_ends_at_the_first_nul_and_never_fails(field: bytes, text: str) -> None:
    assert fixed_text(field) == text
