"""Matches that no switch here sends, of bytes by hand."""

from __future__ import annotations

import pytest

from ovsnet.protocol.openflow.match import match_text
from ovsnet.protocol.openflow.oxm import read_entries

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
    # Open vSwitch keeps to the fields of the version that is matched on (lib/match.c format_flow_tunnel).
    "tun_erspan_ver=1,tun_erspan_idx=0x9": "ffff1608 00002320 00000009 ffff1805 00002320 01 ffff1a05 00002320 01",
    "tun_erspan_ver=2,tun_erspan_dir=1,tun_erspan_hwid=0x7": (
        "ffff1608 00002320 00000009 ffff1805 00002320 02 ffff1a05 00002320 01 ffff1c05 00002320 07"
    ),
    "tun_erspan_ver=3": "ffff1608 00002320 00000009 ffff1805 00002320 03 ffff1c05 00002320 07",
    "tun_id=0x1": "00012008 0000000000000001 ffff1608 00002320 00000009 ffff1a05 00002320 01",
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
