"""OXM: how fields and their values stand in matches and actions (OpenFlow 1.5.1, section 7.2.3.2).

A header: class u16, number u7, "has a mask" u1, length u8; one of class 0xffff goes on with the experimenter u32, which
the length includes. Nicira's NXM is the same with classes 0 and 1.
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.field_text import hex_text, value_text
from ovsnet.protocol.openflow.fields import EXPERIMENTER_CLASS, FIELDS, Code, Field
from ovsnet.protocol.openflow.message import OpenFlowProtocolError, unpack

_HEADER = struct.Struct("!HBB")
_EXPERIMENTER = struct.Struct("!I")


class Header(msgspec.Struct, frozen=True, gc=False):
    """``field`` is None for a field that we do not know; ``length`` is that of the value, and of the mask as well."""

    code: Code
    has_mask: bool
    length: int
    size: int
    """Bytes of the header itself."""

    @property
    def field(self) -> Field | None:
        """What is known of it."""
        return FIELDS.get(self.code)

    @property
    def name(self) -> str:
        """The name of the field, or its number as OVS has it in its logs."""
        field = self.field
        return unknown_name(self.code) if field is None else field.name


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A field with a value; ``mask`` is None where every bit counts. ``size`` is the value's, in bytes."""

    code: Code
    value: int
    mask: int | None
    size: int

    @property
    def field(self) -> Field | None:
        """What is known of the field."""
        return FIELDS.get(self.code)

    @property
    def name(self) -> str:
        """The name of the field, or its number."""
        field = self.field
        return unknown_name(self.code) if field is None else field.name

    @property
    def text(self) -> str:
        """The value as ``ovs-ofctl`` writes it in ``set_field``; hex for a field that we do not know."""
        field = self.field
        if field is not None:
            return value_text(field, self.value, self.mask)
        text = hex_text(self.value)
        return text if self.mask is None else f"{text}/{hex_text(self.mask)}"


class Subfield(msgspec.Struct, frozen=True, gc=False):
    """Some bits of a field, as ``NXM_NX_REG0[0..15]``."""

    code: Code
    offset: int
    bits: int

    @property
    def field(self) -> Field | None:
        """What is known of the field."""
        return FIELDS.get(self.code)

    def __str__(self) -> str:
        field = self.field
        name = unknown_name(self.code) if field is None else field.full_name
        if field is not None and self.offset == 0 and self.bits == (field.bits or TUNNEL_OPTION_BITS):
            return f"{name}[]"
        if self.bits == 1:
            return f"{name}[{self.offset}]"
        return f"{name}[{self.offset}..{self.offset + self.bits - 1}]"


TUNNEL_OPTION_BITS = 124 * 8
"""The longest option of a tunnel (OVS include/openvswitch/meta-flow.h, ``union mf_value``)."""


def unknown_name(code: Code) -> str:
    """A field that has no name here."""
    place, number, experimenter = code
    return f"oxm_{place:#06x}_{number}" + (f"_{experimenter:#x}" if experimenter else "")


def read_header(body: bytes, start: int = 0) -> Header:
    """Raises OpenFlowProtocolError when ``body`` ends before the header does."""
    place, number, length = unpack(_HEADER, body, "a field", start)
    if place != EXPERIMENTER_CLASS:
        return Header((place, number >> 1, 0), bool(number & 1), length, _HEADER.size)
    (experimenter,) = unpack(_EXPERIMENTER, body, "a field of an experimenter", start + _HEADER.size)
    if length < _EXPERIMENTER.size:
        raise OpenFlowProtocolError(f"a field of experimenter {experimenter:#x} claims {length} bytes")
    size = _HEADER.size + _EXPERIMENTER.size
    return Header((place, number >> 1, experimenter), bool(number & 1), length - _EXPERIMENTER.size, size)


def read_entry(body: bytes, start: int = 0) -> tuple[Entry, int]:
    """One field with its value, and where it ends. Raises OpenFlowProtocolError."""
    header = read_header(body, start)
    start += header.size
    end = start + header.length
    if end > len(body) or (header.has_mask and header.length % 2):
        raise OpenFlowProtocolError(f"the value of {header.name} claims {header.length} bytes")
    size = header.length // 2 if header.has_mask else header.length
    field = header.field
    if field is not None and field.size and size * 8 != field.size:
        raise OpenFlowProtocolError(f"the value of {field.name} has {size} bytes, {field.size // 8} are right")
    value = int.from_bytes(body[start : start + size])
    mask = int.from_bytes(body[start + size : end]) if header.has_mask else None
    return Entry(header.code, value, mask, size), end


def read_entries(body: bytes) -> tuple[Entry, ...]:
    """All fields of a match, without its header and padding. Raises OpenFlowProtocolError."""
    found = []
    start = 0
    while start < len(body):
        entry, start = read_entry(body, start)
        found.append(entry)
    return tuple(found)


def read_subfield(body: bytes, start: int, offset: int, bits: int) -> tuple[Subfield, int]:
    """Bits of the field whose header begins at ``start``, and where the header ends. Raises OpenFlowProtocolError."""
    header = read_header(body, start)
    return Subfield(header.code, offset, bits), start + header.size


def packed_subfield(body: bytes, start: int, packed: int) -> Subfield:
    """As Nicira's older actions pack it: the offset in ten bits, the number of bits less one in six."""
    subfield, _ = read_subfield(body, start, packed >> 6, (packed & 0x3F) + 1)
    return subfield
