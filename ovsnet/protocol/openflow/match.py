"""What a flow matches on, and how ``ovs-ofctl`` writes it (OVS lib/match.c ``match_format``).

The text is made for people: ``tcp`` stands for an Ethernet type and an IP protocol, ``dl_vlan`` for bits of a tag, and
fields of several headers share one name. So it is not the list of fields that the switch sent; that is ``entries``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ovsnet.protocol.openflow.field_text import (
    CT_STATES,
    TCP_FLAGS,
    TUNNEL_FLAGS,
    flags_text,
    fragment_text,
    hex_text,
    masked_ethernet,
    masked_flags,
    masked_ipv4,
    masked_ipv6,
    packet_type_text,
    port_text,
)
from ovsnet.protocol.openflow.oxm import Entry

DEFAULT_PRIORITY = 0x8000

ETH_IP, ETH_IPV6, ETH_ARP, ETH_RARP, ETH_NSH = 0x0800, 0x86DD, 0x0806, 0x8035, 0x894F
_TYPES = {ETH_ARP: "arp", ETH_RARP: "rarp", 0x8847: "mpls", 0x8848: "mplsm"}
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
_IP_PROTOCOLS = {ICMP: "icmp", TCP: "tcp", UDP: "udp", SCTP: "sctp"}
_IPV6_PROTOCOLS = {ICMPV6: "icmp6", TCP: "tcp6", UDP: "udp6", SCTP: "sctp6"}

_VID, _CFI, _PCP = 0x0FFF, 0x1000, 0xE000

Fields = Mapping[str, Entry]


def match_text(entries: tuple[Entry, ...]) -> str:
    """The fields of a match as ``ovs-ofctl`` writes them, without the priority; empty when it is every packet."""
    return ",".join(_parts(entries))


def _parts(entries: tuple[Entry, ...]) -> Iterator[str]:
    fields = {entry.name: entry for entry in entries}
    yield from _masked_hex(fields, "pkt_mark")
    yield from _masked_hex(fields, "recirc_id")
    yield from _masked_hex(fields, "dp_hash")
    yield from _number(fields, "conj_id")
    if "actset_output" in fields:
        yield f"actset_output={port_text(fields['actset_output'].value)}"
    yield from _tracking(fields)
    ethertype = _ethertype(fields)
    protocol = fields["nw_proto"].value if "nw_proto" in fields else None
    if "packet_type" in fields and not _is_ethernet(fields["packet_type"]):
        yield f"packet_type={_bare_packet_type(fields['packet_type'])}"
    short = _short(ethertype if "eth_type" in fields else None, protocol)
    if short:
        yield short
    yield from _registers(fields)
    yield from _tunnel(fields)
    yield from _masked_hex(fields, "metadata")
    for name in ("in_port", "in_port_oxm"):
        if name in fields:
            yield f"in_port={port_text(fields[name].value)}"
    yield from _vlan(fields)
    yield from _ethernet(fields, "eth_src", "dl_src")
    yield from _ethernet(fields, "eth_dst", "dl_dst")
    if "eth_type" in fields and not short:
        yield f"dl_type=0x{ethertype or 0:04x}"
    yield from _network(fields, ethertype)
    if protocol is not None and short not in _NAMES_PROTOCOL:
        yield f"nw_proto={protocol}"
    yield from _number(fields, "arp_op")
    yield from _ethernet(fields, "arp_sha", "arp_sha")
    yield from _ethernet(fields, "arp_tha", "arp_tha")
    yield from _service(fields)
    yield from _mpls(fields)
    if "ip_frag" in fields:
        yield f"nw_frag={fragment_text(fields['ip_frag'].value, _mask(fields['ip_frag']))}"
    yield from _transport(fields)
    for entry in entries:
        if entry.field is None:
            yield f"{entry.name}={entry.text}"


_NAMES_PROTOCOL = {*_IP_PROTOCOLS.values(), *_IPV6_PROTOCOLS.values()}


def _mask(entry: Entry) -> int:
    return (1 << entry.size * 8) - 1 if entry.mask is None else entry.mask


def _is_whole(entry: Entry, bits: int = 0) -> bool:
    every = (1 << (bits or entry.size * 8)) - 1
    return entry.mask is None or entry.mask & every == every


def _masked_hex(fields: Fields, name: str) -> Iterator[str]:
    """``format_uint32_masked`` and ``format_be64_masked``."""
    if (entry := fields.get(name)) is not None:
        mask = "" if _is_whole(entry) else f"/{hex_text(entry.mask or 0)}"
        yield f"{name}={hex_text(entry.value)}{mask}"


def _number(fields: Fields, name: str) -> Iterator[str]:
    if (entry := fields.get(name)) is not None:
        yield f"{name}={entry.value}"


def _masked_number(entry: Entry, name: str, width: int = 0) -> str:
    """``format_be16_masked`` and its like: decimal when it is whole, hex with a mask."""
    if _is_whole(entry):
        return f"{name}={entry.value}"
    return f"{name}=0x{entry.value:0{width}x}/0x{entry.mask:0{width}x}"


def _ethernet(fields: Fields, name: str, shown: str) -> Iterator[str]:
    if (entry := fields.get(name)) is not None:
        yield f"{shown}={masked_ethernet(entry.value, entry.mask)}"


def _ipv4(fields: Fields, name: str, shown: str) -> Iterator[str]:
    if (entry := fields.get(name)) is not None:
        yield f"{shown}={masked_ipv4(entry.value, entry.mask)}"


def _ipv6(fields: Fields, name: str) -> Iterator[str]:
    if (entry := fields.get(name)) is not None:
        yield f"{name}={masked_ipv6(entry.value, entry.mask)}"


def _tracking(fields: Fields) -> Iterator[str]:
    if (state := fields.get("ct_state")) is not None:
        whole = _is_whole(state, 8)
        flags = state.value & 0xFF
        yield "ct_state=" + (flags_text(CT_STATES, flags) if whole else masked_flags(CT_STATES, flags, _mask(state)))
    if (zone := fields.get("ct_zone")) is not None:
        yield _masked_number(zone, "ct_zone")
    yield from _masked_hex(fields, "ct_mark")
    yield from _masked_hex(fields, "ct_label")
    yield from _ipv4(fields, "ct_nw_src", "ct_nw_src")
    yield from _ipv6(fields, "ct_ipv6_src")
    yield from _ipv4(fields, "ct_nw_dst", "ct_nw_dst")
    yield from _ipv6(fields, "ct_ipv6_dst")
    yield from _number(fields, "ct_nw_proto")
    for name in ("ct_tp_src", "ct_tp_dst"):
        if name in fields:
            yield _masked_number(fields[name], name)


def _is_ethernet(packet_type: Entry) -> bool:
    return packet_type.value == 0 and _is_whole(packet_type)


def _bare_packet_type(entry: Entry) -> str:
    return packet_type_text(entry.value, None if _is_whole(entry) else entry.mask).removeprefix("packet_type=")


def _ethertype(fields: Fields) -> int | None:
    """That of the packet: its packet type may be one (namespace 1), where there is no Ethernet header."""
    packet_type = fields.get("packet_type")
    if packet_type is not None and packet_type.value >> 16 == 1:
        return packet_type.value & 0xFFFF
    return fields["eth_type"].value if "eth_type" in fields else None


def _short(ethertype: int | None, protocol: int | None) -> str:
    if ethertype == ETH_IP:
        return _IP_PROTOCOLS.get(-1 if protocol is None else protocol, "ip")
    if ethertype == ETH_IPV6:
        return _IPV6_PROTOCOLS.get(-1 if protocol is None else protocol, "ipv6")
    return _TYPES.get(-1 if ethertype is None else ethertype, "")


def _registers(fields: Fields) -> Iterator[str]:
    """Those of 32 bits. OpenFlow 1.5 lets OVS send them in pairs (lib/nx-match.c, ``nx_put_raw``)."""
    found: dict[int, tuple[int, int]] = {}
    for name, entry in fields.items():
        if name.startswith(("reg", "xreg", "xxreg")):
            _split(found, int(name.lstrip("xreg")), entry)
    for number, (value, mask) in sorted(found.items()):
        shown = "" if mask == 0xFFFF_FFFF else f"/{hex_text(mask)}"
        yield f"reg{number}={hex_text(value)}{shown}"


def _split(found: dict[int, tuple[int, int]], number: int, entry: Entry) -> None:
    words, mask = entry.size // 4, _mask(entry)
    for word in range(words):
        shift = 32 * (words - 1 - word)
        if part := mask >> shift & 0xFFFF_FFFF:
            found[number * words + word] = (entry.value >> shift & 0xFFFF_FFFF, part)


def _tunnel(fields: Fields) -> Iterator[str]:
    """``format_flow_tunnel``."""
    yield from _masked_hex(fields, "tun_id")
    yield from _ipv4(fields, "tun_src", "tun_src")
    yield from _ipv4(fields, "tun_dst", "tun_dst")
    yield from _ipv6(fields, "tun_ipv6_src")
    yield from _ipv6(fields, "tun_ipv6_dst")
    if "tun_gbp_id" in fields:
        yield _masked_number(fields["tun_gbp_id"], "tun_gbp_id")
    erspan = fields["tun_erspan_ver"].value if "tun_erspan_ver" in fields else None
    for name, shown, decimal in _TUNNEL:
        if name in fields and _ERSPAN.get(name, erspan) == erspan:
            value = fields[name].value
            yield f"{shown}={value}" if decimal else f"{shown}={hex_text(value)}"
    if (flags := fields.get("tun_flags")) is not None:
        yield f"tun_flags={masked_flags(TUNNEL_FLAGS, flags.value, _mask(flags) & 15)}"
    options = (name for name in fields if name.startswith("tun_metadata"))
    for name in sorted(options, key=lambda name: int(name.removeprefix("tun_metadata"))):
        yield _option(name, fields[name])


_TUNNEL = (
    ("tun_gbp_flags", "tun_gbp_flags", False),
    ("tun_erspan_ver", "tun_erspan_ver", True),
    ("tun_erspan_idx", "tun_erspan_idx", False),
    ("tun_erspan_dir", "tun_erspan_dir", True),
    ("tun_erspan_hwid", "tun_erspan_hwid", False),
    ("tun_gtpu_flags", "gtpu_flags", False),
    ("tun_gtpu_msgtype", "gtpu_msgtype", True),
)
_ERSPAN = {"tun_erspan_idx": 1, "tun_erspan_dir": 2, "tun_erspan_hwid": 2}
"""The version of ERSPAN whose header has the field. It is left out beside any other version, and without one."""


def _option(name: str, entry: Entry) -> str:
    if entry.mask == 0:
        return name
    return f"{name}={hex_text(entry.value)}" + ("" if _is_whole(entry) else f"/{hex_text(entry.mask or 0)}")


def _vlan(fields: Fields) -> Iterator[str]:
    """The tag in whole: OXM splits it, and has a bit for "there is a tag" where 802.1Q has the CFI."""
    value = mask = 0
    if (tci := fields.get("vlan_tci")) is not None:
        value, mask = tci.value, _mask(tci)
    if (vid := fields.get("vlan_vid")) is not None:
        value, mask = vid.value, _mask(vid) & (_VID | _CFI)
    if (pcp := fields.get("vlan_pcp")) is not None:
        value, mask = value & (_VID | _CFI) | pcp.value << 13 | _CFI, mask | _PCP | _CFI
    if not mask:
        return
    vid_mask, pcp_mask = mask & _VID, mask & _PCP
    if mask & value & _CFI and vid_mask in (0, _VID) and pcp_mask in (0, _PCP) and (vid_mask or pcp_mask):
        if vid_mask:
            yield f"dl_vlan={value & _VID}"
        if pcp_mask:
            yield f"dl_vlan_pcp={value >> 13}"
    else:
        yield f"vlan_tci=0x{value:04x}" + ("" if mask == 0xFFFF else f"/0x{mask:04x}")


def _network(fields: Fields, ethertype: int | None) -> Iterator[str]:
    yield from _ipv6(fields, "ipv6_src")
    yield from _ipv6(fields, "ipv6_dst")
    if (label := fields.get("ipv6_label")) is not None:
        yield f"ipv6_label=0x{label.value:05x}" + ("" if _is_whole(label) else f"/0x{label.mask:05x}")
    yield from _ipv4(fields, "arp_spa", "arp_spa")
    yield from _ipv4(fields, "arp_tpa", "arp_tpa")
    if ethertype == ETH_NSH:
        yield from _nsh(fields)
    yield from _ipv4(fields, "ip_src", "nw_src")
    yield from _ipv4(fields, "ip_dst", "nw_dst")


def _nsh(fields: Fields) -> Iterator[str]:
    for name in ("nsh_flags", "nsh_ttl", "nsh_mdtype", "nsh_np"):
        if name in fields:
            yield _masked_number(fields[name], name, 2)
    for name in ("nsh_spi", "nsh_si", "nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4"):
        if (entry := fields.get(name)) is None:
            continue
        if name == "nsh_si":
            yield _masked_number(entry, name, 2)
        else:
            yield f"{name}=0x{entry.value:x}" + ("" if _is_whole(entry) else f"/0x{entry.mask:x}")


def _service(fields: Fields) -> Iterator[str]:
    if "ip_dscp" in fields:
        yield f"nw_tos={fields['ip_dscp'].value << 2}"
    if "nw_tos" in fields:
        yield f"nw_tos={fields['nw_tos'].value & 0xFC}"
    yield from _number(fields, "nw_ecn")
    yield from _number(fields, "nw_ttl")


def _mpls(fields: Fields) -> Iterator[str]:
    for name in ("mpls_label", "mpls_tc", "mpls_ttl", "mpls_bos"):
        yield from _number(fields, name)


_PORTS = (
    *((f"{name}_src", "tp_src") for name in ("tcp", "udp", "sctp")),
    *((f"{name}_dst", "tp_dst") for name in ("tcp", "udp", "sctp")),
    *((f"{name}_type", "icmp_type") for name in ("icmp", "icmpv6")),
    *((f"{name}_code", "icmp_code") for name in ("icmp", "icmpv6")),
)


def _transport(fields: Fields) -> Iterator[str]:
    for name, shown in _PORTS:
        if name in fields:
            yield _masked_number(fields[name], shown)
    yield from _ipv6(fields, "nd_target")
    yield from _ethernet(fields, "nd_sll", "nd_sll")
    yield from _ethernet(fields, "nd_tll", "nd_tll")
    yield from _number(fields, "nd_reserved")
    yield from _number(fields, "nd_options_type")
    if (flags := fields.get("tcp_flags")) is not None:
        whole = _is_whole(flags, 12)
        value = flags.value & 0xFFF
        shown = flags_text(TCP_FLAGS, value) if whole else masked_flags(TCP_FLAGS, value, _mask(flags) & 0xFFF)
        yield f"tcp_flags={shown}"
