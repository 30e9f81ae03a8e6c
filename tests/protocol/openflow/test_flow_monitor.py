"""Changes of flows in their three forms, of bytes by hand; tests/openflow asks a real switch."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow import Message, OpenFlowProtocolError
from ovsnet.protocol.openflow.multipart import Joiner

NICIRA, ONF = "00002320 00000002", "4f4e4600 0000074e"
OPENINGS = {
    1: f"ffff 0000 {NICIRA} 00000000",
    2: f"ffff 0000 00000000 {NICIRA}",
    3: f"ffff 0000 00000000 {NICIRA}",
    4: f"ffff 0000 00000000 {ONF}",
    5: "0010 0000 00000000",
    6: "0010 0000 00000000",
}
"""Kind, flags, padding, and whose statistics these are."""

ANY_OXM = "0001 0004 00000000"
OUTPUT_10 = "0000 0008 0001 0000"
OUTPUT = "0000 0010 00000001 ffff 000000000000"
APPLY = f"0004 0018 00000000 {OUTPUT}"
IP = "0000 0602 0800 0000"
"""Nicira's form of ``ip``: the Ethernet type, padded."""


def update(version: int, changes: str, xid: int = 0) -> Message:
    return Message(version, 17 if version == 1 else 19, xid, bytes.fromhex(OPENINGS[version] + changes))


def nicira(version: int, event: int, reason: int = 0, actions: str = "") -> str:
    """A change as it comes up to 1.3: event, reason, priority, timeouts, length of the match, table, cookie."""
    match = ANY_OXM if version == 4 else IP
    length = 24 + (len(bytes.fromhex(match)) + len(bytes.fromhex(actions)))
    return f"{length:04x} {event:04x} {reason:04x} 8000 0005 0006 0006 02 00 0000000000000007 {match} {actions}"


def standard(event: int, reason: int = 0) -> str:
    length = 24 + 8 + 24
    return f"{length:04x} {event:04x} 02 {reason:02x} 0005 0006 8000 00000000 0000000000000007 {ANY_OXM} {APPLY}"


RULE = "cookie=0x7, table=2, idle_timeout=5, hard_timeout=6, "


@pytest.mark.parametrize(
    ("version", "actions", "match"), [(1, OUTPUT_10, "ip "), (2, OUTPUT, "ip "), (3, OUTPUT, "ip "), (4, APPLY, "")]
)
def test_changes_up_to_1_3(version: int, actions: str, match: str) -> None:
    sent = nicira(version, 0, 0, actions) + nicira(version, 2, 0, actions) + nicira(version, 1, 1)
    said = wire.parse_flow_update(update(version, sent))
    assert list(map(str, said.changes)) == [
        f"added: {RULE}{match}actions=output:1",
        f"modified: {RULE}{match}actions=output:1",
        f"removed (hard): {RULE}{match}actions=drop",
    ]
    assert (said.abbreviated, said.paused) == ((), None)
    (first,) = wire.parse_flow_update(update(version, nicira(version, 0), 9), initial=True).changes
    assert first.change == "initial"
    assert wire.parse_flow_update(update(version, "0008 0003 00000009")).abbreviated == (9,)


@pytest.mark.parametrize("version", [5, 6])
def test_changes_since_1_4(version: int) -> None:
    sent = "".join(standard(event, reason) for event, reason in ((0, 0), (1, 0), (2, 5), (2, 9), (3, 0)))
    changes = wire.parse_flow_update(update(version, sent), initial=True).changes
    assert [(each.change, each.reason) for each in changes] == [
        ("initial", ""),
        ("initial", ""),
        ("removed", "eviction"),
        ("removed", "9"),
        ("modified", ""),
    ]
    assert {each.flow.rule for each in changes} == {f"{RULE}actions=output:1"}
    said = wire.parse_flow_update(update(version, "0008 0004 00000009"))
    assert (said.changes, said.abbreviated) == ((), (9,))


def test_pause_and_its_end() -> None:
    for version, kind, pauses in ((1, "00002320", ("16", "17")), (4, "4f4e4600", ("074f", "0750"))):
        for paused, number in zip((True, False), pauses, strict=True):
            message = Message(version, 4, 0, bytes.fromhex(kind + number.zfill(8)))
            assert wire.is_flow_update(message)
            assert wire.parse_flow_update(message) == wire.FlowUpdate((), paused=paused)
    for paused, event in ((True, 5), (False, 6)):
        assert wire.parse_flow_update(update(5, f"0008 000{event} 00000000")).paused is paused


