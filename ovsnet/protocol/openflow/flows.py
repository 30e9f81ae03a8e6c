"""Flows, as the switch reports them: FLOW statistics (flow descriptions in 1.5), one part of the reply at a time.

OpenFlow 1.5.1, section 7.3.5.2; OVS lib/ofp-flow.c, ``ofputil_decode_flow_stats_reply`` and
``ofputil_flow_stats_format``. 1.0 has no match worth the name: there Nicira's NXST_FLOW is asked instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cached_property, partial

import msgspec

from ovsnet.protocol.openflow.action import Action, actions_text
from ovsnet.protocol.openflow.actions import read_instructions
from ovsnet.protocol.openflow.match import DEFAULT_PRIORITY, match_text
from ovsnet.protocol.openflow.message import NICIRA, Message, OpenFlowProtocolError, Version, unpack
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body
from ovsnet.protocol.openflow.oxm import Entry, read_entries
from ovsnet.protocol.openflow.oxs import read_oxs
from ovsnet.protocol.openflow.requests import NXST_FLOW

_FLOW_11 = struct.Struct("!HBxIIHHHHH2xQQQ")
_FLOW_15 = struct.Struct("!H2xBxHHHHHQ")
_FLOW_NX = struct.Struct("!HBxIIHHHHHHQQQ")
_VENDOR = struct.Struct("!II4x")
_MATCH = struct.Struct("!HH")
_OXM_MATCH = 1
_UNKNOWN_COUNT = 0xFFFF_FFFF_FFFF_FFFF

_FLAGS = {
    1: "send_flow_rem",
    2: "check_overlap",
    4: "reset_counts",
    8: "no_packet_counts",
    16: "no_byte_counts",
}


class Flow(msgspec.Struct, frozen=True, dict=True):
    """One flow. ``match`` and ``actions`` are decoded when they are first read; ``str`` is ovs-ofctl's line.

    Counters are None where the switch does not count. The ages, of 1.5 and of Nicira's extension to 1.0, are seconds
    since the last packet and since the flow was last changed.
    """

    version: int
    table_id: int
    priority: int
    cookie: int
    duration_sec: int
    duration_nsec: int
    packet_count: int | None
    byte_count: int | None
    idle_timeout: int
    hard_timeout: int
    importance: int
    flags: int
    raw_match: bytes
    raw_instructions: bytes
    idle_age: int | None = None
    hard_age: int | None = None

    @cached_property
    def match(self) -> tuple[Entry, ...]:
        """The fields that it matches on. Raises OpenFlowProtocolError when the switch sent no list of fields."""
        try:
            return read_entries(self.raw_match)
        except OpenFlowProtocolError as error:
            raise self._unreadable("match", error) from error

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What it does; instructions such as ``goto_table`` are in their place among the actions.

        Raises OpenFlowProtocolError when the switch sent no list of them.
        """
        try:
            return read_instructions(self.version, self.raw_instructions)
        except OpenFlowProtocolError as error:
            raise self._unreadable("actions", error) from error

    def _unreadable(self, what: str, error: OpenFlowProtocolError) -> OpenFlowProtocolError:
        """The reader of a flow has no other sentence about it: it is decoded long after its message was."""
        place = f"table {self.table_id}, priority {self.priority}, cookie {self.cookie:#x}"
        return OpenFlowProtocolError(f"The switch sent a flow ({place}) whose {what} OpenFlow forbids: {error}.")

    @property
    def duration(self) -> float:
        """Seconds since it was added."""
        return self.duration_sec + self.duration_nsec / 1e9

    @property
    def flag_names(self) -> tuple[str, ...]:
        """The flags that it was added with, in ovs-ofctl's words."""
        return tuple(name for bit, name in _FLAGS.items() if self.flags & bit)

    @property
    def match_text(self) -> str:
        """Priority and match, as ovs-ofctl writes them."""
        priority = "" if self.priority == DEFAULT_PRIORITY else f"priority={self.priority}"
        return ",".join(filter(None, (priority, match_text(self.match))))

    @property
    def actions_text(self) -> str:
        """What follows ``actions=`` in ovs-ofctl's line."""
        return actions_text(self.actions)

    @property
    def rule(self) -> str:
        """The line without what changes by itself: what ``ovs-ofctl --no-stats dump-flows`` prints."""
        cookie = f"cookie={self.cookie:#x}, " if self.cookie else ""
        table = f"table={self.table_id}, " if self.table_id else ""
        return f"{cookie}{table}{self._rest(ages=False)}"

    def __str__(self) -> str:
        counts = f"n_packets={_count(self.packet_count)}, n_bytes={_count(self.byte_count)}"
        duration = duration_text(self.duration_sec, self.duration_nsec)
        return f"cookie={self.cookie:#x}, duration={duration}, table={self.table_id}, {counts}, {self._rest(ages=True)}"

    def _rest(self, *, ages: bool) -> str:
        timeouts = (("idle_timeout", self.idle_timeout), ("hard_timeout", self.hard_timeout))
        parts = [f"{name}={seconds}, " for name, seconds in timeouts if seconds]
        parts += [f"{name} " for name in self.flag_names]
        if self.importance:
            parts.append(f"importance={self.importance}, ")
        if ages and self.idle_age is not None:
            parts.append(f"idle_age={self.idle_age}, ")
        if ages and self.hard_age not in (None, self.duration_sec):
            parts.append(f"hard_age={self.hard_age}, ")
        if match := self.match_text:
            parts.append(f"{match} ")
        return f"{''.join(parts)}actions={self.actions_text}"


