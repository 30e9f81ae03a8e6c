"""Lists of actions, and since 1.1 the instructions that hold them.

Action: type u16, length u16 (a multiple of 8, itself included); type 0xffff goes on with an experimenter u32 and, in
the extensions that OVS speaks, a number u16. Instruction: type u16, length u16. What has no reader here is kept as it
came and shown as hex. OpenFlow 1.5.1, sections 7.2.5 and 7.2.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from ovsnet.protocol.openflow.action import Action, Decoder, actions_text, u8, u16, u32, u64
from ovsnet.protocol.openflow.choice_actions import CHOICE_ACTIONS
from ovsnet.protocol.openflow.learn_action import LEARN_ACTIONS
from ovsnet.protocol.openflow.message import NICIRA, ONF, OpenFlowProtocolError, Version
from ovsnet.protocol.openflow.nicira_actions import NICIRA_ACTIONS, ONF_ACTIONS, metadata_action
from ovsnet.protocol.openflow.standard_actions import STANDARD, STANDARD_10
from ovsnet.protocol.openflow.tracking_actions import TRACKING_ACTIONS

_EXPERIMENTER = 0xFFFF
_ALIGNMENT = 8

DEEPEST = 64
"""How deep actions may lie in actions. OVS itself takes 64 levels of resubmit (ofproto-dpif-xlate.h)."""

_NICIRA: Mapping[int, Decoder] = {**NICIRA_ACTIONS, **CHOICE_ACTIONS, **TRACKING_ACTIONS, **LEARN_ACTIONS}


CACHED, CACHED_BYTES = 4096, 256
"""Lists that are kept decoded, and how long one may be: thousands of OVN's flows do the same. They bound the memory."""


def read_actions(version: int, body: bytes, depth: int = 0) -> tuple[Action, ...]:
    """Raises OpenFlowProtocolError when ``body`` is not a list of actions, or they lie deeper than DEEPEST."""
    return (_cached_actions if len(body) <= CACHED_BYTES else _read_actions)(version, body, depth)


def _read_actions(version: int, body: bytes, depth: int) -> tuple[Action, ...]:
    if depth > DEEPEST:
        raise OpenFlowProtocolError(f"actions lie more than {DEEPEST} deep in actions")
    return tuple(_read_action(version, piece, depth) for piece in _pieces(body, "an action", _ALIGNMENT))


_cached_actions = lru_cache(CACHED)(_read_actions)


def read_instructions(version: int, body: bytes) -> tuple[Action, ...]:
    """What a flow does, in the order in which ``ovs-ofctl`` writes it; 1.0 has actions alone. Raises
    OpenFlowProtocolError."""
    return (_cached_instructions if len(body) <= CACHED_BYTES else _read_instructions)(version, body)


def _read_instructions(version: int, body: bytes) -> tuple[Action, ...]:
    if version == Version.OF10:
        return read_actions(version, body)
    found: dict[int, tuple[Action, ...]] = {}
    for piece in _pieces(body, "an instruction", _ALIGNMENT):
        kind = u16(piece, 0)
        if kind in found and kind in _ORDER:
            raise OpenFlowProtocolError(f"instruction {kind} comes twice")
        found[kind] = found.get(kind, ()) + _read_instruction(version, kind, piece)
    order = [*_ORDER, *(kind for kind in found if kind not in _ORDER)]
    return tuple(action for kind in order for action in found.get(kind, ()))


_cached_instructions = lru_cache(CACHED)(_read_instructions)

_GOTO, _METADATA, _WRITE, _APPLY, _CLEAR, _METER = 1, 2, 3, 4, 5, 6
_ORDER = (_METER, _APPLY, _CLEAR, _WRITE, _METADATA, _GOTO)


def _read_instruction(version: int, kind: int, piece: bytes) -> tuple[Action, ...]:
    match kind:
        case 1:
            table = u8(piece, 4)
            return (Action("goto_table", {"table": table}, f"goto_table:{table}"),)
        case 2:
            return (metadata_action(u64(piece, 8), u64(piece, 16)),)
        case 3:
            actions = read_actions(version, piece[8:])
            return (Action("write_actions", {"actions": actions}, f"write_actions({actions_text(actions)})"),)
        case 4:
            return read_actions(version, piece[8:])
        case 5:
            return (Action("clear_actions", {}, "clear_actions"),)
        case 6:
            meter = u32(piece, 4)
            return (Action("meter", {"value": meter}, f"meter:{meter}"),)
    return (_unknown("instruction", piece),)


def _pieces(body: bytes, what: str, alignment: int) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        length = u16(body, start + 2)
        if length < alignment or length % alignment or start + length > len(body):
            raise OpenFlowProtocolError(f"{what} claims a length of {length} bytes, {len(body) - start} are left")
        yield body[start : start + length]
        start += length


def _read_action(version: int, body: bytes, depth: int) -> Action:
    decode = _decoder(version, body)
    if decode is None:
        return _unknown("action", body)
    return decode(body, lambda inner: read_actions(version, inner, depth + 1))


def _decoder(version: int, body: bytes) -> Decoder | None:
    kind = u16(body, 0)
    if kind != _EXPERIMENTER:
        return (STANDARD_10 if version == Version.OF10 else STANDARD).get(kind)
    experimenter = u32(body, 4)
    if experimenter not in (NICIRA, ONF) or len(body) < 10:
        return None
    return (_NICIRA if experimenter == NICIRA else ONF_ACTIONS).get(u16(body, 8))


def _unknown(what: str, body: bytes) -> Action:
    return Action("unknown", {"raw": body.hex()}, f"unknown_{what}(0x{body.hex()})")
