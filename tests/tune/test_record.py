"""What revert takes for a note of ours: it lies where others may write."""

from __future__ import annotations

import uuid
from typing import cast

import pytest

from ovsnet.ovsdb.values import Row
from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.record import PREFIX, plan_revert


def facts(notes: dict[str, str], table: str = "Open_vSwitch", **columns: object) -> Facts:
    ids = {PREFIX + place: text for place, text in notes.items()} | {
        "system-id": "n1",
        "ovn-remote": "tcp:1.1.1.1:1",
    }
    row = {"_uuid": uuid.uuid4(), "external_ids": ids, "other_config": {}, "manager_options": [], **columns}
    return Facts(tables={("Open_vSwitch", table): (FoundRow.of(table, cast("Row", row)),)})


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("place", "note"),
    [
        ("manager_options", '{"before": "x", "after": null}'),
        ("external_ids:ovn-remote", '{"before": "tcp:6.6.6.6:6642", "after": "tcp:1.1.1.1:1"}'),
        ("external_ids:ovn-remote-probe-interval-other", '{"before": "1", "after": null}'),
        ("other_config", '{"before": "1", "after": null}'),
        ("no_such_column:x", '{"before": "1", "after": null}'),
        (":", '{"before": "1", "after": null}'),
    ],
)
def test_note_of_what_is_no_knob_is_left_alone(place: str, note: str, force: bool) -> None:
    found = plan_revert(facts({place: note}), force=force)
    assert found.edits == ()
    assert "not a knob that ovsnet writes" in found.notes[0]


@pytest.mark.parametrize("note", ["", "[]", "{", '{"before": 5}', "\x00" * 100, "[" * 100000])
def test_what_is_no_note_is_passed_over(note: str) -> None:
    assert plan_revert(facts({"other_config:n-handler-threads": note})).edits == ()


def test_knob_goes_back() -> None:
    found = plan_revert(facts({"other_config:n-handler-threads": '{"before": "4", "after": null}'}))
    assert [(edit.column, edit.key, edit.after) for edit in found.edits] == [("other_config", "n-handler-threads", "4")]


@pytest.mark.parametrize(("before", "goes"), [("7000", True), ("five", False), ("1e3", False), ("9" * 40, False)])
def test_column_of_a_number_goes_back_to_a_number_only(before: str, goes: bool) -> None:
    note = f'{{"before": "{before}", "after": "5000"}}'
    found = plan_revert(
        facts({"inactivity_probe": note}, "Manager", target="ptcp:6640", inactivity_probe=5000), force=True
    )
    assert len(found.edits) == goes
