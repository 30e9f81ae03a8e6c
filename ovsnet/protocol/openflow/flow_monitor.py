"""FLOW_MONITOR: the switch says which flows there are, and then which come, change and go.

There are three forms: Nicira's up to 1.2, the Open Networking Foundation's in 1.3, and since 1.4 the standard's own
(OpenFlow 1.5.1, section 7.3.5; OVS include/openflow/nicira-ext.h, "Flow Table Monitoring", and lib/ofp-monitor.c). The
flows that there are come in the reply to the request, and each later change in a message of the same form with xid 0.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import NamedTuple

import msgspec

from ovsnet.protocol.openflow.flows import Flow, nxm_match, oxm_match
from ovsnet.protocol.openflow.message import (
    NICIRA,
    ONF,
    Message,
    MessageType,
    OpenFlowProtocolError,
    Version,
    stats_request_type,
    unpack,
)
from ovsnet.protocol.openflow.multipart import MultipartKind, multipart_body, multipart_header_size
from ovsnet.protocol.openflow.properties import records
from ovsnet.protocol.openflow.requests import NXST_FLOW_MONITOR, ONFST_FLOW_MONITOR

_EVENT = struct.Struct("!HHI")
"""Length and event; of an abbreviated change also the xid."""
_CHANGE = struct.Struct("!HHBBHHH4xQ")
_NX_CHANGE = struct.Struct("!HHHHHHHBxQ")
_OWNER = struct.Struct("!II")
_APPLY = struct.Struct("!HH4x")
_APPLY_ACTIONS = 4

_EVENTS = ("initial", "added", "removed", "modified", "abbreviated", "paused", "resumed")
_NX_EVENTS = ("added", "removed", "modified", "abbreviated")
_REASONS = ("idle", "hard", "delete", "group_delete", "meter_delete", "eviction")

_PAUSES = {
    _OWNER.pack(NICIRA, 22): True,
    _OWNER.pack(NICIRA, 23): False,
    _OWNER.pack(ONF, 1871): True,
    _OWNER.pack(ONF, 1872): False,
}
"""Up to 1.3 a message of its own says that the switch pauses, and another that it goes on."""


class FlowChange(msgspec.Struct, frozen=True):
    """What became of one flow: it was there when the monitor began (``initial``), or was ``added``, ``modified`` or
    ``removed``. ``flow`` has no counters, no age and no flags. Open vSwitch says ``added`` also of a flow that replaces
    one of the same match and priority; a client, which remembers the flows, says ``modified`` of it.

    ``reason`` is why it was removed, in ovs-ofctl's words: ``idle``, ``hard``, ``delete``, ``group_delete``,
    ``meter_delete`` or ``eviction``; else empty.
    """

    change: str
    flow: Flow
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.change}{reason}: {self.flow.rule}"


class FlowUpdate(NamedTuple):
    """What one message says."""

    changes: tuple[FlowChange, ...]
    abbreviated: tuple[int, ...] = ()
    """The xids of requests of this connection that changed flows, where the switch says no more of them."""
    paused: bool | None = None
    """True: from here on the switch leaves changes out. False: it has caught up. None: nothing of that."""


class _Form(NamedTuple):
    kind: MultipartKind
    owner: bytes
    """Whose statistics these are, and which; empty for the standard's."""
    padding: int = 0


@cache
def _form(version: int) -> _Form:
    if version >= Version.OF14:
        return _Form(MultipartKind.FLOW_MONITOR, b"")
    if version == Version.OF13:
        return _Form(MultipartKind.EXPERIMENTER, _OWNER.pack(ONF, ONFST_FLOW_MONITOR))
    padding = 4 if version == Version.OF10 else 0
    return _Form(MultipartKind.EXPERIMENTER, _OWNER.pack(NICIRA, NXST_FLOW_MONITOR), padding)


def is_flow_update(message: Message) -> bool:
    """Whether it is what ``parse_flow_update`` reads."""
    if message.type == MessageType.EXPERIMENTER:
        return message.body[: _OWNER.size] in _PAUSES
    if message.type != stats_request_type(message.version) + 1:
        return False
    form, start = _form(message.version), multipart_header_size(message.version)
    return message.body[:2] == form.kind.to_bytes(2) and message.body.startswith(form.owner, start)


def parse_flow_update(message: Message, *, initial: bool = False) -> FlowUpdate:
    """Read one part of a FLOW_MONITOR reply, or a later message of that form. Raises OpenFlowProtocolError when it is
    neither.

    ``initial`` says that it has the request's xid: before 1.4 only that tells the flows that there are from new ones.
    """
    if message.type == MessageType.EXPERIMENTER and message.body[: _OWNER.size] in _PAUSES:
        return FlowUpdate((), paused=_PAUSES[message.body[: _OWNER.size]])
    changes: list[FlowChange] = []
    abbreviated: list[int] = []
    paused = None
    for piece in records(_body(message), _EVENT.size, "a change of a flow"):
        _length, number, xid = unpack(_EVENT, piece, "a change of a flow")
        match _event(message.version, number):
            case "abbreviated":
                abbreviated.append(xid)
            case "paused" | "resumed" as event:
                paused = event == "paused"
            case event:
                changes.append(_change(message.version, "initial" if initial and event == "added" else event, piece))
    return FlowUpdate(tuple(changes), tuple(abbreviated), paused)


def _body(message: Message) -> bytes:
    form = _form(message.version)
    body = multipart_body(message, form.kind)
    if not body.startswith(form.owner):
        raise OpenFlowProtocolError(f"changes of flows were asked for, and statistics {body[:8].hex()} came")
    return body[len(form.owner) + form.padding :]


def _event(version: int, number: int) -> str:
    events = _EVENTS if version >= Version.OF14 else _NX_EVENTS
    if number >= len(events):
        raise OpenFlowProtocolError(f"a flow underwent event {number}, which OpenFlow does not know")
    return events[number]


def _change(version: int, event: str, piece: bytes) -> FlowChange:
    if version >= Version.OF14:
        fields = unpack(_CHANGE, piece, "a change of a flow")
        _length, _event, table, reason, idle, hard, priority, cookie = fields
        match, after = oxm_match(piece, _CHANGE.size, len(piece))
    else:
        fields = unpack(_NX_CHANGE, piece, "a change of a flow")
        _length, _event, reason, priority, idle, hard, match_length, table, cookie = fields
        if version == Version.OF13:
            match, after = oxm_match(piece, _NX_CHANGE.size, len(piece))
        else:
            match, after = nxm_match(piece, _NX_CHANGE.size, match_length, len(piece))
    instructions = _instructions(version, piece[after:])
    flow = Flow(version, table, priority, cookie, 0, 0, None, None, idle, hard, 0, 0, match, instructions)
    return FlowChange(event, flow, _reason(reason) if event == "removed" else "")


def _instructions(version: int, sent: bytes) -> bytes:
    """Nicira's form has bare actions in every version; since 1.1 a flow has them in an instruction."""
    if not sent or version == Version.OF10 or version >= Version.OF13:
        return sent
    return _APPLY.pack(_APPLY_ACTIONS, _APPLY.size + len(sent)) + sent


def _reason(number: int) -> str:
    return _REASONS[number] if number < len(_REASONS) else str(number)
