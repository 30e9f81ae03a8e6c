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
    assert verdict(0, said({"name": "a", "skip_reason": "not found"}), "") == 0
    assert capsys.readouterr().err == "NOT RUN for a: the index does not know them.\n"
