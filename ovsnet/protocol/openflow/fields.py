"""The fields of a packet, and of its way through the switch, that flows match on and actions set.

Each has a name, a width, a way to be written, and one or more numbers: those of Nicira's extended match (NXM) and those
of OpenFlow (OXM). OpenFlow 1.5.1, section 7.2.3; OVS include/openvswitch/meta-flow.h.
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec

Code = tuple[int, int, int]
"""A field's number: class, number in the class, experimenter (0 where the class is none)."""

_Class = tuple[int, int]

OF: _Class = (0x0000, 0)
NX: _Class = (0x0001, 0)
ERICSSON: _Class = (0x1000, 0)
BASIC: _Class = (0x8000, 0)
REGISTERS: _Class = (0x8001, 0)
ET: _Class = (0xFFFF, 0x0000_2320)
NSH: _Class = (0xFFFF, 0x005A_D650)
ONF_ET: _Class = (0xFFFF, 0x4F4E_4600)
"""Classes of OXM, and the experimenter of those that 0xffff alone does not tell apart."""

EXPERIMENTER_CLASS = 0xFFFF


class Form(Enum):
    """How a value is written."""

    DECIMAL = auto()
    HEX = auto()
    PORT = auto()
    ETHERNET = auto()
    IPV4 = auto()
    IPV6 = auto()
    CT_STATE = auto()
    TCP_FLAGS = auto()
    TUNNEL_FLAGS = auto()
    FRAGMENT = auto()
    PACKET_TYPE = auto()


class Field(msgspec.Struct, frozen=True):
    """``name`` is what a flow calls it, ``full_name`` what ``move`` and ``load`` call it: NXM's name, if it has one.

    ``size`` is in bits on the wire, 0 for a tunnel option, whose size the TLV map of the bridge says; ``bits`` are
    those that count.
    """

    name: str
    full_name: str
    size: int
    bits: int
    form: Form


_Row = tuple[str, int, int, Form, str, list[tuple[_Class, int]]]
"""Name, bits on the wire, bits that count, form, full name, and the numbers."""

