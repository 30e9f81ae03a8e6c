"""The actions of Nicira's extension, by their numbers (OVS lib/ofp-actions.c, ``enum ofp_raw_action_type``).

Type 0xffff, length, experimenter, and then the number: offsets count from the type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.protocol.openflow.action import Action, Argument, Decoder, Nested, actions_text, plain, u8, u16, u32, u64
from ovsnet.protocol.openflow.field_text import hex_text, port_text
from ovsnet.protocol.openflow.message import OpenFlowProtocolError
from ovsnet.protocol.openflow.oxm import packed_subfield, read_header, read_subfield
from ovsnet.protocol.openflow.standard_actions import LIKE_STANDARD, move, set_field

_IN_PORT = 0xFFF8
_NO_PORT = 0xFFFF
_ANY_TABLE = 0xFF
_WHOLE_PACKET = 0xFFFF
_NO_METER = 0

_REASONS = {
    0: "no_match",
    1: "action",
    2: "invalid_ttl",
    3: "action_set",
    4: "group",
    5: "packet_out",
    6: "explicit_miss",
    7: "implicit_miss",
}
_ACTION = 1


def _resubmit(port: int, table: int, *, tracked: bool = False) -> Action:
    arguments: dict[str, Argument] = {}
    if port != _IN_PORT:
        arguments["port"] = port_text(port)
    if table != _ANY_TABLE:
        arguments["table"] = table
    if tracked:
        arguments["ct"] = True
    if port != _IN_PORT and table == _ANY_TABLE:
        return Action("resubmit", arguments, f"resubmit:{port_text(port)}")
    shown_port = "" if port == _IN_PORT else port_text(port)
    shown_table = "" if table == _ANY_TABLE else str(table)
    return Action("resubmit", arguments, f"resubmit({shown_port},{shown_table}{',ct' if tracked else ''})")


def _resubmit_table(body: bytes, nested: Nested) -> Action:
    return _resubmit(u16(body, 10), u8(body, 12))


def _resubmit_table_ct(body: bytes, nested: Nested) -> Action:
    return _resubmit(u16(body, 10), u8(body, 12), tracked=True)


def _set_tunnel(body: bytes, nested: Nested) -> Action:
    number = u32(body, 12)
    return Action("set_tunnel", {"value": number}, f"set_tunnel:{hex_text(number)}")


def _set_tunnel64(body: bytes, nested: Nested) -> Action:
    number = u64(body, 16)
    return Action("set_tunnel64", {"value": number}, f"set_tunnel64:{hex_text(number)}")


def _reg_load(body: bytes, nested: Nested) -> Action:
    field = packed_subfield(body, 12, u16(body, 10))
    value = hex_text(u64(body, 16))
    return Action("load", {"target": str(field), "value": value}, f"load:{value}->{field}")


def _note(body: bytes, nested: Nested) -> Action:
    note = body[10:].hex(".")
    return Action("note", {"note": note}, f"note:{note}")


def _output_reg(body: bytes, nested: Nested) -> Action:
    field = str(packed_subfield(body, 12, u16(body, 10)))
    return Action("output", {"source": field}, f"output:{field}")


def _output_reg2(body: bytes, nested: Nested) -> Action:
    packed = u16(body, 10)
    field, _ = read_subfield(body, 14, packed >> 6, (packed & 0x3F) + 1)
    return Action("output", {"source": str(field)}, f"output:{field}")


def _output_trunc(body: bytes, nested: Nested) -> Action:
    port, max_len = u16(body, 10), u32(body, 12)
    name = port_text(port)
    return Action("output", {"port": name, "max_len": max_len}, f"output(port={name},max_len={max_len})")


def _stack(name: str) -> Decoder:
    def decode(body: bytes, nested: Nested) -> Action:
        header = read_header(body, 12)
        field, _ = read_subfield(body, 12, u16(body, 10), u16(body, 12 + header.size))
        return Action(name, {"field": str(field)}, f"{name}:{field}")

    return decode


def _dec_ttl_ids(body: bytes, nested: Nested) -> Action:
    ids = tuple(u16(body, 16 + 2 * each) for each in range(u16(body, 10)))
    return Action("dec_ttl", {"ids": ids}, f"dec_ttl({','.join(map(str, ids))})")


def _fin_timeout(body: bytes, nested: Nested) -> Action:
    timeouts = {"idle_timeout": u16(body, 10), "hard_timeout": u16(body, 12)}
    found: dict[str, Argument] = {name: seconds for name, seconds in timeouts.items() if seconds}
    return Action("fin_timeout", found, f"fin_timeout({_pairs(found)})")


def _pairs(arguments: Mapping[str, Argument]) -> str:
    return ",".join(name if value is True else f"{name}={value}" for name, value in arguments.items())


def _controller(body: bytes, nested: Nested) -> Action:
    return _to_controller({"max_len": u16(body, 10), "id": u16(body, 12), "reason": u8(body, 14)})


def _controller2(body: bytes, nested: Nested) -> Action:
    found: dict[str, Argument] = {}
    start = 16
    while start < len(body):
        kind, length = u16(body, start), u16(body, start + 2)
        if length < 4 or start + length > len(body):
            raise OpenFlowProtocolError(f"a property of a controller action claims {length} bytes")
        value = body[start + 4 : start + length]
        match kind:
            case 0:
                found["max_len"] = u16(value, 0)
            case 1:
                found["id"] = u16(value, 0)
            case 2:
                found["reason"] = u8(value, 0)
            case 3:
                found["userdata"] = value.hex(".")
            case 4:
                found["pause"] = True
            case 5:
                found["meter_id"] = u32(value, 0)
            case _:
                found[f"property_{kind}"] = value.hex()
        start += length + -length % 8
    return _to_controller(found)


def _to_controller(found: Mapping[str, Argument]) -> Action:
    reason, max_len = found.get("reason", _ACTION), found.get("max_len", _WHOLE_PACKET)
    arguments: dict[str, Argument] = {}
    if isinstance(reason, int) and reason != _ACTION:
        arguments["reason"] = _REASONS.get(reason, str(reason))
    if max_len != _WHOLE_PACKET:
        arguments["max_len"] = max_len
    more = {name: value for name, value in found.items() if name not in ("reason", "max_len") and value != _NO_METER}
    for name in ("id", "userdata", "pause", "meter_id"):
        if name in more:
            arguments[name] = more.pop(name)
    arguments.update(more)
    if not set(arguments) - {"max_len"}:
        return Action("controller", {"max_len": max_len}, f"CONTROLLER:{max_len}")
    return Action("controller", arguments, f"controller({_pairs(arguments)})")


def _write_metadata(body: bytes, nested: Nested) -> Action:
    return metadata_action(u64(body, 16), u64(body, 24))


def metadata_action(value: int, mask: int) -> Action:
    """Also an instruction of OpenFlow."""
    whole = mask == 0xFFFF_FFFF_FFFF_FFFF
    text = hex_text(value) + ("" if whole else f"/{hex_text(mask)}")
    return Action("write_metadata", {"value": text}, f"write_metadata:{text}")


def _conjunction(body: bytes, nested: Nested) -> Action:
    clause, n_clauses, number = u8(body, 10) + 1, u8(body, 11), u32(body, 12)
    arguments: dict[str, Argument] = {"id": number, "clause": clause, "n_clauses": n_clauses}
    return Action("conjunction", arguments, f"conjunction({number},{clause}/{n_clauses})")


def _clone(body: bytes, nested: Nested) -> Action:
    actions = nested(body[16:])
    return Action("clone", {"actions": actions}, f"clone({actions_text(actions)})")


def _check_pkt_larger(body: bytes, nested: Nested) -> Action:
    size = u16(body, 10)
    field, _ = read_subfield(body, 14, u16(body, 12), 1)
    return Action("check_pkt_larger", {"size": size, "target": str(field)}, f"check_pkt_larger({size})->{field}")


def _delete_field(body: bytes, nested: Nested) -> Action:
    name = read_header(body, 10).name
    return Action("delete_field", {"field": name}, f"delete_field:{name}")


_PACKET_TYPES = {0: "ethernet", 0x1_894F: "nsh", 0x1_8847: "mpls", 0x1_8848: "mpls_mc"}
_NEXT_PROTOCOL = 0x0000_FFFE
_NSH_CLASS = 4


def _encap(body: bytes, nested: Nested) -> Action:
    header = _PACKET_TYPES.get(u32(body, 12), "UNKNOWN")
    properties = []
    start = 16
    while start < len(body):
        length = u8(body, start + 3)
        if length < 4 or start + length > len(body):
            raise OpenFlowProtocolError(f"a property of an encap action claims {length} bytes")
        properties.append(_encap_property(body[start : start + length + -length % 8]))
        start += length + -length % 8
    inner = f"({','.join(properties)})" if properties else ""
    return Action("encap", {"header": header, "properties": inner[1:-1]}, f"encap({header}{inner})")


def _encap_property(one: bytes) -> str:
    """One of OVS lib/ofp-ed-props.c."""
    match u16(one, 0), u8(one, 2):
        case (4, 1):
            return f"md_type={u8(one, 4)}"
        case (4, 2):
            value = int.from_bytes(one[8 : 8 + u8(one, 7)])
            return f"tlv(0x{u16(one, 4):04x},{u8(one, 6)},{hex_text(value)})"
    return f"0x{one.hex()}"


def _decap(body: bytes, nested: Nested) -> Action:
    packet_type = u32(body, 12)
    if packet_type == _NEXT_PROTOCOL:
        return Action("decap", {}, "decap()")
    text = f"packet_type(ns={packet_type >> 16},type={hex_text(packet_type & 0xFFFF)})"
    return Action("decap", {"packet_type": packet_type}, f"decap({text})")


NICIRA_ACTIONS: Mapping[int, Decoder] = {
    **LIKE_STANDARD,
    1: lambda body, nested: _resubmit(u16(body, 10), _ANY_TABLE),
    2: _set_tunnel,
    5: plain("pop_queue"),
    6: lambda body, nested: move(body, 16, u16(body, 10), u16(body, 12), u16(body, 14)),
    7: _reg_load,
    8: _note,
    9: _set_tunnel64,
    14: _resubmit_table,
    15: _output_reg,
    17: plain("exit"),
    19: _fin_timeout,
    20: _controller,
    21: _dec_ttl_ids,
    22: _write_metadata,
    27: _stack("push"),
    28: _stack("pop"),
    32: _output_reg2,
    33: lambda body, nested: set_field(body, 10),
    34: _conjunction,
    37: _controller2,
    39: _output_trunc,
    42: _clone,
    43: plain("ct_clear"),
    44: _resubmit_table_ct,
    46: _encap,
    47: _decap,
    48: plain("dec_nsh_ttl"),
    49: _check_pkt_larger,
    50: _delete_field,
    254: plain("debug_slow"),
    255: plain("debug_recirc"),
}

ONF_ACTIONS: Mapping[int, Decoder] = {
    3200: lambda body, nested: move(body, 20, u16(body, 12), u16(body, 14), u16(body, 16)),
}
"""Those that 1.3 and 1.4 took over from later versions."""
