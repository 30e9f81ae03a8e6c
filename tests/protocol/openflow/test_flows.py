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
from ovsnet.protocol.openflow.actions import DEEPEST, read_actions, read_instructions
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


@given(st.integers(0, 60), st.binary(max_size=80).map(lambda body: body + bytes(-len(body) % 8)))
def test_any_body_of_a_nicira_action_is_decoded_or_refused(number: int, body: bytes) -> None:
    action = b"\xff\xff" + (16 + len(body)).to_bytes(2) + b"\0\0\x23\x20" + number.to_bytes(2) + bytes(6) + body
    with suppress(OpenFlowProtocolError):
        assert read_actions(4, action)[0].text


def test_replies_of_others_are_refused() -> None:
    for message in (
        Message(4, 19, 1, bytes.fromhex("0002000000000000")),  # AGGREGATE
        Message(4, 21, 1, b""),
        Message(1, 17, 1, bytes.fromhex("ffff0000000023200000000100000000")),  # NXST_AGGREGATE
        Message(1, 17, 1, bytes.fromhex("ffff0000000023210000000000000000")),
    ):
        with pytest.raises(OpenFlowProtocolError):
            parse_flows(message)


def pad(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + bytes(-len(body) % 8)


def nicira(number: int, rest: str) -> bytes:
    body = bytes.fromhex(f"{number:04x}") + bytes.fromhex(rest)
    body += bytes(-(len(body) + 8) % 8)
    return bytes.fromhex(f"ffff{len(body) + 8:04x}00002320") + body


ACTIONS = {
    "set_vlan_vid:7": (2, "0001 0008 0007 0000"),
    "set_vlan_pcp:3": (2, "0002 0008 03 000000"),
    "mod_dl_src:02:00:00:00:00:01": (2, "0003 0010 020000000001 000000000000"),
    "mod_nw_src:10.0.0.1": (2, "0005 0008 0a000001"),
    "mod_nw_tos:4": (2, "0007 0008 04 000000"),
    "mod_nw_ttl:9": (4, "0017 0008 09 000000"),
    "set_mpls_label(5)": (2, "000d 0008 00000005"),
    "enqueue:1:7": (1, "000b 0010 0001 000000000000 00000007"),
    "mod_vlan_pcp:2": (1, "0002 0008 02 000000"),
    "strip_vlan": (1, "0003 0008 00000000"),
    "output:3": (1, "0000 0008 0003 0000"),
    "CONTROLLER:128": (1, "0000 0008 fffd 0080"),
    "unknown_action(0x00ff000800000000)": (4, "00ff 0008 00000000"),
    "unknown_action(0xffff000800001234)": (4, "ffff 0008 00001234"),
    "unknown_action(0xffff000800002320)": (4, "ffff 0008 00002320"),
    "move:NXM_NX_REG0[0..7]->NXM_NX_REG1[8..15]": (
        4,
        "ffff 0020 4f4e4600 0c80 0000 0008 0000 0008 0000 00010004 00010204 00000000",
    ),
}


@pytest.mark.parametrize(("text", "sent"), ACTIONS.items(), ids=list(ACTIONS))
def test_actions_that_no_switch_here_sends(text: str, sent: tuple[int, str]) -> None:
    version, body = sent
    (action,) = read_actions(version, bytes.fromhex(body))
    assert str(action) == text


NICIRA_ACTIONS = {
    "resubmit:5": nicira(1, "0005"),
    "resubmit(,)": nicira(14, "fff8 ff"),
    "resubmit(,7,ct)": nicira(44, "fff8 07"),
    "set_tunnel:0x10": nicira(2, "0000 00000010"),
    "set_tunnel64:0x10": nicira(9, "000000000000 0000000000000010"),
    "CONTROLLER:128": nicira(37, "000000000000 0000 0006 0080 0000"),
    "debug_slow": nicira(254, ""),
    "controller(reason=99,id=2)": nicira(20, "ffff 0002 63"),
    "controller(meter_id=3)": nicira(37, "000000000000 0005 0008 00000003"),
    "controller(property_9=01020304)": nicira(37, "000000000000 0009 0008 01020304"),
    "fin_timeout(idle_timeout=1)": nicira(19, "0001 0000"),
    "sample(probability=1,collector_set_id=2,obs_domain_id=NXM_NX_REG0[0..15],obs_point_id=4)": nicira(
        51, "0001 00000002 00010004 000f 0000 00000000 00000004 ffff 00"
    ),
    "decap(packet_type(ns=1,type=0x800))": nicira(47, "0000 00010800"),
    "encap(UNKNOWN(0x0005010400000000))": nicira(46, "0000 00010800 0005 01 04"),
    "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))": nicira(
        46, "0000 0001894f 0004 01 05 02000000 0004 02 10 1000 0a 04 12345678 00000000"
    ),
    "encap(ethernet)": nicira(46, "0000 00000000"),
    "decap()": nicira(47, "0000 0000fffe"),
    "dec_nsh_ttl": nicira(48, ""),
    "controller(reason=invalid_ttl,max_len=5,id=2,userdata=01.02,pause)": nicira(
        37,
        "000000000000 0000 0006 0005 0000 0001 0006 0002 0000"
        "0002 0005 02 000000 0003 0006 0102 0000 0004 0004 00000000",
    ),
    "dec_ttl(1,2)": nicira(21, "0002 00000000 0001 0002"),
    "note:01.02.03.00.00.00": nicira(8, "010203"),
    "output(port=1,max_len=9)": nicira(39, "0001 00000009"),
    "write_metadata:0x5": nicira(22, "000000000000 0000000000000005 ffffffffffffffff"),
    "push:NXM_NX_REG0[8..15]": nicira(27, "0008 00010004 0008"),
    "check_pkt_larger(9)->NXM_NX_REG0[3]": nicira(49, "0009 0003 00010004"),
    "sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4)": nicira(
        29, "0001 00000002 00000003 00000004"
    ),
    "sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4,sampling_port=1)": nicira(
        38, "0001 00000002 00000003 00000004 0001"
    ),
    "sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4,egress)": nicira(
        41, "0001 00000002 00000003 00000004 ffff 02"
    ),
    "multipath(<unknown>,1,<unknown>,2,0,NXM_NX_REG0[0..7])": nicira(
        10, "0063 0001 0000 0063 0001 00000000 0000 0007 00010004"
    ),
    "bundle(eth_src,1,hrw,ofport,members:1,LOCAL)": nicira(
        12, "0001 0000 0001 00000002 0002 0000 00000000 00000000 0001 fffe"
    ),
    "bundle_load(nw_dst,1,active_backup,ofport,NXM_NX_REG0[],members:7)": nicira(
        13, "0000 0005 0001 00000002 0001 001f 00010004 00000000 0007"
    ),
    "nat(src=[fe80::1]-[fe80::2]:80,hash)": nicira(
        36, "0000 0009 001c fe800000000000000000000000000001 fe800000000000000000000000000002 0050"
    ),
    "nat(src)": nicira(36, "0000 0001 0000"),
    "ct(commit,force,table=5,zone=NXM_NX_REG0[0..15],nat(src),exec(load:0x1->NXM_NX_CT_MARK[]),alg=ftp)": nicira(
        35,
        "0003 00010004 000f 05 000000 0015 ffff 0010 00002320 0024 0000 0001 0000"
        "ffff 0018 00002320 0007 001f 0001d604 0000000000000001",
    ),
    "ct(zone=9)": nicira(35, "0000 00000000 0009 ff 000000 0000"),
    "learn(table=7,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,fin_hard_timeout=4,priority=5,send_flow_rem,"
    "delete_learned,cookie=0x6,limit=8,NXM_NX_REG0[0..7],NXM_NX_REG1[]=NXM_NX_REG0[],eth_type=0x800,"
    "NXM_NX_REG2[0..3]=0x5,load:0x1->NXM_NX_REG3[4],"
    "load:NXM_NX_REG0[]->NXM_NX_REG3[],output:NXM_NX_REG4[0..15])": nicira(
        45,
        "0001 0002 0005 0000000000000006 0003 07 00 0003 0004 00000008 0000 0000"
        "0008 00010004 0000 00010004 0000  0020 00010004 0000 00010204 0000  2010 0800 80000a02 0000"
        "2004 0005 00010404 0000  2801 0009 00010604 0004  0820 00010004 0000 00010604 0000  1010 00010804 0000",
    ),
    "delete_field:tun_metadata0": nicira(50, "0001 507c"),
    "nat": nicira(36, "0000 0000 0000"),
    "nat(src=10.0.0.1)": nicira(36, "0000 0001 0003 0a000001 0a000001"),
    "nat(dst=10.0.0.1:80)": nicira(36, "0000 0002 0011 0a000001 0050"),
    "nat(dst=10.0.0.1:80-81,persistent)": nicira(36, "0000 0006 0031 0a000001 0050 0051"),
    "ct(commit,alg=9)": nicira(35, "0001 00000000 0000 ff 000000 0009"),
    "learn(table=1,priority=0,result_dst=NXM_NX_REG0[3])": nicira(
        45, "0000 0000 0000 0000000000000000 0004 01 00 0000 0000 00000000 0003 0000 00010004"
    ),
}


@pytest.mark.parametrize(("text", "sent"), NICIRA_ACTIONS.items(), ids=list(NICIRA_ACTIONS))
def test_actions_of_nicira_that_no_switch_here_sends(text: str, sent: bytes) -> None:
    (action,) = read_actions(4, sent)
    assert str(action) == text


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(nicira(37, "000000000000 0005 0002 00000003"), id="controller-property-below-header"),
        pytest.param(nicira(46, "0000 0001894f 0004 01 03"), id="encap-property-below-header"),
        pytest.param(nicira(37, "000000000000 0005 0020 00000003"), id="controller-property-past-the-action"),
        pytest.param(nicira(36, "0000 0001 0004 0a000001"), id="nat-inside-an-address"),
        pytest.param(nicira(16, "0000" * 11 + "2fff 0000"), id="learn-inside-a-value"),
        pytest.param(nicira(16, "0000" * 11 + "3001 0000 00010004 0000"), id="learn-outputs-a-constant"),
        pytest.param(bytes.fromhex("0000 0004 0000"), id="length-below-alignment"),
        pytest.param(bytes.fromhex("0000 000c 0000 0000 0000 0000"), id="length-no-multiple-of-8"),
        pytest.param(bytes.fromhex("0019 0010 80000a05 0000000000 000000"), id="set-field-of-a-wrong-size"),
        pytest.param(bytes.fromhex("0019 0010 80000b05 0000000000 000000"), id="set-field-with-half-a-mask"),
        pytest.param(bytes.fromhex("0019 0010 ffff0002 00002320 00000000"), id="set-field-too-short"),
    ],
)
def test_actions_that_are_refused(sent: bytes) -> None:
    with pytest.raises(OpenFlowProtocolError):
        read_actions(4, sent)