_ROWS: tuple[_Row, ...] = (
    ("dp_hash", 32, 32, Form.HEX, "NXM_NX_DP_HASH", [(NX, 35), (ET, 0)]),
    ("recirc_id", 32, 32, Form.DECIMAL, "NXM_NX_RECIRC_ID", [(NX, 36)]),
    ("packet_type", 32, 32, Form.PACKET_TYPE, "OXM_OF_PACKET_TYPE", [(BASIC, 44)]),
    ("conj_id", 32, 32, Form.DECIMAL, "NXM_NX_CONJ_ID", [(NX, 37)]),
    ("tun_id", 64, 64, Form.HEX, "NXM_NX_TUN_ID", [(NX, 16), (BASIC, 38)]),
    ("tun_src", 32, 32, Form.IPV4, "NXM_NX_TUN_IPV4_SRC", [(NX, 31)]),
    ("tun_dst", 32, 32, Form.IPV4, "NXM_NX_TUN_IPV4_DST", [(NX, 32)]),
    ("tun_ipv6_src", 128, 128, Form.IPV6, "NXM_NX_TUN_IPV6_SRC", [(NX, 109)]),
    ("tun_ipv6_dst", 128, 128, Form.IPV6, "NXM_NX_TUN_IPV6_DST", [(NX, 110)]),
    ("tun_flags", 16, 1, Form.TUNNEL_FLAGS, "NXM_NX_TUN_FLAGS", [(NX, 104)]),
    ("tun_gbp_id", 16, 16, Form.DECIMAL, "NXM_NX_TUN_GBP_ID", [(NX, 38)]),
    ("tun_gbp_flags", 8, 8, Form.HEX, "NXM_NX_TUN_GBP_FLAGS", [(NX, 39)]),
    ("tun_erspan_idx", 32, 20, Form.HEX, "NXOXM_ET_ERSPAN_IDX", [(ET, 11)]),
    ("tun_erspan_ver", 8, 4, Form.DECIMAL, "NXOXM_ET_ERSPAN_VER", [(ET, 12)]),
    ("tun_erspan_dir", 8, 1, Form.DECIMAL, "NXOXM_ET_ERSPAN_DIR", [(ET, 13)]),
    ("tun_erspan_hwid", 8, 6, Form.HEX, "NXOXM_ET_ERSPAN_HWID", [(ET, 14)]),
    ("tun_gtpu_flags", 8, 8, Form.HEX, "NXOXM_ET_GTPU_FLAGS", [(ET, 15)]),
    ("tun_gtpu_msgtype", 8, 8, Form.DECIMAL, "NXOXM_ET_GTPU_MSGTYPE", [(ET, 16)]),
    ("metadata", 64, 64, Form.HEX, "OXM_OF_METADATA", [(BASIC, 2)]),
    ("in_port", 16, 16, Form.PORT, "NXM_OF_IN_PORT", [(OF, 0)]),
    ("in_port_oxm", 32, 32, Form.PORT, "OXM_OF_IN_PORT", [(BASIC, 0)]),
    ("actset_output", 32, 32, Form.PORT, "ONFOXM_ET_ACTSET_OUTPUT", [(ONF_ET, 43), (BASIC, 43)]),
    ("pkt_mark", 32, 32, Form.HEX, "NXM_NX_PKT_MARK", [(NX, 33)]),
    ("ct_state", 32, 32, Form.CT_STATE, "NXM_NX_CT_STATE", [(NX, 105)]),
    ("ct_zone", 16, 16, Form.HEX, "NXM_NX_CT_ZONE", [(NX, 106)]),
    ("ct_mark", 32, 32, Form.HEX, "NXM_NX_CT_MARK", [(NX, 107)]),
    ("ct_label", 128, 128, Form.HEX, "NXM_NX_CT_LABEL", [(NX, 108)]),
    ("ct_nw_proto", 8, 8, Form.DECIMAL, "NXM_NX_CT_NW_PROTO", [(NX, 119)]),
    ("ct_nw_src", 32, 32, Form.IPV4, "NXM_NX_CT_NW_SRC", [(NX, 120)]),
    ("ct_nw_dst", 32, 32, Form.IPV4, "NXM_NX_CT_NW_DST", [(NX, 121)]),
    ("ct_ipv6_src", 128, 128, Form.IPV6, "NXM_NX_CT_IPV6_SRC", [(NX, 122)]),
    ("ct_ipv6_dst", 128, 128, Form.IPV6, "NXM_NX_CT_IPV6_DST", [(NX, 123)]),
    ("ct_tp_src", 16, 16, Form.DECIMAL, "NXM_NX_CT_TP_SRC", [(NX, 124)]),
    ("ct_tp_dst", 16, 16, Form.DECIMAL, "NXM_NX_CT_TP_DST", [(NX, 125)]),
    ("eth_src", 48, 48, Form.ETHERNET, "NXM_OF_ETH_SRC", [(OF, 2), (BASIC, 4)]),
    ("eth_dst", 48, 48, Form.ETHERNET, "NXM_OF_ETH_DST", [(OF, 1), (BASIC, 3)]),
    ("eth_type", 16, 16, Form.HEX, "NXM_OF_ETH_TYPE", [(OF, 3), (BASIC, 5)]),
    ("vlan_tci", 16, 16, Form.HEX, "NXM_OF_VLAN_TCI", [(OF, 4)]),
    ("vlan_vid", 16, 12, Form.DECIMAL, "OXM_OF_VLAN_VID", [(BASIC, 6)]),
    ("vlan_pcp", 8, 3, Form.DECIMAL, "OXM_OF_VLAN_PCP", [(BASIC, 7)]),
    ("mpls_label", 32, 20, Form.DECIMAL, "OXM_OF_MPLS_LABEL", [(BASIC, 34)]),
    ("mpls_tc", 8, 3, Form.DECIMAL, "OXM_OF_MPLS_TC", [(BASIC, 35)]),
    ("mpls_bos", 8, 1, Form.DECIMAL, "OXM_OF_MPLS_BOS", [(BASIC, 36)]),
    ("mpls_ttl", 8, 8, Form.DECIMAL, "NXM_NX_MPLS_TTL", [(NX, 30)]),
    ("ip_src", 32, 32, Form.IPV4, "NXM_OF_IP_SRC", [(OF, 7), (BASIC, 11)]),
    ("ip_dst", 32, 32, Form.IPV4, "NXM_OF_IP_DST", [(OF, 8), (BASIC, 12)]),
    ("ipv6_src", 128, 128, Form.IPV6, "NXM_NX_IPV6_SRC", [(NX, 19), (BASIC, 26)]),
    ("ipv6_dst", 128, 128, Form.IPV6, "NXM_NX_IPV6_DST", [(NX, 20), (BASIC, 27)]),
    ("ipv6_label", 32, 20, Form.HEX, "NXM_NX_IPV6_LABEL", [(NX, 27), (BASIC, 28)]),
    ("nw_proto", 8, 8, Form.DECIMAL, "NXM_OF_IP_PROTO", [(OF, 6), (BASIC, 10)]),
    ("nw_tos", 8, 8, Form.DECIMAL, "NXM_OF_IP_TOS", [(OF, 5)]),
    ("ip_dscp", 8, 6, Form.DECIMAL, "OXM_OF_IP_DSCP", [(BASIC, 8)]),
    ("nw_ecn", 8, 2, Form.DECIMAL, "NXM_NX_IP_ECN", [(NX, 28), (BASIC, 9)]),
    ("nw_ttl", 8, 8, Form.DECIMAL, "NXM_NX_IP_TTL", [(NX, 29)]),
    ("ip_frag", 8, 2, Form.FRAGMENT, "NXM_NX_IP_FRAG", [(NX, 26)]),
    ("arp_op", 16, 16, Form.DECIMAL, "NXM_OF_ARP_OP", [(OF, 15), (BASIC, 21)]),
    ("arp_spa", 32, 32, Form.IPV4, "NXM_OF_ARP_SPA", [(OF, 16), (BASIC, 22)]),
    ("arp_tpa", 32, 32, Form.IPV4, "NXM_OF_ARP_TPA", [(OF, 17), (BASIC, 23)]),
    ("arp_sha", 48, 48, Form.ETHERNET, "NXM_NX_ARP_SHA", [(NX, 17), (BASIC, 24)]),
    ("arp_tha", 48, 48, Form.ETHERNET, "NXM_NX_ARP_THA", [(NX, 18), (BASIC, 25)]),
    ("tcp_src", 16, 16, Form.DECIMAL, "NXM_OF_TCP_SRC", [(OF, 9), (BASIC, 13)]),
    ("tcp_dst", 16, 16, Form.DECIMAL, "NXM_OF_TCP_DST", [(OF, 10), (BASIC, 14)]),
    ("tcp_flags", 16, 12, Form.TCP_FLAGS, "NXM_NX_TCP_FLAGS", [(NX, 34), (ONF_ET, 42), (BASIC, 42)]),
    ("udp_src", 16, 16, Form.DECIMAL, "NXM_OF_UDP_SRC", [(OF, 11), (BASIC, 15)]),
    ("udp_dst", 16, 16, Form.DECIMAL, "NXM_OF_UDP_DST", [(OF, 12), (BASIC, 16)]),
    ("sctp_src", 16, 16, Form.DECIMAL, "OXM_OF_SCTP_SRC", [(BASIC, 17)]),
    ("sctp_dst", 16, 16, Form.DECIMAL, "OXM_OF_SCTP_DST", [(BASIC, 18)]),
    ("icmp_type", 8, 8, Form.DECIMAL, "NXM_OF_ICMP_TYPE", [(OF, 13), (BASIC, 19)]),
    ("icmp_code", 8, 8, Form.DECIMAL, "NXM_OF_ICMP_CODE", [(OF, 14), (BASIC, 20)]),
    ("icmpv6_type", 8, 8, Form.DECIMAL, "NXM_NX_ICMPV6_TYPE", [(NX, 21), (BASIC, 29)]),
    ("icmpv6_code", 8, 8, Form.DECIMAL, "NXM_NX_ICMPV6_CODE", [(NX, 22), (BASIC, 30)]),
    ("nd_target", 128, 128, Form.IPV6, "NXM_NX_ND_TARGET", [(NX, 23), (BASIC, 31)]),
    ("nd_sll", 48, 48, Form.ETHERNET, "NXM_NX_ND_SLL", [(NX, 24), (BASIC, 32)]),
    ("nd_tll", 48, 48, Form.ETHERNET, "NXM_NX_ND_TLL", [(NX, 25), (BASIC, 33)]),
    ("nd_reserved", 32, 32, Form.DECIMAL, "ERICOXM_OF_ICMPV6_ND_RESERVED", [(ERICSSON, 1)]),
    ("nd_options_type", 8, 8, Form.DECIMAL, "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", [(ERICSSON, 2)]),
    ("nsh_flags", 8, 8, Form.DECIMAL, "NXOXM_NSH_FLAGS", [(NSH, 1)]),
    ("nsh_mdtype", 8, 8, Form.DECIMAL, "NXOXM_NSH_MDTYPE", [(NSH, 2)]),
    ("nsh_np", 8, 8, Form.DECIMAL, "NXOXM_NSH_NP", [(NSH, 3)]),
    ("nsh_spi", 32, 24, Form.HEX, "NXOXM_NSH_SPI", [(NSH, 4)]),
    ("nsh_si", 8, 8, Form.DECIMAL, "NXOXM_NSH_SI", [(NSH, 5)]),
    ("nsh_ttl", 8, 8, Form.DECIMAL, "NXOXM_NSH_TTL", [(NSH, 10)]),
)

