"""What is asked of a server, given its schema."""

from __future__ import annotations

from typing import Any

import pytest

from ovsnet.errors import UsageError
from ovsnet.ovsdb.schema import parse_schema
from ovsnet.ovsdb.selection import choose, frozen, frozen_where

SCHEMA = parse_schema({"name": "D", "tables": {"T": {"columns": {"a": {"type": "string"}, "b": {"type": "integer"}}}}})


def test_all_columns_when_none_are_named() -> None:
    assert choose(SCHEMA, {"T": None}).plain_request() == {"T": [{"columns": ["a", "b"]}]}


def test_what_the_schema_has_not_is_left_out_and_told() -> None:
    selection = choose(SCHEMA, {"T": ["a", "c"], "U": None})
    assert selection.plain_request() == {"T": [{"columns": ["a"]}]}
    assert selection.missing == {"T.c", "U"}


def test_implicit_columns_may_be_asked_for() -> None:
    selection = choose(SCHEMA, {"T": ["_uuid", "a"]})
    assert selection.plain_request() == {"T": [{"columns": ["_uuid", "a"]}]}
    assert not selection.missing


def test_conditions() -> None:
    selection = choose(SCHEMA, {"T": ["a"]}, {"T": [("b", "==", 1), ("a", "!=", "x")]})
    assert selection.conditional_request() == {"T": [{"columns": ["a"], "where": [["b", "==", 1], ["a", "!=", "x"]]}]}


def test_no_row_at_all() -> None:
    assert choose(SCHEMA, {"T": None}, {"T": [False]}).new_conditions() == {"T": [{"where": [False]}]}


def test_tables_without_condition_are_unfiltered() -> None:
    assert choose(SCHEMA, {"T": None}, {}).new_conditions() == {"T": [{"where": [True]}]}


def test_condition_on_a_missing_column_is_refused() -> None:
    """Or a mistyped name would bring all rows, which may be a hundred thousand."""
    with pytest.raises(UsageError, match="no column c"):
        choose(SCHEMA, {"T": ["a"]}, {"T": [("c", "==", 1), ("b", "==", 2)]})


def test_condition_on_a_missing_column_leaves_the_table_unfiltered_where_the_caller_agrees() -> None:
    """Dropping only this condition would hide the rows that it alone lets in."""
    selection = choose(SCHEMA, {"T": ["a"]}, {"T": [("c", "==", 1), ("b", "==", 2)]}, widen=True)
    assert selection.new_conditions() == {"T": [{"where": [True]}]}
    assert selection.missing == {"T.c"}


def test_conditions_of_a_table_that_is_not_monitored_are_refused() -> None:
    with pytest.raises(UsageError, match="table U, which is not monitored"):
        choose(SCHEMA, {"T": None}, {"U": [("a", "==", "x")]})


def test_no_columns_are_not_all_columns() -> None:
    assert choose(SCHEMA, {"T": []}).plain_request() == {"T": [{"columns": []}]}


def test_columns_of_a_generator_that_are_missing_are_told() -> None:
    assert choose(SCHEMA, {"T": (name for name in ("a", "c"))}).missing == {"T.c"}


@pytest.mark.parametrize("tables", [["T"], {"T": "a"}, "T", {"T": 5}])
def test_what_is_no_table_with_a_list_of_columns_is_refused(tables: Any) -> None:
    """The letters of a name would be missing columns, and the rows that come would be empty."""
    with pytest.raises(UsageError, match="are no tables with their columns"):
        frozen(tables)


@pytest.mark.parametrize("where", [[("a", "==", "x")], {"T": 5}, {"T": "a"}, {"T": ("a", "==", "x")}, {"T": [("a",)]}])
def test_what_are_no_conditions_of_tables_is_refused(where: Any) -> None:
    with pytest.raises(UsageError, match=r"not conditions for tables|not a list of conditions|is not a condition"):
        frozen_where(where)
