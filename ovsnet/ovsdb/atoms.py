"""One value as a person types it, such as the key in ``queues:0``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ovsnet.errors import UsageError
from ovsnet.ovsdb.rows import AtomType, Column
from ovsnet.ovsdb.values import Atom, Uuid

_KINDS: Mapping[type, AtomType] = {bool: "boolean", int: "integer", float: "real"}
"""Those that no text is equal to; a Uuid is a str."""


def atom_of(kind: str, text: str) -> Atom:
    """What ``text`` means; a string may be in quotes. Raises UsageError."""
    text = text.strip()
    try:
        if kind == "integer":
            return int(text)
        if kind == "real":
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "string" and text.startswith('"'):
            return msgspec.json.decode(text, type=str)
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        raise UsageError(f"{text!r} is not a valid {kind}.") from error
    return Uuid(text) if kind == "uuid" else text


def key_of(column: Column, text: str) -> Atom:
    """The key that ``text`` names in a map; a string is taken as it is. Raises UsageError."""
    return text if column.key == "string" else atom_of(column.key, text)


def key_in(pairs: Mapping[Atom, object], text: str) -> Atom | None:
    """The same where no schema is at hand: None when this map has no such key."""
    if text in pairs:
        return text
    kind = _KINDS.get(type(next(iter(pairs), "")))
    if kind is None:
        return None
    try:
        key = atom_of(kind, text)
    except UsageError:
        return None
    return key if key in pairs else None
