"""What could not be looked up is called so; what has an advisory fails."""

from __future__ import annotations

import json

import pytest

from release.audit import verdict

FLAW = {"id": "PYSEC-1", "fix_versions": ["2"], "aliases": [], "description": ""}


def said(*dependencies: dict[str, object]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_pins_without_an_advisory_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(0, said({"name": "a", "version": "1", "vulns": []}), "") == 0
    assert capsys.readouterr().out == "1 pins looked up, 0 with a known vulnerability.\n"


def test_advisory_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(1, said({"name": "a", "version": "1", "vulns": [FLAW]}), "") == 1
    assert capsys.readouterr().out.startswith("a 1: PYSEC-1, fixed in 2\n")


def test_index_without_advisories_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(1, "", "Traceback\nConnectionError: no route") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "NOT RUN: pip-audit got no advisories: ConnectionError: no route\n")


def test_pin_that_the_index_does_not_know_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, object] = {"name": "b", "version": "1", "vulns": []}
    assert verdict(0, said({"name": "a", "skip_reason": "not found"}, known), "") == 0
    told = capsys.readouterr()
    assert told.err == "NOT RUN for a: not in the index.\n"
    assert told.out == "1 pins looked up, 0 with a known vulnerability.\n"


def test_index_that_knows_no_pin_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    """A mirror of files alone answers so."""
    assert verdict(0, said({"name": "a", "skip_reason": "not found"}), "") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "NOT RUN: the index has no advisories for any of 1 pins.\n")
