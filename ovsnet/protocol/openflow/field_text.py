"""How the values of fields are written, as ``ovs-ofctl`` writes them (OVS lib/meta-flow.c ``mf_format``,
lib/match.c, lib/packets.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv6Address

from ovsnet.protocol.openflow.fields import Field, Form

_RESERVED_PORTS = {
    0xFFF7: "UNSET",
    0xFFF8: "IN_PORT",
    0xFFF9: "TABLE",
    0xFFFA: "NORMAL",
    0xFFFB: "FLOOD",
    0xFFFC: "ALL",
    0xFFFD: "CONTROLLER",
    0xFFFE: "LOCAL",
    0xFFFF: "ANY",
}

CT_STATES = {1: "new", 2: "est", 4: "rel", 8: "rpl", 16: "inv", 32: "trk", 64: "snat", 128: "dnat"}
TCP_FLAGS = {
    1: "fin",
    2: "syn",
    4: "rst",
    8: "psh",
    16: "ack",
    32: "urg",
    64: "ece",
    128: "cwr",
    256: "ns",
    512: "[200]",
    1024: "[400]",
    2048: "[800]",
}
TUNNEL_FLAGS = {1: "oam", 2: "df", 4: "csum", 8: "key"}

_FRAGMENTS = {
    (0, 3): "no",
    (1, 3): "first",
    (3, 3): "later",
    (0, 1): "no",
    (1, 1): "yes",
    (0, 2): "not_later",
    (2, 2): "later",
}


def port_text(number: int) -> str:
    """A port by its number, of 16 bits or of 32: the reserved ones have names."""
    if number >= 0xFFFF_FF00:
        number &= 0xFFFF
    return _RESERVED_PORTS.get(number) or str(number)


def hex_text(value: int) -> str:
    """As C's ``%#x``: zero has no prefix."""
    return f"{value:#x}" if value else "0"


def ethernet_text(value: int) -> str:
    """Six bytes with colons."""
    return value.to_bytes(6).hex(":")


def ipv4_text(value: int) -> str:
    """Four numbers with dots."""
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def ipv6_text(value: int) -> str:
    """As inet_ntop(3) writes it: with the address of IPv4 that it holds, ``::ffff:1.2.3.4``."""
    head = value >> 32
    if head == 0xFFFF:
        return f"::ffff:{ipv4_text(value & 0xFFFF_FFFF)}"
    if not head and value >> 16:
        return f"::{ipv4_text(value)}"
    return IPv6Address(value).compressed


def masked_ethernet(value: int, mask: int | None) -> str:
    """With its mask, unless that is all ones."""
    text = ethernet_text(value)
    return text if mask in (None, (1 << 48) - 1) else f"{text}/{ethernet_text(mask or 0)}"


def masked_ipv4(value: int, mask: int | None) -> str:
    """With a prefix length, or a mask that is none."""
    return ipv4_text(value) + _netmask(mask, 32, ipv4_text)


def masked_ipv6(value: int, mask: int | None) -> str:
    """With a prefix length, or a mask that is none."""
    return ipv6_text(value) + _netmask(mask, 128, ipv6_text)


def flags_text(names: Mapping[int, str], flags: int) -> str:
    """Flags of which all count: ``syn|ack``."""
    if not flags:
        return "0"
    known = [name for bit, name in names.items() if flags & bit]
    unknown = flags & ~sum(names)
    return "|".join([*known, f"{unknown:#x}"] if unknown else known)


def masked_flags(names: Mapping[int, str], flags: int, mask: int) -> str:
    """Flags of which some count: ``+trk-new``."""
    if not mask:
        return "0/0"
    bits = [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
    return "".join(("+" if flags & bit else "-") + names.get(bit, "[Unknown]") for bit in bits)


def fragment_text(value: int, mask: int) -> str:
    """``nw_frag``: bit 0 says that it is a fragment, bit 1 that it is not the first."""
    mask &= 3
    return _FRAGMENTS.get((value & mask, mask), "<error>")


def packet_type_text(value: int, mask: int | None) -> str:
    """A namespace and a type within it (OpenFlow 1.5.1, section 7.2.3.11)."""
    if value == 0 and mask is None:
        return "eth"
    namespace = _masked_16(value >> 16, 0xFFFF if mask is None else mask >> 16)
    return f"packet_type=({namespace},{_masked_16(value & 0xFFFF, 0xFFFF if mask is None else mask & 0xFFFF)})"


def value_text(field: Field, value: int, mask: int | None = None) -> str:
    """A value of any field, with its mask, as ``set_field`` and ``learn`` write it."""
    every = (1 << field.size) - 1
    if mask == 0:
        return "ANY"
    if mask is not None and field.size and mask == every:
        mask = None
    if field.form is Form.HEX or (mask is not None and field.form in (Form.DECIMAL, Form.PORT)):
        text = hex_text(value) if field.form is Form.HEX else str(value)
        return text if mask is None else f"{text}/{hex_text(mask)}"
    return _special_text(field.form, value, mask, every)


def _special_text(form: Form, value: int, mask: int | None, every: int) -> str:
    match form:
        case Form.PORT:
            return port_text(value)
        case Form.ETHERNET:
            return masked_ethernet(value, mask)
        case Form.IPV4:
            return masked_ipv4(value, mask)
        case Form.IPV6:
            return masked_ipv6(value, mask)
        case Form.CT_STATE:
            # The mask that counts as whole is that of 16 bits, though the field has 32.
            return _some_flags(CT_STATES, value, every if mask is None else mask, 0xFFFF)
        case Form.TCP_FLAGS:
            return _some_flags(TCP_FLAGS, value, (every if mask is None else mask) & 0xFFF, 0xFFF)
        case Form.TUNNEL_FLAGS:
            return _some_flags(TUNNEL_FLAGS, value, (every if mask is None else mask) & 1, 1)
        case Form.FRAGMENT:
            return fragment_text(value, every if mask is None else mask)
        case Form.PACKET_TYPE:
            return packet_type_text(value, mask)
    return str(value)


def _some_flags(names: Mapping[int, str], flags: int, mask: int, every: int) -> str:
    return flags_text(names, flags) if mask == every else masked_flags(names, flags, mask)


def _masked_16(value: int, mask: int) -> str:
    """As ``put_u16_masked`` of lib/packets.c writes it."""
    if not mask:
        return "*"
    text = hex_text(value) if value > 9 else str(value)
    return text if mask == 0xFFFF else f"{text}/{mask:#x}"


def _netmask(mask: int | None, bits: int, text: Callable[[int], str]) -> str:
    every = (1 << bits) - 1
    if mask is None or mask == every:
        return ""
    rest = ~mask & every
    if rest & (rest + 1) == 0:
        return f"/{bits - rest.bit_length()}"
    return f"/{text(mask)}"
