"""Groups, meters, traffic and changes of ports, of bytes by hand; tests/openflow asks a real switch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow import Config, Message, OpenFlowProtocolError
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_header
from ovsnet.protocol.openflow.stats import parse_tables

PARSERS: dict[MultipartKind, Callable[[Message], object]] = {
    MultipartKind.GROUP_DESC: wire.parse_groups,
    MultipartKind.GROUP: wire.parse_group_stats,
    MultipartKind.METER_CONFIG: wire.parse_meters,
    MultipartKind.METER: wire.parse_meter_stats,
    MultipartKind.METER_FEATURES: wire.parse_meter_features,
    MultipartKind.PORT: wire.parse_port_stats,
    MultipartKind.QUEUE: wire.parse_queue_stats,
    MultipartKind.TABLE: parse_tables,
}


def reply(version: int, kind: MultipartKind, body: bytes | str) -> Message:
    sent = bytes.fromhex(body) if isinstance(body, str) else body
    return Message(version, 17 if version == 1 else 19, 1, multipart_header(version, kind) + sent)


@given(st.sampled_from([1, 2, 3, 4, 5, 6]), st.sampled_from(list(PARSERS)), st.binary(max_size=150))
def test_any_bytes_are_read_or_refused(version: int, kind: MultipartKind, body: bytes) -> None:
    with suppress(OpenFlowProtocolError):
        str(PARSERS[kind](reply(version, kind, body)))
    sized = (len(body) + 2).to_bytes(2) + body
    with suppress(OpenFlowProtocolError):
        str(PARSERS[kind](reply(version, kind, sized)))
    with suppress(OpenFlowProtocolError):
        wire.parse_port_status(Message(version, 12, 0, body))


OUTPUT = "0000 0010 00000001 ffff 000000000000"


def test_groups_before_1_5() -> None:
    body = f"0028 01 00 00000007 0020 0005 00000003 ffffffff 00000000 {OUTPUT}"
    (group,) = wire.parse_groups(reply(4, MultipartKind.GROUP_DESC, body))
    assert str(group) == "group_id=7,type=select,bucket=weight:5,watch_port:3,actions=output:1"
    body = "0018 09 00 00000008 0010 0000 ffffffff 00000009 00000000"
    (group,) = wire.parse_groups(reply(4, MultipartKind.GROUP_DESC, body))
    assert str(group) == "group_id=8,type=unknown,bucket=watch_group:9,actions=drop"
    (group,) = wire.parse_groups(reply(4, MultipartKind.GROUP_DESC, "0008 00 00 00000008"))
    assert str(group) == "group_id=8,type=all"


def test_groups_of_1_5_have_properties() -> None:
    bucket = f"0020 0010 00000002 {OUTPUT} 0000 0008 0007 0000"
    how = "0000154d 00000001 00000000" + b"hash".ljust(16, b"\0").hex() + "0000000000000009"
    method = f"ffff 0028 {how}"
    one = f"ffff 002e {how} 80001c02 ff00 0000"
    two = f"ffff 0036 {how} 80001604 ffffffff 80001c02 ff00 0000"
    other = "ffff 0028 00001234 00000001 00000000" + "00" * 24
    for more, text in (
        (method, ",selection_method=hash,selection_method_param=9"),
        (one, ",selection_method=hash,selection_method_param=9,fields=tcp_dst=65280"),
        (two, ",selection_method=hash,selection_method_param=9,fields(ip_src,tcp_dst=65280)"),
        (other, ""),
        ("0001 0004 00000000", ""),
    ):
        size = 16 + 32 + len(bytes.fromhex(more))
        body = f"{size:04x} 01 00 00000007 0020 000000000000 {bucket} {more}"
        (group,) = wire.parse_groups(reply(6, MultipartKind.GROUP_DESC, body))
        assert str(group) == f"group_id=7,type=select{text},bucket=bucket_id:2,weight:7,actions=output:1"


def test_counters_of_groups() -> None:
    body = "0038 0000 00000007 00000002 00000000 0000000000000005 0000000000000006 00000001 1dcd6500"
    body += "0000000000000003 0000000000000004"
    (stats,) = wire.parse_group_stats(reply(4, MultipartKind.GROUP, body))
    assert stats == wire.GroupStats(7, 2, 5, 6, 1.5, ((3, 4),))
    body = "0020 0000 00000007 00000002 00000000 0000000000000005 0000000000000006"
    (stats,) = wire.parse_group_stats(reply(2, MultipartKind.GROUP, body))
    assert (stats.duration, stats.buckets) == (None, ())


def test_meters() -> None:
    body = "0028 0005 00000001 0001 0010 000003e8 00000010 00000000 0002 0010 00000005 00000006 02 000000"
    (meter,) = wire.parse_meters(reply(4, MultipartKind.METER_CONFIG, body))
    assert str(meter) == (
        "meter=1 kbps burst bands= type=drop rate=1000 burst_size=16 type=dscp_remark rate=5 burst_size=6 prec_level=2"
    )
    body = "0018 0002 fffffffe 0009 0010 00000005 00000000 00000000"
    (meter,) = wire.parse_meters(reply(4, MultipartKind.METER_CONFIG, body))
    assert str(meter) == "meter=controller pktps bands= type=9 rate=5"


def test_counters_of_meters() -> None:
    body = "00000001 0038 000000000000 00000002 0000000000000003 0000000000000004 00000001 00000000"
    body += "0000000000000005 0000000000000006"
    (stats,) = wire.parse_meter_stats(reply(4, MultipartKind.METER, body))
    assert stats == wire.MeterStats(1, 2, 3, 4, 1.0, ((5, 6),))
    features = reply(4, MultipartKind.METER_FEATURES, "00000010 00000002 00000003 04 05 0000")
    assert wire.parse_meter_features(features) == wire.MeterFeatures(16, 2, 3, 4, 5)


def port_stats(*fields: Any) -> wire.PortStats:
    return wire.PortStats(*fields)


COUNTERS = "".join(f"{count:016x}" for count in range(1, 9))
ETHERNET = "".join(f"{count:016x}" for count in range(9, 12)) + "ff" * 8


@pytest.mark.parametrize(
    ("version", "body", "duration"),
    [
        (1, f"0003 000000000000 {COUNTERS} {ETHERNET}", None),
        (2, f"00000003 00000000 {COUNTERS} {ETHERNET}", None),
        (4, f"00000003 00000000 {COUNTERS} {ETHERNET} 00000002 00000000", 2.0),
        (6, f"0078 0000 00000003 00000002 00000000 {COUNTERS} 0000 0028 00000000 {ETHERNET}", 2.0),
    ],
)
def test_counters_of_ports(version: int, body: str, duration: float | None) -> None:
    (stats,) = wire.parse_port_stats(reply(version, MultipartKind.PORT, body))
    assert stats == port_stats(3, *range(1, 12), None, duration)


def test_counters_of_ports_may_lack_those_of_ethernet() -> None:
    body = f"0058 0000 00000003 ffffffff 00000000 {COUNTERS} ffff 0008 00000000"
    (stats,) = wire.parse_port_stats(reply(6, MultipartKind.PORT, body))
    assert stats == port_stats(3, *range(1, 9), *[None] * 5)


SENT = f"{7:016x}{8:016x}{9:016x}"


@pytest.mark.parametrize(
    ("version", "body", "duration"),
    [
        (1, f"0003 0000 00000005 {SENT}", None),
        (2, f"00000003 00000005 {SENT}", None),
        (4, f"00000003 00000005 {SENT} 00000002 00000000", 2.0),
        (6, f"0030 000000000000 00000003 00000005 {SENT} 00000002 00000000", 2.0),
    ],
)
def test_counters_of_queues(version: int, body: str, duration: float | None) -> None:
    (stats,) = wire.parse_queue_stats(reply(version, MultipartKind.QUEUE, body))
    assert stats == wire.QueueStats(3, 5, 7, 8, 9, duration)


@pytest.mark.parametrize(
    ("version", "kind", "body"),
    [
        pytest.param(4, MultipartKind.GROUP_DESC, "0004 0000", id="group-below-header"),
        pytest.param(6, MultipartKind.GROUP_DESC, "0010 00 00 00000001 0008 000000000000", id="buckets-past-group"),
        pytest.param(
            6, MultipartKind.GROUP_DESC, "0018 00 00 00000001 0008 000000000000 0008 0008 00000000", id="actions-past"
        ),
        pytest.param(4, MultipartKind.GROUP, "0029 " + "00" * 39, id="half-a-counter"),
        pytest.param(4, MultipartKind.METER, "00000001 0027" + "00" * 34, id="meter-below-header"),
        pytest.param(4, MultipartKind.METER_CONFIG, "0010 0000 00000001 0001 0002 00000000", id="band-below-header"),
        pytest.param(4, MultipartKind.PORT, "00", id="half-a-port"),
        pytest.param(4, MultipartKind.QUEUE, "00", id="half-a-queue"),
    ],
)
def test_damaged_replies_are_refused(version: int, kind: MultipartKind, body: str) -> None:
    with pytest.raises(OpenFlowProtocolError):
        PARSERS[kind](reply(version, kind, body))


PORT = "00000003 00000000 020000000001 0000 7031000000000000000000000000 0000 00000000 00000001" + "00" * 24


def test_changes_of_ports() -> None:
    change = wire.parse_port_status(Message(4, 12, 0, bytes.fromhex(f"02 00000000000000 {PORT}")))
    assert (change.change, change.port.name, change.port.link_down) == ("modified", "p1", True)
    for kind, body in (
        (13, f"02 00000000000000 {PORT}"),
        (12, f"03 00000000000000 {PORT}"),
        (12, "00" * 8),
        (12, "00"),
    ):
        with pytest.raises(OpenFlowProtocolError):
            wire.parse_port_status(Message(4, kind, 0, bytes.fromhex(body)))


def test_wish_for_changes_of_ports_keeps_the_flags_of_the_bridge() -> None:
    sent = wire.port_status_requests(4, 7, Config(2, 0))
    assert sent[-12:] == bytes.fromhex("0409000c 00000007 0002 0001")


@pytest.mark.parametrize(
    ("request_", "version"),
    [
        (wire.group_desc_request, 1),
        (wire.group_stats_request, 1),
        (wire.meter_config_request, 3),
        (wire.meter_stats_request, 3),
        (wire.meter_features_request, 3),
    ],
)
def test_questions_that_an_old_version_has_not_are_wrong_usage(
    request_: Callable[[int, int], bytes], version: int
) -> None:
    with pytest.raises(UsageError, match=f"1.{version - 1}"):
        request_(version, 1)
