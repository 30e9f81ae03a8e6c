"""ERROR messages. The bytes are from ovs-vswitchd 3.1 unless a test says otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import ErrorMessage, Message, OpenFlowProtocolError, parse_error
from ovsnet.protocol.openflow.message import NICIRA

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

ROLE_9 = "04001400000005000023200000000a00000009"


def error(version: int, body: str) -> Message:
    return Message(version, 1, 5, bytes.fromhex(body))


def test_a_refusal_carries_the_refused_request() -> None:
    request = bytes.fromhex("0463000800000005")

    assert parse_error(error(4, "00010001" + request.hex())) == ErrorMessage(
        version=4, xid=5, type=1, code=1, name="OFPBRC_BAD_TYPE", data=request
    )


@pytest.mark.parametrize("version", [1, 2])
def test_up_to_1_1_a_nicira_error_has_type_and_code_inside(version: int) -> None:
    request = f"0{version}" + ROLE_9
    parsed = parse_error(error(version, "b0c20000000023200001" + "0201" + request))

    assert parsed == ErrorMessage(version, 5, 1, 513, "OFPRRFC_BAD_ROLE", bytes.fromhex(request), NICIRA)


@pytest.mark.parametrize("version", [3, 6])
def test_since_1_2_an_experimenter_error_has_a_code_and_an_owner(version: int) -> None:
    """Made up: no request of ours provokes one."""
    parsed = parse_error(error(version, "ffff000200002320" + "616263"))

    assert parsed == ErrorMessage(version, 5, 0xFFFF, 2, "NXBRC_NXM_INVALID", b"abc", NICIRA)


@pytest.mark.parametrize(("version", "body", "type"), [(1, "ffff0002", 0xFFFF), (3, "b0c20000", 0xB0C2)])
def test_neither_form_is_read_in_the_versions_of_the_other(version: int, body: str, type: int) -> None:
    parsed = parse_error(error(version, body))

    assert (parsed.type, parsed.experimenter) == (type, 0)


def test_hello_failed_speaks() -> None:
    assert parse_error(error(3, "00000000" + b"We support version 0x01".hex())).text == "We support version 0x01"


@pytest.mark.parametrize(("version", "body"), [(4, "00010001616263"), (4, "ffff000000002320616263")])
def test_other_errors_have_no_text(version: int, body: str) -> None:
    assert parse_error(error(version, body)).text == ""


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(error(4, "000100"), id="short"),
        pytest.param(error(1, "b0c2000000002320"), id="nicira-short"),
        pytest.param(error(4, "ffff0000"), id="experimenter-short"),
        pytest.param(Message(4, 3, 1, bytes(8)), id="another-type"),
    ],
)
def test_anything_else_is_refused(message: Message) -> None:
    with pytest.raises(OpenFlowProtocolError):
        parse_error(message)


@unhurried
@given(st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=20))
def test_every_error_with_its_fields_has_a_name(version: int, type: int, code: int, data: bytes) -> None:
    body = type.to_bytes(2) + code.to_bytes(2) + bytes(8) + data

    assert parse_error(Message(version, 1, 0, body)).name
