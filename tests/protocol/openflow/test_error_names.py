"""Numbers of errors move between versions; their names do not."""

from __future__ import annotations

import pytest

from ovsnet.protocol.openflow import error_name
from ovsnet.protocol.openflow.error_names import _TABLES
from ovsnet.protocol.openflow.message import NICIRA, ONF


@pytest.mark.parametrize(
    ("version", "type", "code", "name"),
    [
        (1, 0, 0, "OFPHFC_INCOMPATIBLE"),
        (6, 0, 1, "OFPHFC_EPERM"),
        (6, 1, 0, "OFPBRC_BAD_VERSION"),
        (1, 1, 5, "OFPBRC_EPERM"),
        (2, 1, 9, "OFPBRC_BAD_TABLE_ID"),
        (3, 1, 10, "OFPBRC_IS_SECONDARY"),
        (6, 1, 13, "OFPBRC_MULTIPART_BUFFER_OVERFLOW"),
        (6, 2, 17, "OFPBAC_BAD_METER"),
        (1, 3, 0, "OFPFMFC_TABLE_FULL"),
        (2, 3, 0, "OFPBIC_UNKNOWN_INST"),
        (2, 3, 5, "OFPBIC_BAD_EXPERIMENTER"),
        (5, 3, 9, "OFPBIC_DUP_INST"),
        (1, 4, 0, "OFPPMFC_BAD_PORT"),
        (2, 4, 0, "OFPBMC_BAD_TYPE"),
        (1, 5, 2, "OFPQOFC_EPERM"),
        (2, 5, 1, "OFPFMFC_TABLE_FULL"),
        (6, 6, 16, "OFPGMFC_BUCKET_EXISTS"),
        (2, 7, 3, "OFPPMFC_BAD_ADVERTISE"),
        (3, 8, 2, "OFPTMFC_EPERM"),
        (6, 9, 1, "OFPQOFC_BAD_QUEUE"),
        (3, 10, 2, "OFPSCFC_EPERM"),
        (3, 11, 2, "OFPRRFC_BAD_ROLE"),
        (4, 12, 11, "OFPMMFC_OUT_OF_BANDS"),
        (4, 13, 4, "OFPBPC_BAD_VALUE"),
        (6, 13, 5, "OFPTFFC_EPERM"),
        (5, 14, 2, "OFPBPC_BAD_VALUE"),
        (5, 15, 2, "OFPACFC_EPERM"),
        (5, 16, 7, "OFPMOFC_BAD_OUT"),
        (6, 17, 18, "OFPBFC_SCHED_PAST"),
    ],
)
def test_standard_errors(version: int, type: int, code: int, name: str) -> None:
    assert error_name(version, type, code) == name


@pytest.mark.parametrize(
    ("version", "type", "code", "experimenter", "name"),
    [
        (1, 1, 513, NICIRA, "OFPRRFC_BAD_ROLE"),
        (2, 5, 257, NICIRA, "NXFMFC_BAD_TABLE_ID"),
        (3, 0xFFFF, 2, NICIRA, "NXBRC_NXM_INVALID"),
        (6, 0xFFFF, 38, NICIRA, "NXTTMFC_INVALID_TLV_DEL"),
        (4, 0xFFFF, 2600, ONF, "OFPBIC_DUP_INST"),
        (4, 0xFFFF, 2315, ONF, "OFPBFC_BUNDLE_IN_PROGRESS"),
    ],
)
def test_errors_of_experimenters(version: int, type: int, code: int, experimenter: int, name: str) -> None:
    assert error_name(version, type, code, experimenter) == name


@pytest.mark.parametrize(
    ("version", "type", "code", "experimenter", "text"),
    [
        pytest.param(6, 7, 99, 0, "type 7 code 99", id="code"),
        pytest.param(6, 77, 0, 0, "type 77 code 0", id="type"),
        pytest.param(1, 3, 9, 0, "type 3 code 9", id="not-in-this-version"),
        pytest.param(7, 0, 0, 0, "type 0 code 0", id="version"),
        pytest.param(6, 0xFFFF, 1, 0xABC, "experimenter 0xabc type 65535 code 1", id="experimenter"),
        pytest.param(6, 0xFFFF, 999, NICIRA, "experimenter 0x2320 type 65535 code 999", id="nicira-code"),
    ],
)
def test_an_unknown_error_is_named_by_its_numbers(
    version: int, type: int, code: int, experimenter: int, text: str
) -> None:
    assert error_name(version, type, code, experimenter) == text


def test_no_number_has_two_names() -> None:
    rows = [
        (experimenter, version, codes.type, codes.first_code + place)
        for experimenter, table in _TABLES.items()
        for codes in table
        for version in range(codes.since, codes.until + 1)
        for place in range(len(codes.names.split()))
    ]

    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(("version", "rows"), [(1, 31), (2, 66), (3, 92), (4, 111), (5, 150), (6, 167)])
def test_every_standard_error_of_a_version_is_there(version: int, rows: int) -> None:
    """As many as ovs-ofctl 3.1 print-error tells, less the numbers that it gives to two names (1 in 1.0, 2 in 1.1)."""
    named = [codes for codes in _TABLES[0] if codes.since <= version <= codes.until]

    assert sum(len(codes.names.split()) for codes in named) == rows