def duration_text(seconds: int, nanoseconds: int) -> str:
    """As OVS writes it: three decimals where those are exact (lib/ofp-print.c, ``ofp_print_duration``)."""
    if not nanoseconds:
        return f"{seconds}s"
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    if not rest:
        return f"{seconds}.{milliseconds:03}s"
    return f"{seconds}.{f'{nanoseconds:09}'.rstrip('0')}s"


def parse_flows(message: Message) -> list[Flow]:
    """Read a FLOW reply, whole or one part of it. Raises OpenFlowProtocolError when it is not one."""
    if message.version == Version.OF10:
        return _flows(_nicira_body(message), _read_nicira)
    body = multipart_body(message, MultipartKind.FLOW)
    version = message.version
    read = _read_15 if version >= Version.OF15 else _read_11
    return _flows(body, partial(read, version))


def _flows(body: bytes, read: Callable[[bytes, int], tuple[Flow, int]]) -> list[Flow]:
    found = []
    start = 0
    while start < len(body):
        flow, start = read(body, start)
        found.append(flow)
    return found


def _nicira_body(message: Message) -> bytes:
    body = multipart_body(message, MultipartKind.EXPERIMENTER)
    vendor, subtype = unpack(_VENDOR, body, "a Nicira FLOW reply")
    if (vendor, subtype) != (NICIRA, NXST_FLOW):
        raise OpenFlowProtocolError(f"flows were asked for, and statistics {subtype} of experimenter {vendor:#x} came")
    return body[_VENDOR.size :]


def _read_11(version: int, body: bytes, start: int) -> tuple[Flow, int]:
    fields = unpack(_FLOW_11, body, "a flow", start)
    length, table_id, sec, nsec, priority, idle, hard, flags, importance, cookie, packets, octets = fields
    end = _end(body, start, length, _FLOW_11.size)
    match, after = oxm_match(body, start + _FLOW_11.size, end)
    counts = (_known(packets), _known(octets))
    # Up to 1.2 there are no flags to tell, and up to 1.3 no importance.
    flags = flags if version >= Version.OF13 else 0
    importance = importance if version >= Version.OF14 else 0
    return (
        Flow(
            version, table_id, priority, cookie, sec, nsec, *counts, idle, hard, importance, flags, match,
            body[after:end],
        ),
        end,
    )  # fmt: skip


def _read_15(version: int, body: bytes, start: int) -> tuple[Flow, int]:
    fields = unpack(_FLOW_15, body, "a flow", start)
    length, table_id, priority, idle, hard, flags, importance, cookie = fields
    end = _end(body, start, length, _FLOW_15.size)
    match, after = oxm_match(body, start + _FLOW_15.size, end)
    stats, after = read_oxs(body, after, end)
    return (
        Flow(
            version, table_id, priority, cookie, *(stats.duration or (0, 0)), stats.packet_count, stats.byte_count,
            idle, hard, importance, flags, match, body[after:end], stats.idle_time[0] if stats.idle_time else None,
        ),
        end,
    )  # fmt: skip


def _read_nicira(body: bytes, start: int) -> tuple[Flow, int]:
    fields = unpack(_FLOW_NX, body, "a flow", start)
    length, table_id, sec, nsec, priority, idle, hard, match_length, *ages, cookie, packets, octets = fields
    end = _end(body, start, length, _FLOW_NX.size)
    match, after = nxm_match(body, start + _FLOW_NX.size, match_length, end)
    return (
        Flow(
            Version.OF10, table_id, priority, cookie, sec, nsec, _known(packets), _known(octets), idle, hard, 0, 0,
            match, body[after:end], *map(_age, ages),
        ),
        end,
    )  # fmt: skip


def _age(told: int) -> int | None:
    """It counts from one, so that nothing is zero."""
    return told - 1 if told else None


def _end(body: bytes, start: int, length: int, least: int) -> int:
    if length < least or start + length > len(body):
        raise OpenFlowProtocolError(f"a flow claims a length of {length} bytes, {len(body) - start} are left")
    return start + length


def oxm_match(body: bytes, start: int, end: int) -> tuple[bytes, int]:
    """The fields of a match, and where its padding ends. Its length counts its header and not the padding."""
    if end - start < _MATCH.size:
        raise OpenFlowProtocolError(f"the match of a flow has {end - start} bytes, {_MATCH.size} are needed")
    kind, length = _MATCH.unpack_from(body, start)
    after = start + length + -length % 8
    if kind != _OXM_MATCH or length < _MATCH.size or after > end:
        raise OpenFlowProtocolError(f"a match is of type {kind} and claims {length} bytes")
    return body[start + _MATCH.size : start + length], after


def nxm_match(body: bytes, start: int, length: int, end: int) -> tuple[bytes, int]:
    """The fields of a match in Nicira's form, which has no header, and where its padding ends."""
    after = start + length + -length % 8
    if after > end:
        raise OpenFlowProtocolError(f"the match of a flow claims {length} bytes")
    return body[start : start + length], after


def _known(count: int) -> int | None:
    return None if count == _UNKNOWN_COUNT else count


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)