@pytest.mark.parametrize("version", OPENINGS)
def test_other_messages_are_none(version: int) -> None:
    reply = 17 if version == 1 else 19
    assert wire.is_flow_update(update(version, ""))
    for kind, body in (
        (12, ""),
        (4, ""),
        (reply, ""),
        (reply, "0001 0000 00000000"),
        (reply, "ffff 0000 00000000 0000"),
    ):
        message = Message(version, kind, 0, bytes.fromhex(body))
        assert not wire.is_flow_update(message)
        with pytest.raises(OpenFlowProtocolError):
            wire.parse_flow_update(message)


@pytest.mark.parametrize(
    ("version", "changes"),
    [
        pytest.param(5, "0008 0007 00000000", id="unknown-event"),
        pytest.param(4, "0008 0004 00000000", id="unknown-event-before-1.4"),
        pytest.param(5, "0008 0001 00000000", id="no-flow"),
        pytest.param(3, "0008 0001 00000000", id="no-flow-before-1.4"),
        pytest.param(5, "0004 0005", id="below-its-header"),
        pytest.param(5, "0018 0001 02 00 0005 0006 8000 00000000 0000000000000007", id="no-match"),
        pytest.param(5, "0010 0005 00000000", id="past-the-end"),
        pytest.param(1, nicira(1, 0).replace("0006 0006 02", "0006 0666 02"), id="match-past-the-end"),
    ],
)
def test_damaged_changes_are_refused(version: int, changes: str) -> None:
    with pytest.raises(OpenFlowProtocolError):
        wire.parse_flow_update(update(version, changes))


@given(st.sampled_from(list(OPENINGS)), st.binary(max_size=150), st.booleans())
def test_any_bytes_are_read_or_refused(version: int, changes: bytes, initial: bool) -> None:
    for sized in (changes, (len(changes) + 2).to_bytes(2) + changes):
        message = update(version, sized.hex())
        assert wire.is_flow_update(message)
        with suppress(OpenFlowProtocolError):
            list(map(str, wire.parse_flow_update(message, initial=initial).changes))


REQUESTS = {
    1: "0110 0028 00000007 ffff 0000 00002320 00000002 00000000 00000009 001f ffff 0000 ff 0000000000",
    3: "0312 0028 00000007 ffff 0000 00000000 00002320 00000002 00000009 001f ffff 0000 ff 0000000000",
    4: "0412 0030 00000007 ffff 0000 00000000 4f4e4600 0000074e 00000009 001f 0004 ffffffff ff 000000" + ANY_OXM,
    5: "0512 0028 00000007 0010 0000 00000000 00000009 ffffffff ffffffff 001f ff 00" + ANY_OXM,
}
CANCELS = {
    1: "0104 0014 00000007 00002320 00000015 00000009",
    3: "0304 0014 00000007 00002320 00000015 00000009",
    4: "0404 0014 00000007 4f4e4600 0000074e 00000009",
    5: "0512 0028 00000007 0010 0000 00000000 00000009 ffffffff ffffffff 001f ff 02" + ANY_OXM,
}


@pytest.mark.parametrize("version", REQUESTS)
def test_requests(version: int) -> None:
    assert wire.flow_monitor_request(version, 7, 9) == bytes.fromhex(REQUESTS[version])
    assert wire.flow_monitor_cancel(version, 7, 9) == bytes.fromhex(CANCELS[version])
    some = wire.flow_monitor_request(version, 7, 9, 2, 3)
    assert len(some) == len(bytes.fromhex(REQUESTS[version]))
    assert some != bytes.fromhex(REQUESTS[version])
    with pytest.raises(UsageError):
        wire.flow_monitor_request(version, 7, 9, 256)


def test_changes_are_never_joined() -> None:
    joiner = Joiner(0)
    for version in OPENINGS:
        message = update(version, "")
        part = Message(version, message.type, 0, message.body[:2] + b"\0\1" + message.body[4:])
        assert joiner.add(part) == part
