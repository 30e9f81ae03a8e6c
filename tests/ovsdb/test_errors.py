"""The server's error strings and their types."""

import pytest

from ovsnet.errors import OvsdbError
from ovsnet.ovsdb import errors
from ovsnet.ovsdb.errors import Refused, ovsdb_error


@pytest.mark.parametrize("kind", Refused.__subclasses__())
def test_each_string_has_its_type_and_its_reason(kind: type[Refused]) -> None:
    error = ovsdb_error({"error": kind.string, "details": "because."}, operation=2, subject="operation 2")
    assert type(error) is kind
    assert (error.tag, error.details, error.operation) == (kind.string, "because.", 2)
    assert str(error) == f"The server refused operation 2: {kind.string}: because."
    assert " " not in kind.reason
    assert kind.reason != OvsdbError.reason


@pytest.mark.parametrize("kind", Refused.__subclasses__())
def test_the_tree_at_the_top_of_the_module_is_complete(kind: type[Refused]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert f'"{kind.string}"' in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "value", ["no such wish", {"error": "no such wish"}, {"error": "no such wish", "details": None}]
)
def test_unknown_string_gives_the_base(value: object) -> None:
    error = ovsdb_error(value)
    assert type(error) is Refused
    assert str(error) == "The server refused: no such wish."


@pytest.mark.parametrize("value", [None, 7, [], {}, {"error": 7}, {"details": "x"}])
def test_any_json_makes_an_error(value: object) -> None:
    assert isinstance(ovsdb_error(value), Refused)
