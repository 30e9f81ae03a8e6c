"""Groups: what they hold (GROUP_DESC) and what went through them (GROUP). Since 1.1.

OpenFlow 1.5.1, sections 7.3.5.7 and 7.3.5.8; OVS lib/ofp-group.c, ``ofputil_group_format``.
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.action import Action, actions_text
from ovsnet.protocol.openflow.actions import read_actions
from ovsnet.protocol.openflow.field_text import port_text
from ovsnet.protocol.openflow.message import Message, OpenFlowProtocolError, Version, fixed_text, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body
from ovsnet.protocol.openflow.oxm import Entry, read_entries
from ovsnet.protocol.openflow.properties import pieces, properties, records

_TYPES = ("all", "select", "indirect", "ff")
_NO_PORT = _ANY = 0xFFFF_FFFF

_DESC = struct.Struct("!HBxI")
_DESC_15 = struct.Struct("!HBxIH6x")
_BUCKET = struct.Struct("!HHII4x")
_BUCKET_15 = struct.Struct("!HHI")
_METHOD = struct.Struct("!HHII4x16sQ")
_STATS = struct.Struct("!H2xII4xQQ")
_DURATION = struct.Struct("!II")
_COUNTERS = struct.Struct("!QQ")

_EXPERIMENTER = 0xFFFF
_NETRONOME = 0x0000_154D
"""The experimenter of the property that says by which fields a group selects (OVS netronome-ext.h)."""


class Bucket(msgspec.Struct, frozen=True):
    """One choice of a group. ``bucket_id`` is None before 1.5; the other numbers where they were not given."""

    actions: tuple[Action, ...]
    weight: int | None = None
    watch_port: int | None = None
    watch_group: int | None = None
    bucket_id: int | None = None

    def __str__(self) -> str:
        parts = [] if self.bucket_id is None else [f"bucket_id:{self.bucket_id}"]
        parts += [] if self.weight is None else [f"weight:{self.weight}"]
        parts += [] if self.watch_port is None else [f"watch_port:{port_text(self.watch_port)}"]
        parts += [] if self.watch_group is None else [f"watch_group:{self.watch_group}"]
        return f"bucket={','.join([*parts, f'actions={actions_text(self.actions)}'])}"


class Group(msgspec.Struct, frozen=True):
    """One group; ``str`` is what ovs-ofctl dump-groups prints. ``selection_method`` is set by Open vSwitch alone, and
    told since 1.5. ``selection_fields`` are those that it hashes; the value of each is the bits that count."""

    group_id: int
    type: str
    buckets: tuple[Bucket, ...]
    selection_method: str = ""
    selection_parameter: int = 0
    selection_fields: tuple[Entry, ...] = ()

    def __str__(self) -> str:
        method = f",selection_method={self.selection_method}" if self.selection_method else ""
        if self.selection_parameter:
            method += f",selection_method_param={self.selection_parameter}"
        method += _fields_text(self.selection_fields)
        buckets = "".join(f",{bucket}" for bucket in self.buckets)
        return f"group_id={self.group_id},type={self.type}{method}{buckets}"


class GroupStats(msgspec.Struct, frozen=True):
    """What went through a group: packets and bytes, in all and by bucket. ``duration`` is None before 1.3."""

    group_id: int
    ref_count: int
    packet_count: int
    byte_count: int
    duration: float | None
    buckets: tuple[tuple[int, int], ...]


def parse_groups(message: Message) -> tuple[Group, ...]:
    """Read a GROUP_DESC reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.GROUP_DESC)
    read = _group_15 if message.version >= Version.OF15 else _group
    return tuple(read(message.version, piece) for piece in records(body, _DESC.size, "a group"))


def parse_group_stats(message: Message) -> tuple[GroupStats, ...]:
    """Read a GROUP reply. Raises OpenFlowProtocolError when it is not one."""
    body = multipart_body(message, MultipartKind.GROUP)
    return tuple(_stats(message.version, piece) for piece in records(body, _STATS.size, "a group"))