def test_actions_in_actions_have_an_end() -> None:
    inner = b""
    for _ in range(DEEPEST + 2):
        inner = nicira(42, "000000000000" + inner.hex())
    with pytest.raises(OpenFlowProtocolError, match="deep"):
        read_actions(4, inner)


def test_instructions_come_in_one_order_and_unknown_ones_last() -> None:
    goto, meter, unknown = pad("0001 0008 05"), pad("0006 0008 00000003"), pad("1234 0008")
    metadata = bytes.fromhex("0002 0018 00000000 0000000000000005 00000000000000ff")
    apply = bytes.fromhex("0004 0018 00000000 0000 0010 00000001 0000 000000000000")
    write = bytes.fromhex("0003 0008 00000000")
    shown = read_instructions(4, unknown + goto + metadata + write + pad("0005 0008") + apply + meter + unknown)
    assert ",".join(map(str, shown)) == (
        "meter:3,output:1,clear_actions,write_actions(drop),write_metadata:0x5/0xff,goto_table:5,"
        "unknown_instruction(0x1234000800000000),unknown_instruction(0x1234000800000000)"
    )
    with pytest.raises(OpenFlowProtocolError, match="twice"):
        read_instructions(4, goto + goto)


MATCHES = {
    "actset_output=LOCAL": "ffff5608 4f4e4600 fffffffe",
    "packet_type=(1,0x800)": "80005804 00010800",
    "packet_type=(1/0x3,*)": "80005908 00010000 00030000",
    "recirc_id=0x5,dp_hash=0x7/0xff": "00014804 00000005 00014708 00000007 000000ff",
    "ct_state=0": "0001d204 00000000",
    "ct_state=est|trk": "0001d204 00000022",
    "ct_zone=0x1/0x3": "0001d504 0001 0003",
    "ip,nw_tos=12": "00000602 0800 00000a01 0c",
    "tcp,tcp_flags=syn|ack": "80000a02 0800 80001401 06 80005402 0012",
    "tcp,tcp_flags=0": "80000a02 0800 80001401 06 80005402 0000",
    "tun_gbp_id=3": "00014c02 0003",
    "tun_metadata0=0x5,tun_metadata1=0x1/0xf,tun_metadata2": "00015002 0005 00015302 01 0f 00015502 00 00",
    "tun_erspan_ver=1,tun_erspan_idx=0x7": "ffff1805 00002320 01 ffff1608 00002320 00000007",
    "gtpu_flags=0x30": "ffff1e05 00002320 30",
    "vlan_tci=0x0005": "00000802 0005",
    "icmp6,nd_reserved=5,nd_options_type=2": "80000a02 86dd 80001401 3a 10000204 00000005 10000401 02",
    "oxm_0x8000_63=0x5/0x7": "80007f02 05 07",
    "oxm_0xffff_3_0x1234=0x5": "ffff0605 00001234 05",
    "ipv6,ipv6_src=::ffff:1.2.3.4": "80000a02 86dd 80003410 00000000000000000000ffff01020304",
    "ipv6,ipv6_src=::1.2.3.4": "80000a02 86dd 80003410 00000000000000000000000001020304",
    "ipv6,ipv6_src=::5": "80000a02 86dd 80003410 00000000000000000000000000000005",
    "reg16=0x7": "ffff2208 00002320 00000007",
    "dl_type=0x894f,nsh_flags=0x01/0x03,nsh_si=5,nsh_c1=0x9": (
        "80000a02 894f ffff0306 005ad650 01 03 ffff0a05 005ad650 05 ffff0c08 005ad650 00000009"
    ),
    "": "80005804 00000000",
}


