"""What one action is to its reader: a name, its arguments by name, and the text that ``ovs-ofctl`` writes for it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import msgspec

from ovsnet.protocol.openflow.message import unpack

_U8, _U16, _U32, _U64 = (struct.Struct(form) for form in ("!B", "!H", "!I", "!Q"))

Argument = int | str | bool | tuple[int, ...] | tuple["Action", ...] | tuple[Mapping[str, int | str], ...]


class Action(msgspec.Struct, frozen=True):
    """``arguments`` are numbers, texts, and for an action that holds actions, those. An instruction is one, too."""

    name: str
    arguments: Mapping[str, Argument]
    text: str

    def __str__(self) -> str:
        return self.text


Nested = Callable[[bytes], tuple[Action, ...]]
"""Reads the actions that an action holds."""

Decoder = Callable[[bytes, Nested], Action]
"""Reads a whole action, its type and length included."""


def plain(name: str) -> Decoder:
    """An action without arguments."""
    action = Action(name, {}, name)
    return lambda body, nested: action


def u8(body: bytes, at: int) -> int:
    """One byte. Raises OpenFlowProtocolError when the action ends before it."""
    number: int = unpack(_U8, body, "an action", at)[0]
    return number


def u16(body: bytes, at: int) -> int:
    """Two bytes. Raises OpenFlowProtocolError when the action ends before them."""
    number: int = unpack(_U16, body, "an action", at)[0]
    return number


def u32(body: bytes, at: int) -> int:
    """Four bytes. Raises OpenFlowProtocolError when the action ends before them."""
    number: int = unpack(_U32, body, "an action", at)[0]
    return number


def u64(body: bytes, at: int) -> int:
    """Eight bytes. Raises OpenFlowProtocolError when the action ends before them."""
    number: int = unpack(_U64, body, "an action", at)[0]
    return number


def actions_text(actions: tuple[Action, ...]) -> str:
    """A list of actions; none at all drops the packet (``ofpacts_format``)."""
    return ",".join([action.text for action in actions]) or "drop"
