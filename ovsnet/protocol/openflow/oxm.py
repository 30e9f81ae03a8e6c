"""OXM: how fields and their values are encoded in matches and actions (OpenFlow 1.5.1, section 7.2.3.2).

A header: class u16, number u7, "has a mask" u1, length u8; one of class 0xffff goes on with the experimenter u32, which
the length includes. Nicira's NXM is the same with classes 0 and 1.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import msgspec

from ovsnet.protocol.openflow.field_text import hex_text, value_text
from ovsnet.protocol.openflow.fields import EXPERIMENTER_CLASS, FIELDS, Code, Field
from ovsnet.protocol.openflow.message import OpenFlowProtocolError, unpack

_HEADER = struct.Struct("!HBB")
_EXPERIMENTER = struct.Struct("!I")
_OF_AN_EXPERIMENTER = EXPERIMENTER_CLASS.to_bytes(2)

TUNNEL_OPTION_BITS = 124 * 8
"""The longest option of a tunnel (OVS include/openvswitch/meta-flow.h, ``union mf_value``)."""


class OfField(msgspec.Struct, frozen=True, gc=False):
    """What belongs to a field, by the field's number."""

    code: Code

    @property
    def field(self) -> Field | None:
        """What is known of the field; None for one that we do not know."""
        return FIELDS.get(self.code)

    @property
    def name(self) -> str:
        """The name of the field, or its number as OVS has it in its logs."""
        field = self.field
        return _unknown_name(self.code) if field is None else field.name


class Header(OfField, frozen=True, gc=False):
    """``length`` is that of the value, and of the mask as well."""

    has_mask: bool
    length: int
    size: int
    """Bytes of the header itself."""
    wrong: str
    """What forbids a value of that length; empty when nothing does."""


class Entry(OfField, frozen=True, gc=False):
    """A field with a value; ``mask`` is None where every bit counts. ``size`` is the value's, in bytes."""

    value: int
    mask: int | None
    size: int

    @property
    def text(self) -> str:
        """The value as ``ovs-ofctl`` writes it in ``set_field``; hex for a field that we do not know."""
        field = self.field
        if field is not None:
            return value_text(field, self.value, self.mask)
        text = hex_text(self.value)
        return text if self.mask is None else f"{text}/{hex_text(self.mask)}"


class Subfield(OfField, frozen=True, gc=False):
    """Some bits of a field, as ``NXM_NX_REG0[0..15]``."""

    offset: int
    bits: int

    def __str__(self) -> str:
        field = self.field
        name = _unknown_name(self.code) if field is None else field.full_name
        if field is not None and self.offset == 0 and self.bits == (field.bits or TUNNEL_OPTION_BITS):
            return f"{name}[]"
        if self.bits == 1:
            return f"{name}[{self.offset}]"
        return f"{name}[{self.offset}..{self.offset + self.bits - 1}]"


def _unknown_name(code: Code) -> str:
    place, number, experimenter = code
    return f"oxm_{place:#06x}_{number}" + (f"_{experimenter:#x}" if experimenter else "")


def read_header(body: bytes, start: int = 0) -> Header:
    """Raises OpenFlowProtocolError when ``body`` ends before the header does."""
    sent = body[start : start + _HEADER.size]
    if sent.startswith(_OF_AN_EXPERIMENTER):
        sent = body[start : start + _HEADER.size + _EXPERIMENTER.size]
    return _header(sent)


@lru_cache(1024)
def _header(sent: bytes) -> Header:
    """A bridge has some dozens, each in thousands of flows."""
    place, number, length = unpack(_HEADER, sent, "a field")
    experimenter, size = 0, _HEADER.size
    if place == EXPERIMENTER_CLASS:
        (experimenter,) = unpack(_EXPERIMENTER, sent, "a field of an experimenter", size)
        if length < _EXPERIMENTER.size:
            raise OpenFlowProtocolError(f"a field of experimenter {experimenter:#x} claims {length} bytes")
        length, size = length - _EXPERIMENTER.size, size + _EXPERIMENTER.size
    code, has_mask = (place, number >> 1, experimenter), bool(number & 1)
    return Header(code, has_mask, length, size, _wrong(code, length, has_mask=has_mask))


def _wrong(code: Code, length: int, *, has_mask: bool) -> str:
    field = FIELDS.get(code)
    name = _unknown_name(code) if field is None else field.name
    if has_mask and length % 2:
        return f"the value of {name} claims {length} bytes"
    size = length // 2 if has_mask else length
    if field is not None and field.size and size * 8 != field.size:
        return f"the value of {name} has {size} bytes, {field.size // 8} are right"
    return ""


def read_entry(body: bytes, start: int = 0) -> tuple[Entry, int]:
    """One field with its value, and where it ends. Raises OpenFlowProtocolError."""
    header = read_header(body, start)
    start += header.size
    end = start + header.length
    if end > len(body):
        raise OpenFlowProtocolError(f"the value of {header.name} claims {header.length} bytes")
    if header.wrong:
        raise OpenFlowProtocolError(header.wrong)
    if not header.has_mask:
        return Entry(header.code, int.from_bytes(body[start:end]), None, header.length), end
    size = header.length // 2
    value, mask = int.from_bytes(body[start : start + size]), int.from_bytes(body[start + size : end])
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
