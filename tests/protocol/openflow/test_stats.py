"""DESC, TABLE and AGGREGATE. The bytes are from ovs-vswitchd 3.1 unless a test says otherwise."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import (
    Aggregate,
    Desc,
    Message,
    OpenFlowProtocolError,
    TableStats,
    parse_aggregate,
    parse_desc,
    parse_tables,
)
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_header

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

TABLE_10 = "00" * 36 + "003fffff000f42400000000200000000000000030000000000000003"
TABLE_11 = (
    "00" * 40 + "0000fbff0000fbff0000003e01ffe7ff01ffe7ff00000000000f42400000000200000000000000030000000000000003"
)
TABLE_12 = (
    "00" * 40
    + "0000101ffffffffd" * 2
    + "03ff8001" * 2
    + "0000000ffffffbdd" * 2
    + "ffffffffffffffff" * 2
    + "0000003e00000000000f4240"
    "0000000200000000000000030000000000000003"
)
TABLE_13 = "000000000000000200000000000000030000000000000003"

SUMS = "000000000000000300000000000000b40000000300000000"
OXS_SUMS = "0000002480020808000000000000000380020a0800000000000000b4800206040000000300000000"


def reply(version: int, kind: MultipartKind, body: str) -> Message:
    kind_of_message = 17 if version == 1 else 19
    return Message(version, kind_of_message, 1, multipart_header(version, kind) + bytes.fromhex(body))


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_desc(version: int) -> None:
    body = struct.pack("256s256s256s32s256s", b"Nicira, Inc.", b"Open vSwitch", b"3.1.0", b"None", b"\xff")
    desc = parse_desc(reply(version, MultipartKind.DESC, body.hex()))

    assert desc == Desc("Nicira, Inc.", "Open vSwitch", "3.1.0", "None", "\\xff")


@pytest.mark.parametrize(
    ("version", "entry", "size"),
    [(1, TABLE_10, 64), (2, TABLE_11, 88), (3, TABLE_12, 128), (4, TABLE_13, 24), (5, TABLE_13, 24), (6, TABLE_13, 24)],
)
def test_tables(version: int, entry: str, size: int) -> None:
    """Two tables, the second of which differs from the captured first in its number only."""
    assert len(bytes.fromhex(entry)) == size
    tables = parse_tables(reply(version, MultipartKind.TABLE, entry + "07" + entry[2:]))

    assert tables == (TableStats(0, 2, 3, 3), TableStats(7, 2, 3, 3))


@pytest.mark.parametrize(("version", "body"), [(1, SUMS), (2, SUMS), (3, SUMS), (4, SUMS), (5, SUMS), (6, OXS_SUMS)])
def test_aggregate(version: int, body: str) -> None:
    assert parse_aggregate(reply(version, MultipartKind.AGGREGATE, body)) == Aggregate(3, 180, 3)


def test_counts_that_the_switch_does_not_keep_are_none() -> None:
    unknown = reply(4, MultipartKind.AGGREGATE, "ff" * 16 + "0000000300000000")

    assert parse_aggregate(unknown) == Aggregate(None, None, 3)


def test_oxs_fields_of_other_classes_and_other_fields_are_passed_over() -> None:
    body = "00000018" + "ffff0a080000000000000001" + "8002060400000005"

    assert parse_aggregate(reply(6, MultipartKind.AGGREGATE, body)) == Aggregate(None, None, 5)


@pytest.mark.parametrize(
    ("parse", "version", "kind", "body"),
    [
        pytest.param(parse_desc, 4, MultipartKind.DESC, "00" * 1055, id="desc-short"),
        pytest.param(parse_desc, 4, MultipartKind.TABLE, "00" * 1056, id="another-kind"),
        pytest.param(parse_tables, 4, MultipartKind.TABLE, TABLE_13[2:], id="table-short"),
        pytest.param(parse_tables, 1, MultipartKind.TABLE, TABLE_13, id="table-of-another-version"),
        pytest.param(parse_aggregate, 1, MultipartKind.AGGREGATE, SUMS[2:], id="sums-short"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, "0000", id="oxs-short"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, "00000003" + "00" * 4, id="oxs-length-below-header"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, OXS_SUMS[:-10], id="oxs-length-past-message"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, "0000000680020000", id="oxs-half-a-field"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, "0000000a8002060400000005", id="oxs-past-the-list"),
        pytest.param(parse_aggregate, 6, MultipartKind.AGGREGATE, "0000000400000000", id="oxs-without-flow-count"),
    ],
)
def test_anything_else_is_refused(
    parse: Callable[[Message], object], version: int, kind: MultipartKind, body: str
) -> None:
    with pytest.raises(OpenFlowProtocolError):
        parse(reply(version, kind, body))


@unhurried
@given(
    st.sampled_from(
        [
            (parse_desc, MultipartKind.DESC),
            (parse_tables, MultipartKind.TABLE),
            (parse_aggregate, MultipartKind.AGGREGATE),
        ]
    ),
    st.integers(0, 7),
    st.binary(max_size=130),
)
def test_no_body_breaks_a_reader(
    reader: tuple[Callable[[Message], object], MultipartKind], version: int, body: bytes
) -> None:
    parse, kind = reader
    try:
        result = parse(reply(version, kind, body.hex()))
    except OpenFlowProtocolError:
        return
    assert isinstance(result, tuple | Aggregate | Desc)
