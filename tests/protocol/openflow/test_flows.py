"""Flows, matches and actions. ``flows.tsv`` is from ovs-vswitchd 3.1: version, bytes, and what ovs-ofctl printed."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow import Flow, Message, OpenFlowProtocolError, Version, flow_request, parse_flows
from ovsnet.protocol.openflow.actions import read_actions, read_instructions
from ovsnet.protocol.openflow.flows import duration_text
from ovsnet.protocol.openflow.match import match_text
from ovsnet.protocol.openflow.oxm import read_entries

HEADS = {1: "ffff0000000023200000000000000000", 2: "0001000000000000", 4: "0001000000000000", 6: "0001000000000000"}


def vectors() -> list[tuple[int, bytes, str]]:
    text = (Path(__file__).parent / "flows.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    return [(int(version), bytes.fromhex(sent), printed) for version, sent, printed in rows]


VECTORS = vectors()


def reply(version: int, body: bytes) -> Message:
    return Message(version, 17 if version == 1 else 19, 1, bytes.fromhex(HEADS[version]) + body)


def read(version: int, body: bytes) -> Flow:
    (flow,) = parse_flows(reply(version, body))
    return flow


def without_ages(line: str) -> str:
    return re.sub(r"duration=[\d.]+s, |(idle|hard)_age=\d+, ", "", line)


def test_flows_are_written_as_ovs_ofctl_writes_them() -> None:
    for version, sent, printed in VECTORS:
        assert without_ages(str(read(version, sent))) == printed


def test_whole_reply_is_read_flow_by_flow() -> None:
    for version in (1, 4, 6):
        sent = [body for number, body, _ in VECTORS if number == version]
        assert len(parse_flows(reply(version, b"".join(sent)))) == len(sent)
        assert parse_flows(reply(version, b"")) == []


def test_match_of_another_type_is_no_match_of_this_version() -> None:
    sent = next(body for number, body, _ in VECTORS if number == 4)
    with pytest.raises(OpenFlowProtocolError, match="a match is of type 0"):
        read(4, sent[:48] + b"\0\0" + sent[50:])


def look_at(flows: list[Flow]) -> None:
    """Decode all that is decoded late."""
    for flow in flows:
        assert str(flow)
        assert flow.rule
        assert flow.duration >= 0


def test_reply_that_is_cut_is_refused_wherever_it_is_cut() -> None:
    for version, sent, _ in VECTORS[::20]:
        for size in range(1, len(sent), 3):
            with pytest.raises(OpenFlowProtocolError):
                look_at(parse_flows(reply(version, sent[:size])))


@given(st.sampled_from(VECTORS), st.data())
def test_reply_with_wrong_bytes_is_decoded_or_refused(vector: tuple[int, bytes, str], data: st.DataObject) -> None:
    version, sent, _ = vector
    wrong = bytearray(sent)
    for place in data.draw(st.lists(st.integers(2, len(sent) - 1), min_size=1, max_size=8)):
        wrong[place] = data.draw(st.integers(0, 255))
    with suppress(OpenFlowProtocolError):
        look_at(parse_flows(reply(version, bytes(wrong))))


@given(st.sampled_from([1, 2, 4, 6]), st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(version: int, body: bytes) -> None:
    for attempt in (
        lambda: look_at(parse_flows(reply(version, body))),
        lambda: read_actions(version, body),
        lambda: read_instructions(version, body),
        lambda: match_text(read_entries(body)),
    ):
        with suppress(OpenFlowProtocolError):
            attempt()


def test_replies_of_others_are_refused() -> None:
    for message in (
        Message(4, 19, 1, bytes.fromhex("0002000000000000")),  # AGGREGATE
        Message(4, 21, 1, b""),
        Message(1, 17, 1, bytes.fromhex("ffff0000000023200000000100000000")),  # NXST_AGGREGATE
        Message(1, 17, 1, bytes.fromhex("ffff0000000023210000000000000000")),
    ):
        with pytest.raises(OpenFlowProtocolError):
            parse_flows(message)


def test_durations() -> None:
    shown = [duration_text(1, each) for each in (0, 500_000_000, 5_000_000, 1, 1_500_000)]
    assert shown == ["1s", "1.500s", "1.005s", "1.000000001s", "1.0015s"]


def test_flow_that_is_not_counted_and_has_every_other_thing() -> None:
    unknown = 0xFFFF_FFFF_FFFF_FFFF
    head = (
        (56).to_bytes(2)
        + bytes.fromhex("02 00 00000001 00000000 8000 0005 0006 001f 0007 0000 0000000000000009")
        + unknown.to_bytes(8) * 2
        + bytes.fromhex("0001000400000000")
    )
    heads = bytes.fromhex("0001000000000000")
    (flow,) = parse_flows(Message(5, 19, 1, heads + head))
    assert str(flow) == (
        "cookie=0x9, duration=1s, table=2, n_packets=?, n_bytes=?, idle_timeout=5, hard_timeout=6, send_flow_rem "
        "check_overlap reset_counts no_packet_counts no_byte_counts importance=7, actions=drop"
    )
    assert flow.rule.startswith("cookie=0x9, table=2, idle_timeout=5")
    assert (flow.packet_count, flow.duration, flow.match, flow.actions) == (None, 1.0, (), ())


def test_match_of_nicira_s_form_that_ends_after_its_flow_is_refused() -> None:
    sent = bytearray(next(sent for version, sent, _ in VECTORS if version == 1))
    sent[18:20] = b"\xff\xff"
    with pytest.raises(OpenFlowProtocolError, match="match"):
        parse_flows(reply(1, bytes(sent)))


def test_statistics_that_are_not_known_are_passed_over() -> None:
    flow = bytes.fromhex("0030 0000 00 00 8000 0000 0000 0000 0000 0000000000000000 0001000400000000")
    flow += bytes.fromhex("0000 000e 8002 0e06 000000000001 0000")
    assert read(6, flow).packet_count is None


@pytest.mark.parametrize("version", [1, 4, 5, 6])
def test_requests_select_flows(version: int) -> None:
    whole = flow_request(version, 1)
    assert int.from_bytes(whole[2:4]) == len(whole)
    assert flow_request(version, 1, 5, 2, cookie=7, cookie_mask=15) != whole


@pytest.mark.parametrize(
    ("version", "selection"),
    [(Version.OF11, {}), (Version.OF10, {"out_group": 1}), (4, {"table": 256}), (1, {"out_port": -1})],
)
def test_selection_that_no_request_holds_is_wrong_usage(version: int, selection: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        flow_request(version, 1, **selection)
