"""What is asked of a server, given its schema."""

from __future__ import annotations

from ovsnet.ovsdb.schema import parse_schema
from ovsnet.ovsdb.selection import choose

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


def test_condition_on_a_missing_column_leaves_the_table_unfiltered() -> None:
    """Dropping only this condition would hide the rows that it alone lets in."""
    selection = choose(SCHEMA, {"T": ["a"]}, {"T": [("c", "==", 1), ("b", "==", 2)]})
    assert selection.new_conditions() == {"T": [{"where": [True]}]}
    assert selection.missing == {"T.c"}
