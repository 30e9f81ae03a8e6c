"""Values of OVSDB as OVS prints them: ``{key="a, b"}``, ``[x, y]``, ``"text"`` (lib/ovsdb-data.c,
``ovsdb_datum_to_string``), bare (``ovsdb_datum_to_bare``), and the JSON of RFC 7047. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from ovsnet.errors import ConfigError
from ovsnet.protocol.jsonrpc import BAD_JSON

Cell: TypeAlias = Any
"""A value of a column: text, a set or a map, as its form says."""

_ATOM = r'"(?:[^"\\]|\\.)*"|[^\s{}\[\],="]+'
_PAIR = re.compile(rf"\s*({_ATOM})\s*=\s*({_ATOM})\s*(?:,|$)", re.DOTALL)
_ITEM = re.compile(rf"\s*({_ATOM})\s*(?:,|$)", re.DOTALL)
_BARE = re.compile(r"(?:^|\s)([\w.:/-]+)=(.*?)(?=\s[\w.:/-]+=|$)", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)

MAPS = frozenset({"external_ids", "other_config", "options", "status", "statistics", "datapaths", "nb_ic_cfg"})


def printed(text: str, column: str = "") -> Cell:
    """A value as printed; an empty set is None. Raises ConfigError for one that is cut off."""
    text = text.strip()
    if text.startswith(('["map",', '["set",', '["uuid",')):
        return of_json(_decoded(text, Any))
    if text.startswith("{"):
        return _map(text)
    if text.startswith("["):
        return _set(text)
    if column in MAPS:
        return {key: unquoted(value) for key, value in _BARE.findall(text)}
    if text.startswith('"') and not _QUOTED.fullmatch(text):
        raise ConfigError(f"{_head(text)} is cut off.", remedy="Give it whole.")
    return unquoted(text) or None


def is_open(text: str) -> bool:
    """Whether a bracket or a quote is still open, so that the next line goes on."""
    rest = _QUOTED.sub("", text)
    return '"' in rest or rest.count("{") > rest.count("}") or rest.count("[") > rest.count("]")


def unquoted(text: str) -> str:
    """A string without the quotes it was printed in. Raises ConfigError."""
    return str(_decoded(text, str)) if text.startswith('"') else text


def _decoded(text: str, kind: Cell) -> Cell:
    try:
        return msgspec.json.decode(text, type=kind)
    except BAD_JSON as error:
        raise ConfigError(f"{_head(text)} is not a value as ovs-vsctl prints one.") from error


def check_maps(row: Mapping[str, Cell]) -> None:
    """Raise ConfigError where a column that holds a map holds something else. Every form ends here, so that the
    judges of a row need not ask."""
    for column in MAPS & row.keys():
        if (found := row[column]) is not None and not isinstance(found, dict):
            raise ConfigError(
                f"{column} is not a map here: {_head(str(found))}", remedy="Give it as ovs-vsctl prints it."
            )


def _head(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def _map(text: str) -> dict[str, str]:
    if not text.endswith("}"):
        raise ConfigError(f"{_head(text)} is cut off.", remedy="Give the whole line.")
    found: dict[str, str] = {}
    inside, at = text[1:-1], 0
    while inside[at:].strip():
        if (pair := _PAIR.match(inside, at)) is None:
            raise ConfigError(f"{_head(inside[at:].strip())} is not a pair of a map, as ovs-vsctl prints one.")
        found[unquoted(pair[1])] = unquoted(pair[2])
        at = pair.end()
    return found


def _set(text: str) -> Cell:
    if not text.endswith("]"):
        raise ConfigError(f"{_head(text)} is cut off.", remedy="Give the whole line.")
    found = [unquoted(item) for item in _ITEM.findall(text[1:-1])]
    return (found[0] if len(found) == 1 else frozenset(found)) if found else None


def of_json(value: Cell) -> Cell:
    """A value in the JSON of RFC 7047, section 5.1; everything in a map becomes text. Raises ConfigError for one that
    no database writes: what it meant would be lost without a word."""
    match value:
        case ["map", list(pairs)]:
            return dict(map(_pair, pairs))
        case ["set", list(items)]:
            found = [_atom(item) for item in items]
            return (found[0] if len(found) == 1 else frozenset(found)) if found else None
    return _atom(value)


def _pair(value: Cell) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(f"{_head(str(value))} is not a pair of a map, as OVSDB writes one.")
    return _text(_atom(value[0])), _text(_atom(value[1]))


def _atom(value: Cell) -> str | int | float | None:
    match value:
        case ["uuid" | "named-uuid", str(text)]:
            return text
        case str() | int() | float() | None:
            return value
    raise ConfigError(f"{_head(str(value))} is not a value as OVSDB writes one.")


def _text(value: Cell) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the rest of tuning reads it: true and false, and numbers, are text in a column too."""
    return {column: _text(value) if isinstance(value, bool | int) else value for column, value in row.items()}
