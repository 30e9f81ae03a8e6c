"""Nicira's learn: an action that adds a flow (OVS lib/learn.c ``learn_format``, lib/ofp-actions.c
``decode_LEARN_specs``)."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.protocol.openflow.action import Action, Argument, Decoder, Nested, u8, u16, u32, u64
from ovsnet.protocol.openflow.field_text import hex_text, value_text
from ovsnet.protocol.openflow.match import DEFAULT_PRIORITY
from ovsnet.protocol.openflow.message import OpenFlowProtocolError
from ovsnet.protocol.openflow.oxm import Subfield, read_subfield

_SEND_FLOW_REM, _DELETE_LEARNED, _WRITE_RESULT = 1, 2, 4

_BITS = 0x07FF
_IMMEDIATE = 0x2000
_MATCH, _LOAD, _OUTPUT = 0x0000, 0x0800, 0x1000
_TARGET = 0x1800


def _learn(body: bytes, nested: Nested) -> Action:
    u16(body, 30)  # the whole of its fixed part
    return _learned(body, 32, 0, "")


def _learn2(body: bytes, nested: Nested) -> Action:
    limit, offset, start = u32(body, 32), u16(body, 36), 40
    result = ""
    if u16(body, 24) & _WRITE_RESULT:
        field, start = read_subfield(body, start, offset, 1)
        result = str(field)
    return _learned(body, start, limit, result)


def _learned(body: bytes, start: int, limit: int, result: str) -> Action:
    flags, priority = u16(body, 24), u16(body, 14)
    arguments: dict[str, Argument] = {"table": u8(body, 26)}
    numbers = (
        ("idle_timeout", u16(body, 10)),
        ("hard_timeout", u16(body, 12)),
        ("fin_idle_timeout", u16(body, 28)),
        ("fin_hard_timeout", u16(body, 30)),
        ("priority", 0 if priority == DEFAULT_PRIORITY else priority),
    )
    arguments.update({name: number for name, number in numbers if number})
    if not priority:
        arguments["priority"] = 0
    if flags & _SEND_FLOW_REM:
        arguments["send_flow_rem"] = True
    if flags & _DELETE_LEARNED:
        arguments["delete_learned"] = True
    if cookie := u64(body, 16):
        arguments["cookie"] = hex_text(cookie)
    if limit:
        arguments["limit"] = limit
    if result:
        arguments["result_dst"] = result
    parts = [name if value is True else f"{name}={value}" for name, value in arguments.items()]
    specs = _specs(body, start)
    arguments["specs"] = ",".join(specs)
    return Action("learn", arguments, f"learn({','.join(parts + specs)})")


def _specs(body: bytes, start: int) -> list[str]:
    """A header u16 of zero, or what is too short for one, is padding."""
    found = []
    while start + 2 <= len(body) and (header := u16(body, start)):
        text, start = _spec(body, start + 2, header)
        found.append(text)
    return found


def _spec(body: bytes, start: int, header: int) -> tuple[str, int]:
    bits, target = header & _BITS, header & _TARGET
    if header & _IMMEDIATE:
        return _constant(body, start, bits, target)
    source, start = _field(body, start, bits)
    if target == _OUTPUT:
        return f"output:{source}", start
    field, start = _field(body, start, bits)
    if target == _LOAD:
        return f"load:{source}->{field}", start
    return (f"{field}" if source == field else f"{field}={source}"), start


def _constant(body: bytes, start: int, bits: int, target: int) -> tuple[str, int]:
    size = 2 * ((bits + 15) // 16)
    if start + size > len(body):
        raise OpenFlowProtocolError("a learn action ends inside a value")
    value = int.from_bytes(body[start : start + size]) & (1 << bits) - 1
    subfield, start = _field(body, start + size, bits)
    if target == _LOAD:
        return f"load:{hex_text(value)}->{subfield}", start
    if target != _MATCH:
        raise OpenFlowProtocolError("a learn action outputs a constant")
    field = subfield.field
    if field is not None and subfield.offset == 0 and bits == field.bits:
        return f"{field.name}={value_text(field, value)}", start
    return f"{subfield}={hex_text(value)}", start


def _field(body: bytes, start: int, bits: int) -> tuple[Subfield, int]:
    subfield, start = read_subfield(body, start, 0, bits)
    offset = u16(body, start)
    return Subfield(subfield.code, offset, bits), start + 2


LEARN_ACTIONS: Mapping[int, Decoder] = {16: _learn, 45: _learn2}
