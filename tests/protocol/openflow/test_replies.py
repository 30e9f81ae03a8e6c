"""FEATURES, GET_CONFIG and ROLE. The bytes are from ovs-vswitchd 3.1 unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import (
    Config,
    Features,
    Message,
    OpenFlowProtocolError,
    Port,
    Role,
    RoleReply,
    parse_config,
    parse_features,
    parse_role,
)

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

P1_10 = "0001aa55aa55000f7031" + "00" * 38
P1_12 = "0000000100000000aa55aa55000f00007031" + "00" * 14 + "0000000000000004" + "00" * 24


def message(version: int, kind: int, body: str) -> Message:
    return Message(version, kind, 1, bytes.fromhex(body))


@pytest.mark.parametrize(
    ("version", "body", "features"),
    [
        pytest.param(
            1,
            "00000000deadbeef00000000fe000000000000c700000fff" + P1_10,
            Features(0xDEADBEEF, 0, 254, 0, 0xC7, (Port(1, "p1", "aa:55:aa:55:00:0f", 0, 0),)),
            id="1.0",
        ),
        pytest.param(
            3,
            "00000000deadbeef00000000fe0000000000004f00000000" + P1_12,
            Features(0xDEADBEEF, 0, 254, 0, 0x4F, (Port(1, "p1", "aa:55:aa:55:00:0f", 0, 4),)),
            id="1.2",
        ),
        pytest.param(
            4,
            "00000000deadbeef00000000fe0000000000004f00000000",
            Features(0xDEADBEEF, 0, 254, 0, 0x4F),
            id="1.3",
        ),
        pytest.param(
            6,
            "00000000deadbeef00000100fe0200000000024f00000000",
            Features(0xDEADBEEF, 256, 254, 2, 0x24F),
            id="1.5-made-up-auxiliary-connection",
        ),
    ],
)
def test_features(version: int, body: str, features: Features) -> None:
    assert parse_features(message(version, 6, body)) == features


def test_up_to_1_2_the_auxiliary_id_is_padding() -> None:
    assert parse_features(message(3, 6, "00" * 12 + "fe07" + "00" * 10)).auxiliary_id == 0


def test_config() -> None:
    assert parse_config(message(6, 8, "00010080")) == Config(flags=1, miss_send_len=128)


@pytest.mark.parametrize(
    ("version", "kind", "body", "reply"),
    [
        pytest.param(1, 4, "000023200000000b00000000", RoleReply(Role.EQUAL), id="nicira-other"),
        pytest.param(2, 4, "000023200000000b00000002", RoleReply(Role.SECONDARY), id="nicira-secondary"),
        pytest.param(3, 25, "0000000100000000" + "ff" * 8, RoleReply(Role.EQUAL), id="no-generation-yet"),
        pytest.param(6, 25, "0000000200000000" + "00" * 7 + "09", RoleReply(Role.PRIMARY, 9), id="a-generation"),
    ],
)
def test_role(version: int, kind: int, body: str, reply: RoleReply) -> None:
    assert parse_role(message(version, kind, body)) == reply


@pytest.mark.parametrize(
    ("parse", "bad"),
    [
        pytest.param(parse_features, message(4, 6, "00" * 23), id="features-short"),
        pytest.param(parse_features, message(4, 8, "00" * 24), id="features-of-another-type"),
        pytest.param(parse_features, message(1, 6, "00" * 25), id="features-with-a-byte-of-a-port"),
        pytest.param(parse_config, message(4, 8, "000000"), id="config-short"),
        pytest.param(parse_config, message(4, 6, "00000000"), id="config-of-another-type"),
        pytest.param(parse_role, message(4, 25, "00" * 15), id="role-short"),
        pytest.param(parse_role, message(4, 4, "00" * 16), id="role-of-another-type"),
        pytest.param(parse_role, message(4, 25, "00000004" + "00" * 12), id="role-unknown"),
        pytest.param(parse_role, message(1, 25, "00" * 16), id="nicira-role-of-another-type"),
        pytest.param(parse_role, message(1, 4, "00002320"), id="nicira-role-short"),
        pytest.param(parse_role, message(1, 4, "000023210000000b00000000"), id="of-another-experimenter"),
        pytest.param(parse_role, message(1, 4, "000023200000000c00000000"), id="another-nicira-message"),
        pytest.param(parse_role, message(1, 4, "000023200000000bffffffff"), id="nicira-role-unknown"),
    ],
)
def test_anything_else_is_refused(parse: Callable[[Message], object], bad: Message) -> None:
    with pytest.raises(OpenFlowProtocolError):
        parse(bad)


@unhurried
@given(
    st.sampled_from([parse_features, parse_config, parse_role]),
    st.builds(Message, st.integers(0, 7), st.sampled_from([4, 6, 8, 25]), st.just(1), st.binary(max_size=130)),
)
def test_no_message_breaks_a_reader(parse: Callable[[Message], object], odd: Message) -> None:
    try:
        reply = parse(odd)
    except OpenFlowProtocolError:
        return
    assert isinstance(reply, Features | Config | RoleReply)
