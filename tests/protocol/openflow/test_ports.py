"""Ports in their three layouts. The whole replies are from ovs-vswitchd 3.1 with two dummy ports."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.protocol.openflow import Message, OpenFlowProtocolError, Port, parse_ports
from ovsnet.protocol.openflow.ports import LOCAL, LOCAL_10, read_ports

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

ZEROES_16 = "00" * 16
BR0, P1, P2 = "a2cff3b54841", "aa55aa55000f", "aa55aa55000e"
NAMES = ("627230" + "00" * 13, "7031" + "00" * 14, "7032" + "00" * 14)

PORTS_10 = "".join(
    number + mac + name + "00000000" * 2 + ZEROES_16
    for number, mac, name in zip(("fffe", "0001", "0002"), (BR0, P1, P2), NAMES, strict=True)
)
PORTS_13 = "".join(
    number + "00000000" + mac + "0000" + name + "0000000000000004" + "00" * 24
    for number, mac, name in zip(("fffffffe", "00000001", "00000002"), (BR0, P1, P2), NAMES, strict=True)
)
PORTS_15 = "".join(
    number + "00480000" + mac + "0000" + name + "0000000000000004" + "00000020" + "00" * 28
    for number, mac, name in zip(("fffffffe", "00000001", "00000002"), (BR0, P1, P2), NAMES, strict=True)
)


def reply(version: int, body: str) -> Message:
    header = "000d0000" if version == 1 else "000d000000000000"
    return Message(version, 17 if version == 1 else 19, 1, bytes.fromhex(header + body))


@pytest.mark.parametrize(
    ("version", "body", "local", "state"),
    [
        (1, PORTS_10, LOCAL_10, 0),
        (2, PORTS_13, LOCAL, 4),
        (3, PORTS_13, LOCAL, 4),
        (4, PORTS_13, LOCAL, 4),
        (5, PORTS_15, LOCAL, 4),
        (6, PORTS_15, LOCAL, 4),
    ],
)
def test_every_version_tells_the_same_ports(version: int, body: str, local: int, state: int) -> None:
    assert parse_ports(reply(version, body)) == (
        Port(local, "br0", "a2:cf:f3:b5:48:41", 0, state),
        Port(1, "p1", "aa:55:aa:55:00:0f", 0, state),
        Port(2, "p2", "aa:55:aa:55:00:0e", 0, state),
    )


@pytest.mark.parametrize("version", [1, 4, 6])
def test_a_switch_without_ports_has_none(version: int) -> None:
    assert parse_ports(reply(version, "")) == ()


@pytest.mark.parametrize(
    ("config", "state", "down"), [(0, 4, (False, False)), (1, 1, (True, True)), (0, 1, (False, True))]
)
def test_bit_0_means_down(config: int, state: int, down: tuple[bool, bool]) -> None:
    port = Port(1, "p1", "aa:55:aa:55:00:0f", config, state)

    assert (port.admin_down, port.link_down) == down


@pytest.mark.parametrize(
    ("version", "body"),
    [
        pytest.param(1, PORTS_10[:-2], id="1.0-cut-short"),
        pytest.param(4, PORTS_13 + "00", id="1.3-with-a-byte-left"),
        pytest.param(6, PORTS_15 + "00", id="1.5-with-a-byte-left"),
        pytest.param(6, PORTS_15[:-2], id="1.5-properties-cut-short"),
        pytest.param(6, PORTS_15.replace("0048", "0027"), id="1.5-length-below-its-own-fields"),
        pytest.param(6, PORTS_15.replace("0048", "0000"), id="1.5-length-0-would-never-end"),
    ],
)
def test_a_list_cut_short_is_refused(version: int, body: str) -> None:
    with pytest.raises(OpenFlowProtocolError):
        parse_ports(reply(version, body))


@unhurried
@given(st.integers(0, 255), st.binary(max_size=200))
def test_no_bytes_break_the_reader(version: int, body: bytes) -> None:
    try:
        ports = read_ports(version, body)
    except OpenFlowProtocolError:
        return
    assert len(ports) <= len(body) // 40
