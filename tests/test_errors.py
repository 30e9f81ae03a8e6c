"""The tree of errors: what every face of ovsnet relies on."""

from __future__ import annotations

import inspect

import pytest

from ovsnet import errors
from ovsnet.errors import ConfigError, OvsnetError, PeerError, ProtocolError, UsageError

TREE = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, OvsnetError)]


@pytest.mark.parametrize("error", TREE)
def test_each_error_has_a_reason_of_its_own(error: type[OvsnetError]) -> None:
    """It becomes a metric label and a JSON value: short, lower case, not shared."""
    assert error.reason == error.reason.lower().replace(" ", "-")
    assert [other.reason for other in TREE].count(error.reason) == 1


@pytest.mark.parametrize("error", TREE)
def test_each_error_stands_in_the_picture(error: type[OvsnetError]) -> None:
    assert f" {error.__name__}" in f" {errors.__doc__}".replace("\n", "\n ")


@pytest.mark.parametrize("error", TREE)
def test_exit_code_tells_wrong_usage_from_could_not_tell(error: type[OvsnetError]) -> None:
    assert error.exit_code == (2 if issubclass(error, UsageError) else 3)


def test_text_is_the_cause_and_the_remedy_stands_beside() -> None:
    error = ConfigError("It is wrong.", remedy="Mend it.")
    assert (str(error), error.remedy) == ("It is wrong.", "Mend it.")


def test_remedy_of_the_class_stands_in_where_none_is_given() -> None:
    assert errors.SocketMissing("gone").remedy == errors.SocketMissing.default_remedy != ""
    assert PeerError("gone").remedy == ""
    assert errors.SocketMissing("gone", remedy="Mine.").remedy == "Mine."


def test_protocol_error_brings_the_events_before_it() -> None:
    assert list(ProtocolError("bad").events) == []
