"""Values of OVSDB as a person types them and reads them.

secure    7    true    [1,2] or 1,2    {a=b,c=d} or a=b,c=d    "with, commas"    [] or {} for nothing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ovsnet.errors import UsageError
from ovsnet.ovsdb import Column, Condition, Row, Table, Uuid
from ovsnet.ovsdb.atoms import atom_of
from ovsnet.texts import for_line

_PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
_PAIR = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^="])+)=(.*)', re.S)
_CONDITION = re.compile(r"(\w+)(?::([^=!<>~]+))?(==|!=|<=|>=|~=|=|<|>)(.*)", re.S)
_FUNCTIONS = {"=": "==", "~=": "includes"}
_BRACKETS = {"[": "]", "{": "}"}


def value_of(column: Column, text: str) -> object:
    """What ``text`` means for a column. Raises UsageError."""
    inner = _unwrapped(text)
    if column.is_map:
        return dict(_pair(column, part) for part in _parts(inner))
    if column.max > 1:
        return {atom_of(column.key, part) for part in _parts(inner)}
    if column.is_optional and not inner:
        return None
    return atom_of(column.key, inner if column.key != "string" or column.is_optional else text)


def setting_of(table: Table, text: str) -> tuple[str, object]:
    """What ``COLUMN=VALUE`` or ``COLUMN:KEY=VALUE`` sets. Raises UsageError."""
    place, equals, value = text.partition("=")
    name, colon, key = place.partition(":")
    if not equals:
        raise UsageError(f"{text!r} sets nothing.", remedy="Write COLUMN=VALUE or COLUMN:KEY=VALUE.")
    column = table.column(name)
    if not colon:
        return name, value_of(column, value)
    if column.value is None:
        raise UsageError(f"Column {name} of {table.name} is not a map.", remedy="Write COLUMN=VALUE.")
    return f"{name}:{key}", atom_of(column.value, value)


def condition_of(table: Table, text: str) -> Condition:
    """What ``COLUMN=VALUE``, ``COLUMN:KEY=VALUE`` or another comparison asks for. Raises UsageError."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} is not a condition.", remedy="Write COLUMN=VALUE, or != < <= > >= ~= (includes) in place of =."
        )
    name, key, function, value = found.groups()
    column = table.column(name)
    if key is None:
        return name, _FUNCTIONS.get(function, function), value_of(column, value)
    if column.value is None or function not in ("=", "==", "!="):
        raise UsageError(
            f"{text!r} does not name a key of a map.", remedy="Write COLUMN:KEY=VALUE, or != in place of =."
        )
    pair = {atom_of(column.key, key): atom_of(column.value, value)}
    return name, "excludes" if function == "!=" else "includes", pair


def plain(value: object) -> object:
    """A value for JSON: a set is a sorted list, a map an object."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in sorted(value.items(), key=str)}
    if isinstance(value, frozenset):
        return sorted(value, key=lambda each: (str(type(each)), each))
    return str(value) if isinstance(value, Uuid) else value


def shown(value: object) -> str:
    """A value on a terminal, in the notation above."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "[]"
    if isinstance(value, Mapping):
        pairs = (f"{shown(key)}={shown(item)}" for key, item in sorted(value.items(), key=str))
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, frozenset):
        return f"[{', '.join(map(shown, sorted(value, key=str)))}]"
    return for_line(str(value))


def table_lines(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    """Rows under a heading, aligned."""
    cells = [list(columns), *([shown(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _unwrapped(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and _BRACKETS.get(text[0]) == text[-1] else text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _PART.findall(text) if part.strip()]


def _pair(column: Column, text: str) -> tuple[object, object]:
    found = _PAIR.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not a key-value pair for column {column.name}.", remedy="Write KEY=VALUE.")
    return atom_of(column.key, found[1]), atom_of(column.value or "string", found[2])