@pytest.mark.parametrize(("text", "sent"), MATCHES.items(), ids=list(MATCHES))
def test_matches_that_no_switch_here_sends(text: str, sent: str) -> None:
    assert match_text(read_entries(bytes.fromhex(sent.replace(" ", "")))) == text


def test_entries_name_their_fields_and_values() -> None:
    source, unknown = read_entries(bytes.fromhex("80000806020000000001 80007f02 0507"))
    assert (source.name, source.text) == ("eth_src", "02:00:00:00:00:01")
    assert (unknown.name, unknown.text, unknown.field) == ("oxm_0x8000_63", "0x5/0x7", None)


SET_FIELDS = {
    "set_field:0x7->reg0": "00010108 00000007 ffffffff",
    "set_field:ANY->reg0": "00010108 00000000 00000000",
    "set_field:+trk->ct_state": "0001d308 00000020 00000020",
    "set_field:new|0x100->ct_state": "0001d308 00000101 0000ffff",
    "set_field:syn->tcp_flags": "80005402 0002",
    "set_field:0/0->tcp_flags": "80005504 0000 f000",
    "set_field:oam->tun_flags": "0001d002 0001",
    "set_field:later->ip_frag": "00013401 03",
    "set_field:<error>->ip_frag": "00013401 02",
    "set_field:eth->packet_type": "80005804 00000000",
    "set_field:2/0x3->vlan_vid": "80000d04 0002 0003",
    "set_field:LOCAL->in_port_oxm": "80000004 fffffffe",
}


@pytest.mark.parametrize(("text", "sent"), SET_FIELDS.items(), ids=list(SET_FIELDS))
def test_values_of_set_field(text: str, sent: str) -> None:
    entry = bytes.fromhex(sent.replace(" ", ""))
    size = 4 + len(entry) + -(4 + len(entry)) % 8
    (action,) = read_actions(6, (b"\0\x19" + size.to_bytes(2) + entry).ljust(size, b"\0"))
    assert action.text == text
    assert action.name == "set_field"


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