_NUMBERED: tuple[tuple[str, int, str, _Class, range, int], ...] = (
    # name, size, full name, class, numbers in the name, number of the first in its class
    ("reg", 32, "NXM_NX_REG", NX, range(16), 0),
    ("reg", 32, "NXOXM_ET_REG", ET, range(16, 32), 17),
    ("xreg", 64, "OXM_OF_PKT_REG", REGISTERS, range(16), 0),
    ("xxreg", 128, "NXM_NX_XXREG", NX, range(4), 111),
    ("xxreg", 128, "NXOXM_ET_XXREG", ET, range(4, 8), 33),
    ("tun_metadata", 0, "NXM_NX_TUN_METADATA", NX, range(64), 40),
    ("nsh_c", 32, "NXOXM_NSH_C", NSH, range(1, 5), 6),
)


def _table() -> dict[Code, Field]:
    found: dict[Code, Field] = {}
    for name, size, bits, form, full_name, codes in _ROWS:
        field = Field(name, full_name, size, bits, form)
        found.update({_code(place, number): field for place, number in codes})
    for name, size, full_name, place, numbers, first in _NUMBERED:
        for number in numbers:
            field = Field(f"{name}{number}", f"{full_name}{number}", size, size, Form.HEX)
            found[_code(place, first + number - numbers.start)] = field
    return found


def _code(place: _Class, number: int) -> Code:
    return place[0], number, place[1]


FIELDS = _table()
"""Every field that OVS 3.x knows by its number on the wire."""
