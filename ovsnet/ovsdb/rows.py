"""Columns and their values: from the wire, to the wire, and what a difference between two values does.

Reading is on the hot path (a southbound database has 100 000 rows), so it has converters of its own. Writing is not, so
``to_wire`` lets ``ovs.db.data.Datum`` judge what a column takes. A value that plainly fits is sent without it, for an
agent writes nothing and need not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.ovsdb.values import NO_UUID, Atom, Uuid, Value, wire

if TYPE_CHECKING:
    from ovs.db.types import Type

AtomType: TypeAlias = Literal["integer", "real", "boolean", "string", "uuid"]
Only = TypeVar("Only", bound=Atom)
Read: TypeAlias = Callable[[object], Value]
ReadAtom: TypeAlias = Callable[[object], Atom]

BAD_VALUE = (TypeError, ValueError, LookupError)
"""What the converters raise for JSON that is not a value of the column. Callers turn it into a ProtocolError."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. ``key``, ``value``, ``min`` and ``max`` as in RFC 7047 section 3.2, ``<type>``.

    ``declared`` is the whole ``<type>``, with enumerations, ranges and references: as JSON, or the
    ``ovs.db.types.Type`` that is made of it when something is written.
    """

    name: str
    key: AtomType
    value: AtomType | None = None
    min: int = 1
    max: int = 1
    mutable: bool = True
    ephemeral: bool = False
    declared: Any = field(default=None, repr=False, compare=False)
    read: Read = field(init=False, repr=False, compare=False)
    default: Value = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", _reader(self))
        object.__setattr__(self, "default", _default(self))

    @property
    def datum_type(self) -> Type:
        """The ``ovs.db.types.Type``. Raises ProtocolError for a ``<type>`` that OVS would not take."""
        from ovs.db.error import Error
        from ovs.db.types import Type

        if not isinstance(self.declared, Type):
            try:
                parsed = Type.from_json(self.key if self.declared is None else self.declared)
            except (Error, AttributeError, *BAD_VALUE) as error:
                raise ProtocolError(f"The schema has a wrong type for column {self.name}: {error}.") from error
            object.__setattr__(self, "declared", parsed)
        return self.declared

    @property
    def is_map(self) -> bool:
        """True for pairs of a key and a value."""
        return self.value is not None

    @property
    def is_scalar(self) -> bool:
        """True for exactly one value."""
        return self.value is None and self.min == self.max == 1

    @property
    def is_optional(self) -> bool:
        """True for one value or None."""
        return self.value is None and self.min == 0 and self.max == 1

    def patched(self, old: Value, difference: object) -> Value:
        """The value after a "modify" of update2 or update3 (ovsdb-server(7), section 4.1.14).

        A column that holds one value at most is replaced. An element in a set's difference was added if it is not in
        ``old``, else removed. A pair in a map's difference was removed if ``old`` has just this pair, else it is new
        or changed.
        """
        new = self.read(difference)
        if self.max <= 1:
            return new
        if isinstance(old, frozenset) and isinstance(new, frozenset):
            return old ^ new
        assert isinstance(old, Mapping)
        assert isinstance(new, Mapping)
        result = dict(old)
        for key, item in new.items():
            if key in result and result[key] == item:
                del result[key]
            else:
                result[key] = item
        return result


def to_wire(column: Column, value: object) -> object:
    """``value`` as JSON, after the schema agreed to it: its type, its enumeration, its range, its number of elements.

    Raises UsageError with one sentence that says what the column takes.
    """
    text = wire(value)
    if _fits_plainly(column, value):
        return text
    if any(isinstance(atom, bool) and kind in ("integer", "real") for atom, kind in _atoms(column, value)):
        # To Datum a bool is an int.
        raise _unfit(column, value, "a boolean is not a number")

    from ovs.db.data import Datum
    from ovs.db.error import Error

    symbols: dict[str, object] = {"": None}  # an empty one is taken for none, and then named uuids are refused
    try:
        Datum.from_json(column.datum_type, text, symbols)
    except (Error, ArithmeticError, AttributeError, *BAD_VALUE) as error:  # what Datum raises of itself, too
        raise _unfit(column, value, getattr(error, "msg", str(error)).rstrip(".")) from error
    return text


def _unfit(column: Column, value: object, why: str) -> UsageError:
    return UsageError(
        f"{value!r} does not fit column {column.name}: {why}.", remedy=f"The column takes {in_english(column)}."
    )


def _atoms(column: Column, value: object) -> Iterator[tuple[object, AtomType | None]]:
    """Each atom of a value, with the type that the column wants there."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key, column.key
            yield item, column.value
    elif isinstance(value, Set | tuple | list):
        yield from ((atom, column.key) for atom in value)
    else:
        yield value, column.key


