"""Whether a condition, a mutation or a row fits the schema, before anything is sent (RFC 7047 section 5.1).

The server would refuse what does not fit, and names an operation by its number; here the line that is wrong raises.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from ovsnet.errors import UsageError
from ovsnet.ovsdb.operations import Condition, Mutation, well_formed
from ovsnet.ovsdb.rows import Column, in_english, to_wire
from ovsnet.ovsdb.schema import IMPLICIT_COLUMNS, Table
from ovsnet.ovsdb.values import Row, Value

ORDERED = ("<", "<=", ">=", ">")
EQUAL = ("==", "!=")
INCLUDING = ("includes", "excludes")
ARITHMETIC = ("+=", "-=", "*=", "/=", "%=")


def fit_row(table: Table, row: Mapping[str, object], *, new: bool) -> dict[str, object]:
    """A row to insert, or with ``new`` False columns to update, as JSON. Raises UsageError."""
    return {name: to_wire(_writable(table, name, new=new), value) for name, value in row.items()}


def fit_conditions(table: Table, conditions: Iterable[Condition]) -> list[object]:
    """Conditions as JSON. Raises UsageError."""
    return [_condition(table.column(name), function, value) for name, function, value in well_formed(conditions)]


def fit_mutations(table: Table, mutations: Iterable[Mutation]) -> list[object]:
    """Mutations as JSON. Raises UsageError."""
    triples = well_formed(mutations, "mutation")
    return [_mutation(_writable(table, name, new=False), mutator, value) for name, mutator, value in triples]


def meets(table: Table, row: Row, conditions: Iterable[Condition]) -> bool:
    """Whether a row meets all conditions, as the server would judge. Raises UsageError for one that does not fit."""
    return all(_meets(table.column(name), row[name], function, value) for name, function, value in conditions)


def _meets(column: Column, value: Value, function: str, wanted: object) -> bool:
    _, _, wired = _condition(column, function, wanted)
    if function in EQUAL:
        return (value == column.read(wired)) is (function == "==")
    if function in INCLUDING:
        found, parts = _parts(value), _parts(_of_any_size(column).read(wired))
        return parts <= found if function == "includes" else not parts & found
    if not isinstance(value, int | float) or not isinstance(limit := wired, int | float):
        return False
    return {"<": value < limit, "<=": value <= limit, ">=": value >= limit, ">": value > limit}[function]


def _parts(value: Value) -> Set[object]:
    """The elements of a set, the pairs of a map."""
    if value is None:
        return frozenset()
    if isinstance(value, Mapping):
        return value.items()
    return value if isinstance(value, frozenset) else frozenset((value,))


def _writable(table: Table, name: str, *, new: bool) -> Column:
    column = table.column(name)
    if name in IMPLICIT_COLUMNS:
        raise UsageError(f"Column {name} is the server's own: it cannot be written.")
    if not new and not column.mutable:
        raise UsageError(
            f"Column {name} of {table.name} cannot be changed once its row is there.",
            remedy="Insert another row with the value that is wanted.",
        )
    return column


def _condition(column: Column, function: str, value: object) -> list[object]:
    if function in EQUAL:
        return [column.name, function, to_wire(column, value)]
    if function in INCLUDING:
        return [column.name, function, to_wire(_of_any_size(column), value)]
    if function not in ORDERED:
        raise UsageError(
            f"{function!r} compares nothing.", remedy=f"Use one of {' '.join((*EQUAL, *ORDERED, *INCLUDING))}."
        )
    if column.key not in ("integer", "real") or column.is_map or column.max > 1:
        raise UsageError(f"Column {column.name} has no order: it takes {in_english(column)}.")
    return [column.name, function, to_wire(_any_number(column), value)]


def _mutation(column: Column, mutator: str, value: object) -> list[object]:
    if mutator in ARITHMETIC:
        return [column.name, mutator, to_wire(_number(column, mutator), value)]
    if mutator not in ("insert", "delete"):
        raise UsageError(f"{mutator!r} changes nothing.", remedy=f"Use one of {' '.join(ARITHMETIC)} insert delete.")
    if column.is_scalar:
        raise UsageError(f"Column {column.name} is neither a set nor a map.", remedy="Update it.")
    if mutator == "insert":  # of no more elements than the column holds (ovsdb/mutation.c, ovsdb_mutation_from_json)
        return [column.name, mutator, to_wire(_of_any_size(column, most=column.max), value)]
    keys_alone = column.is_map and not isinstance(value, Mapping)
    return [column.name, mutator, to_wire(_of_any_size(column, keys_alone=keys_alone), value)]


def _number(column: Column, mutator: str) -> Column:
    """Any number of the column's type: the schema bounds the result, not the operand."""
    if column.key not in ("integer", "real") or column.is_map or (mutator == "%=" and column.key == "real"):
        raise UsageError(f"Column {column.name} cannot be counted with {mutator}: it takes {in_english(column)}.")
    return _any_number(column)


def _any_number(column: Column) -> Column:
    from ovs.db.types import BaseType, Type

    return replace(column, min=1, max=1, declared=Type(BaseType(column.datum_type.key.type)))


def _of_any_size(column: Column, *, keys_alone: bool = False, most: int = sys.maxsize) -> Column:
    """The same elements, as few or many as the caller names, up to ``most``."""
    from ovs.db.types import Type

    kind = column.datum_type
    item = None if keys_alone else kind.value
    return replace(
        column,
        value=None if keys_alone else column.value,
        min=0,
        max=most,
        declared=Type(kind.key, item, 0, most),
    )
