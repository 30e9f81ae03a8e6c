"""Rows as objects of classes that are written for a schema: see ``ovsnet ovsdb generate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from ovsnet.ovsdb.values import Row


class TypedRow(Protocol):
    """What such a class has: the table, and how each field is called in it."""

    TABLE: ClassVar[str]
    FIELDS: ClassVar[Mapping[str, str]]


T = TypeVar("T", bound=TypedRow)


def row_as(kind: type[T], row: Row) -> T:
    """``row`` as an object. A column that the server lacks keeps the class's default."""
    make: Any = kind
    found: T = make(**{field: row[column] for field, column in kind.FIELDS.items() if column in row})
    return found