_NEEDS_NO_JUDGE: dict[AtomType, type] = {"integer": int, "boolean": bool, "string": str}
"""Of a real ``wire`` may send another number, and a uuid has a syntax."""


def _fits_plainly(column: Column, value: object) -> bool:
    """Whether ``value`` is one atom, or none, and the column's ``<type>`` asks for nothing but its kind."""
    declared = {"key": column.declared} if isinstance(column.declared, str) else column.declared
    if not isinstance(declared, Mapping) or column.is_map:
        return False
    if declared["key"] not in (column.key, {"type": column.key}):
        return False
    return column.min == 0 if value is None else type(value) is _NEEDS_NO_JUDGE.get(column.key)


def in_english(column: Column) -> str:
    """What the column takes: "boolean", "map of string-string pairs", "integer, in range 1 to 65,279"."""
    kind: str = column.datum_type.toEnglish()
    try:
        constraint = column.datum_type.constraintsToEnglish()
    except AttributeError:  # of an enumeration of uuids (ovs/db/data.py, ``Atom.toEnglish``)
        return kind
    return f"{kind}, {constraint}" if constraint else kind


# Readers ask for the exact type: bool is an int to isinstance, and it is slower.


def _integer(wired: object) -> int:
    if type(wired) is int:
        return wired
    # A writer that has only doubles may send 1.0 (RFC 7047 section 3.1, <integer>).
    if type(wired) is float and wired.is_integer():
        return int(wired)
    return _only(wired, _integer, "integer")


def _real(wired: object) -> float:
    if type(wired) is float or type(wired) is int:
        return float(wired)
    return _only(wired, _real, "real")


def _boolean(wired: object) -> bool:
    if type(wired) is bool:
        return wired
    return _only(wired, _boolean, "boolean")


def _string(wired: object) -> str:
    if type(wired) is str:
        return wired
    return _only(wired, _string, "string")


def _uuid(wired: object) -> Uuid:
    if type(wired) is list:
        tag, text = wired
        if tag == "uuid" and type(text) is str:
            return Uuid(text)
    return _only(wired, _uuid, "uuid")


def _only(wired: object, atom: Callable[[object], Only], kind: str) -> Only:
    """The one element of a set, which is the long form of a bare atom (RFC 7047 section 5.1, <set>)."""
    elements = _elements(wired)
    if elements is None:
        raise TypeError(f"expected {kind}")
    (element,) = elements
    return atom(element)


_ATOMS: dict[AtomType, tuple[ReadAtom, Atom]] = {
    "integer": (_integer, 0),
    "real": (_real, 0.0),
    "boolean": (_boolean, False),
    "string": (_string, ""),
    "uuid": (_uuid, NO_UUID),
}
"""How each atom is read, and its default (RFC 7047 section 5.2.1)."""


def _default(column: Column) -> Value:
    atom = _ATOMS[column.key][1]
    if column.value is not None:
        return {} if column.min == 0 else {atom: _ATOMS[column.value][1]}
    if column.is_scalar:
        return atom
    if column.is_optional:
        return None
    return frozenset() if column.min == 0 else frozenset((atom,))


def _reader(column: Column) -> Read:
    atom = _ATOMS[column.key][0]
    if column.value is not None:
        return _map_reader(atom, _ATOMS[column.value][0])
    if column.is_scalar:
        return atom
    return _optional_reader(atom) if column.is_optional else _set_reader(atom)


def _elements(wired: object) -> list[object] | None:
    """What a ``["set", [...]]`` holds; None for a bare atom, the short form of a set of one."""
    if type(wired) is list and wired[0] == "set":
        _, elements = wired
        if type(elements) is list:
            return elements
        raise TypeError("expected set")
    return None


def _optional_reader(atom: ReadAtom) -> Read:
    def read(wired: object) -> Value:
        elements = _elements(wired)
        if elements is None:
            return atom(wired)
        if not elements:
            return None
        (only,) = elements
        return atom(only)

    return read


def _set_reader(atom: ReadAtom) -> Read:
    def read(wired: object) -> Value:
        elements = _elements(wired)
        return frozenset((atom(wired),)) if elements is None else frozenset(map(atom, elements))

    return read


def _map_reader(key: ReadAtom, item: ReadAtom) -> Read:
    def read(wired: object) -> Value:
        if type(wired) is list and wired[0] == "map":
            _, pairs = wired
            return {key(k): item(v) for k, v in pairs}
        raise TypeError("expected map")

    return read


def rows_of(result: Mapping[str, Any]) -> list[dict[str, object]]:
    """What the result of a select holds, in JSON. Raises ProtocolError."""
    rows = result.get("rows")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ProtocolError("The server answered a select without rows.")
