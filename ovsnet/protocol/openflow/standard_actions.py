"""The actions of OpenFlow itself (OpenFlow 1.5.1, section 7.2.6; OVS lib/ofp-actions.c), by their numbers since 1.1
and, where those differ, in 1.0."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ovsnet.protocol.openflow.action import Action, Decoder, Nested, plain, u8, u16, u32
from ovsnet.protocol.openflow.field_text import ethernet_text, hex_text, ipv4_text, port_text
from ovsnet.protocol.openflow.oxm import read_entry, read_subfield

CONTROLLER = 0xFFFD
_MAX = 0xFF00


def output_action(port: int, max_len: int) -> Action:
    """A port by its number has a prefix, a reserved one has not; only the controller gets a part of the packet."""
    port &= 0xFFFF
    name = port_text(port)
    text = name if port >= _MAX else f"output:{name}"
    if port == CONTROLLER:
        return Action("output", {"port": name, "max_len": max_len}, f"{text}:{max_len}")
    return Action("output", {"port": port if port < _MAX else name}, text)


def _output_10(body: bytes, nested: Nested) -> Action:
    return output_action(u16(body, 4), u16(body, 6))


def _output(body: bytes, nested: Nested) -> Action:
    return output_action(u32(body, 4), u16(body, 8))


def _enqueue(body: bytes, nested: Nested) -> Action:
    port, queue = u16(body, 4), u32(body, 12)
    return Action("enqueue", {"port": port, "queue": queue}, f"enqueue:{port_text(port)}:{queue}")


def _numbered(
    name: str, read: Callable[[bytes, int], int], at: int = 4, *, shown: Callable[[int], str] = str, form: str = "{}:{}"
) -> Decoder:
    """An action with one number, which ``shown`` writes."""

    def decode(body: bytes, nested: Nested) -> Action:
        number = read(body, at)
        return Action(name, {"value": number}, form.format(name, shown(number)))

    return decode


def _ethertype(number: int) -> str:
    return f"0x{number:04x}"


def _ethernet(name: str) -> Decoder:
    def decode(body: bytes, nested: Nested) -> Action:
        address = ethernet_text(u16(body, 4) << 32 | u32(body, 6))
        return Action(name, {"value": address}, f"{name}:{address}")

    return decode


def set_field(body: bytes, start: int) -> Action:
    """A field and its value, which begin at ``start``; what follows is padding."""
    entry, _ = read_entry(body, start)
    return Action("set_field", {"field": entry.name, "value": entry.text}, f"set_field:{entry.text}->{entry.name}")


def move(body: bytes, start: int, bits: int, source: int, target: int) -> Action:
    """The headers of both fields begin at ``start``; ``source`` and ``target`` are where in them the bits begin."""
    from_field, start = read_subfield(body, start, source, bits)
    to_field, _ = read_subfield(body, start, target, bits)
    arguments = {"source": str(from_field), "target": str(to_field)}
    return Action("move", arguments, f"move:{from_field}->{to_field}")


def _copy_field(body: bytes, nested: Nested) -> Action:
    return move(body, 12, u16(body, 4), u16(body, 6), u16(body, 8))


_MPLS: Mapping[str, Decoder] = {
    "label": _numbered("set_mpls_label", u32, form="{}({})"),
    "tc": _numbered("set_mpls_tc", u8, form="{}({})"),
    "ttl": _numbered("set_mpls_ttl", u8, form="{}({})"),
    "push": _numbered("push_mpls", u16, shown=_ethertype),
    "pop": _numbered("pop_mpls", u16, shown=_ethertype),
}

STANDARD: Mapping[int, Decoder] = {
    0: _output,
    1: _numbered("set_vlan_vid", u16),
    2: _numbered("set_vlan_pcp", u8),
    3: _ethernet("mod_dl_src"),
    4: _ethernet("mod_dl_dst"),
    5: _numbered("mod_nw_src", u32, shown=ipv4_text),
    6: _numbered("mod_nw_dst", u32, shown=ipv4_text),
    7: _numbered("mod_nw_tos", u8),
    8: _numbered("mod_nw_ecn", u8),
    9: _numbered("mod_tp_src", u16),
    10: _numbered("mod_tp_dst", u16),
    13: _MPLS["label"],
    14: _MPLS["tc"],
    15: _MPLS["ttl"],
    16: plain("dec_mpls_ttl"),
    17: _numbered("push_vlan", u16, shown=hex_text),
    18: plain("pop_vlan"),
    19: _MPLS["push"],
    20: _MPLS["pop"],
    21: _numbered("set_queue", u32),
    22: _numbered("group", u32),
    23: _numbered("mod_nw_ttl", u8),
    24: plain("dec_ttl"),
    25: lambda body, nested: set_field(body, 4),
    28: _copy_field,
    29: _numbered("meter", u32),
}

STANDARD_10: Mapping[int, Decoder] = {
    0: _output_10,
    1: _numbered("mod_vlan_vid", u16),
    2: _numbered("mod_vlan_pcp", u8),
    3: plain("strip_vlan"),
    4: _ethernet("mod_dl_src"),
    5: _ethernet("mod_dl_dst"),
    6: _numbered("mod_nw_src", u32, shown=ipv4_text),
    7: _numbered("mod_nw_dst", u32, shown=ipv4_text),
    8: _numbered("mod_nw_tos", u8),
    9: _numbered("mod_tp_src", u16),
    10: _numbered("mod_tp_dst", u16),
    11: _enqueue,
}

LIKE_STANDARD: Mapping[int, Decoder] = {
    4: _numbered("set_queue", u32, 12),
    18: plain("dec_ttl"),
    23: _numbered("push_mpls", u16, 10, shown=_ethertype),
    24: _numbered("pop_mpls", u16, 10, shown=_ethertype),
    25: _numbered("set_mpls_ttl", u8, 10, form="{}({})"),
    26: plain("dec_mpls_ttl"),
    30: _numbered("set_mpls_label", u32, 12, form="{}({})"),
    31: _numbered("set_mpls_tc", u8, 10, form="{}({})"),
    40: _numbered("group", u32, 12),
}
"""Nicira's actions of 1.0 that later versions made their own."""