def _type(number: int) -> str:
    return _TYPES[number] if number < len(_TYPES) else "unknown"


def _group(version: int, body: bytes) -> Group:
    _length, kind, group_id = unpack(_DESC, body, "a group")
    buckets = tuple(_bucket(version, kind, piece) for piece in records(body[_DESC.size :], _BUCKET.size, "a bucket"))
    return Group(group_id, _type(kind), buckets)


def _bucket(version: int, kind: int, body: bytes) -> Bucket:
    _length, weight, port, group = unpack(_BUCKET, body, "a bucket")
    return _made(kind, read_actions(version, body[_BUCKET.size :]), weight, port, group, None)


def _made(kind: int, actions: tuple[Action, ...], weight: int, port: int, group: int, number: int | None) -> Bucket:
    """What is as it would be by itself was not given."""
    usual = 1 if kind == _TYPES.index("select") else 0
    return Bucket(
        actions,
        None if weight == usual else weight,
        None if port == _NO_PORT else port & 0xFFFF,
        None if group == _ANY else group,
        number,
    )


def _group_15(version: int, body: bytes) -> Group:
    _length, kind, group_id, size = unpack(_DESC_15, body, "a group")
    end = _DESC_15.size + size
    if end > len(body):
        raise OpenFlowProtocolError(f"the buckets of group {group_id} claim {size} bytes")
    found = records(body[_DESC_15.size : end], _BUCKET_15.size, "a bucket")
    buckets = tuple(_bucket_15(version, kind, piece) for piece in found)
    selection: tuple[str, int, tuple[Entry, ...]] = ("", 0, ())
    for number, whole in pieces(body[end:], "a property of a group"):
        if number == _EXPERIMENTER:
            selection = _method(whole)
    return Group(group_id, _type(kind), buckets, *selection)


def _method(whole: bytes) -> tuple[str, int, tuple[Entry, ...]]:
    _type, _length, experimenter, _number, method, parameter = unpack(_METHOD, whole, "the method of a group")
    if experimenter != _NETRONOME:
        return "", 0, ()
    return fixed_text(method), parameter, read_entries(whole[_METHOD.size :])


def _fields_text(fields: tuple[Entry, ...]) -> str:
    """OVS lib/nx-match.c, ``oxm_format_field_array``: bits are named unless all of a field count."""
    texts = [each.name if each.value + 1 == 1 << 8 * each.size else f"{each.name}={each.text}" for each in fields]
    match texts:
        case []:
            return ""
        case [one]:
            return f",fields={one}"
    return f",fields({','.join(texts)})"


def _bucket_15(version: int, kind: int, body: bytes) -> Bucket:
    _length, size, bucket_id = unpack(_BUCKET_15, body, "a bucket")
    end = _BUCKET_15.size + size
    if end > len(body):
        raise OpenFlowProtocolError(f"the actions of bucket {bucket_id} claim {size} bytes")
    told = {number: int.from_bytes(value) for number, value in properties(body[end:], "a property of a bucket")}
    # The weight is of 16 bits, and padding follows it.
    weight = told[0] >> 16 if 0 in told else int(kind == _TYPES.index("select"))
    actions = read_actions(version, body[_BUCKET_15.size : end])
    return _made(kind, actions, weight, told.get(1, _NO_PORT), told.get(2, _ANY), bucket_id)


def _stats(version: int, body: bytes) -> GroupStats:
    _length, group_id, ref_count, packets, octets = unpack(_STATS, body, "statistics of a group")
    start, duration = _STATS.size, None
    if version >= Version.OF13:
        seconds, nanoseconds = unpack(_DURATION, body, "statistics of a group", start)
        start, duration = start + _DURATION.size, seconds + nanoseconds / 1e9
    if (len(body) - start) % _COUNTERS.size:
        raise OpenFlowProtocolError(f"group {group_id} has {len(body) - start} bytes of counters")
    buckets = tuple(_COUNTERS.iter_unpack(body[start:]))
    return GroupStats(group_id, ref_count, packets, octets, duration, buckets)
