"""Actions and instructions that no switch here sends, of bytes by hand."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.protocol.openflow import OpenFlowProtocolError
from ovsnet.protocol.openflow.actions import DEEPEST, read_actions, read_instructions


def pad(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + bytes(-len(body) % 8)


def nicira(number: int, rest: str) -> bytes:
    body = bytes.fromhex(f"{number:04x}") + bytes.fromhex(rest)
    body += bytes(-(len(body) + 8) % 8)
    return bytes.fromhex(f"ffff{len(body) + 8:04x}00002320") + body


@given(st.integers(0, 60), st.binary(max_size=80).map(lambda body: body + bytes(-len(body) % 8)))
def test_any_body_of_a_nicira_action_is_decoded_or_refused(number: int, body: bytes) -> None:
    action = b"\xff\xff" + (16 + len(body)).to_bytes(2) + b"\0\0\x23\x20" + number.to_bytes(2) + bytes(6) + body
    with suppress(OpenFlowProtocolError):
        assert read_actions(4, action)[0].text


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
