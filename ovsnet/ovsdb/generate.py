"""Python classes for the rows of a schema, as the text of a module. Pure.

They are frozen dataclasses with a field for each column, typed as ``values`` has it and described from the schema;
``Database.find_as`` and ``row_as`` make rows of them. No schema is shipped: yours is that of your servers.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping

from ovsnet.ovsdb.rows import Column, in_english
from ovsnet.ovsdb.schema import Schema, Table

_ATOMS = {"integer": "int", "real": "float", "boolean": "bool", "string": "str", "uuid": "Uuid"}
_USED = ("field", "dict", "frozenset", "int", "float", "bool", "str", "Mapping", "ClassVar", "Uuid", "NO_UUID")
_TAKEN = frozenset(("TABLE", "FIELDS", "uuid", *_USED))
"""Names that a class has or uses: a field of such a name would be found in their place."""


def module_of(schema: Schema) -> str:
    """The module for ``schema``."""
    names = {name: _identifier(name) for name in sorted(schema.tables)}
    lines = [
        f'"""Rows of the database {schema.name}, schema version {schema.version or "unknown"}.',
        "",
        "Written by `ovsnet ovsdb generate`: write it again rather than change it.",
        '"""',
        "",
        "# The names are those of the schema.",
        "# ruff: noqa: N801",
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Mapping",
        "from dataclasses import dataclass, field",
        "from typing import ClassVar",
        "",
        "from ovsnet.ovsdb import NO_UUID, Uuid",
        "",
        "__all__ = [",
        *(f'    "{each}",' for each in names.values()),
        "]",
    ]
    for name, identifier in names.items():
        lines += ["", "", *_class_lines(identifier, schema.tables[name])]
    return "\n".join(lines) + "\n"


def _class_lines(identifier: str, table: Table) -> Iterator[str]:
    fields = {_field(name): name for name in sorted(table.columns)}
    yield "@dataclass(frozen=True, slots=True, kw_only=True)"
    yield f"class {identifier}:"
    yield f'    """{_described(table)}"""'
    yield ""
    yield f'    TABLE: ClassVar[str] = "{table.name}"'
    yield "    FIELDS: ClassVar[Mapping[str, str]] = {"
    for field, column in {"uuid": "_uuid", **fields}.items():
        yield f'        "{field}": "{column}",'
    yield "    }"
    yield ""
    yield "    uuid: Uuid = NO_UUID"
    yield '    """The row\'s own."""'
    for field, column in fields.items():
        yield ""
        yield from _field_lines(field, table.columns[column])


def _field_lines(field: str, column: Column) -> Iterator[str]:
    yield f"    {field}: {_type(column)} = {_default(column)}"
    said = in_english(column)
    notes = [said[:1].upper() + said[1:]]
    if not column.mutable:
        notes.append("it cannot be changed")
    if column.ephemeral:
        notes.append("it is lost when the server restarts")
    text = "; ".join(notes).replace("\\", "\\\\").replace('"', "'")
    yield from _wrapped(f'    """{text}."""')


def _described(table: Table) -> str:
    said = [f"A row of {table.name}."]
    if table.is_singleton:
        said = [f"The one row of {table.name}."]
    if table.indexes:
        said.append(f"Unique by {' and by '.join(' with '.join(index) for index in table.indexes)}.")
    if not table.is_root:
        said.append("It goes when nothing refers to it.")
    return " ".join(said)


def _type(column: Column) -> str:
    key = _ATOMS[column.key]
    if column.value is not None:
        return f"Mapping[{key}, {_ATOMS[column.value]}]"
    if column.is_scalar:
        return key
    return f"{key} | None" if column.is_optional else f"frozenset[{key}]"


def _default(column: Column) -> str:
    default = column.default
    if isinstance(default, Mapping):
        return "field(default_factory=dict)"
    if isinstance(default, frozenset):
        return f"frozenset({_atom(column, *default)})" if default else "frozenset()"
    return "None" if default is None else _atom(column, default)


def _atom(column: Column, value: object) -> str:
    if column.key == "uuid":
        return "NO_UUID" if column.is_scalar else "(NO_UUID,)"
    text = '""' if value == "" else repr(value)
    return text if column.is_scalar else f"({text},)"


def _field(name: str) -> str:
    return f"{name}_" if name in _TAKEN else _identifier(name)


def _identifier(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _wrapped(line: str, width: int = 116) -> Iterator[str]:
    """One docstring, broken at blanks."""
    while len(line) > width and (at := line.rfind(" ", 5, width)) > 0:
        yield line[:at]
        line = "    " + line[at + 1 :]
    yield line
