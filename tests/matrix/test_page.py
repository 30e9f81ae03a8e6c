"""What people read of the matrix."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.faults.catalogue import FAULTS
from tests.matrix.page import BEGIN, COMPARED, END, compared, page, summary, told
from tests.matrix.row import Generation, Row, Said, retaken


def a_row(name: str = "ovsdb-killed", *wrong: str, kind: str = "single", skipped: str = "") -> Row:
    """Whose held agent was right after 0.2 s, or wrong in these words."""
    said = Said(
        observer="held", code="ovsdb-down", state="not-ready", seconds=0.2, wrong=list(wrong), evidence=["silent"]
    )
    return Row(
        name=name, kind=kind, about="ovsdb-server got SIGKILL.", codes=["ovsdb-down"], state="not-ready",
        said=[said], skipped=skipped,
        scripts={"Kube-OVN": "fails", "ovn-kubernetes": "ok", "ovs_exporter": "fails"},
    )  # fmt: skip


def test_summary_counts_what_was_right_by_kind() -> None:
    rows = [
        a_row(),
        a_row("other", "says starting"),
        a_row("a + b", kind="pair"),
        a_row("absent", skipped="needs root"),
    ]
    assert summary(rows) == (
        "singles: right 1 of 2; forty seconds: right 0 of 0; pairs: right 1 of 1; disagreements: 0; "
        "liveness without proof: 0"
    )


@pytest.mark.parametrize(
    ("codes", "disagree"),
    [
        (["ovsdb-down", "ovsdb-down"], False),
        (["ovsdb-down", "ovsdb-hung"], True),
        (["ovsdb-slow", "ovsdb-hung"], True),
        (["ovsdb-slow", "healthy"], False),
    ],
)
def test_observers_disagree_unless_a_daemon_is_slow_by_turns(codes: list[str], disagree: bool) -> None:
    row = a_row()
    row.said = [replace(row.said[0], code=code) for code in codes]
    assert row.disagree is disagree


def test_wrong_row_says_what_is_wrong_with_evidence_and_how_it_is_run_again() -> None:
    lines = told(a_row("ovsdb-killed", "says starting"), "sid").splitlines()
    assert lines[0].startswith("WRONG    single ovsdb-killed")
    assert "says starting" in lines[2]
    assert lines[3].strip() == "silent"
    assert lines[-1].strip() == "the same again: python -m tests.matrix --suite sid --only 'ovsdb-killed'"


def test_page_has_a_line_for_each_row_and_what_differs_elsewhere() -> None:
    here = Generation(suite="installed", versions="Open vSwitch 3.1.0", rows=[a_row()])
    there = Generation(suite="sid", versions="Open vSwitch 4.0.0", rows=[a_row("ovsdb-killed", "says starting")])
    found = page([here, there], 1)
    assert "* sid: Open vSwitch 4.0.0" in found
    row = "| `ovsdb-killed`<br>ovsdb-server got SIGKILL. | ovsdb-down, not-ready | 0.2 |  |  |  | fails | ok | fails |"
    assert f"{row} held **ovsdb-down** |" in found


def test_readme_shows_what_each_tool_says_beside_the_code_that_is_right() -> None:
    found = compared(f"before\n{BEGIN}old\n{END}\nafter\n", [a_row("vswitchd-killed"), a_row("not-compared")])
    assert found.startswith(f"before\n{BEGIN}| fault | Kube-OVN | ovn-kubernetes | ovs_exporter | ovsnet |\n")
    assert "| ovsdb-server got SIGKILL. | fails | ok | fails | `ovsdb-down`, not-ready |\n" in found
    assert found.endswith(f"{END}\nafter\n")
    assert (found.count("SIGKILL"), "old" in found) == (1, False)


def test_every_fault_that_the_readme_compares_is_in_the_catalogue() -> None:
    assert [name for name in COMPARED if name not in FAULTS] == []


def test_row_that_was_taken_again_replaces_its_own_and_the_page_says_so() -> None:
    before = [Generation(suite=suite, versions="", rows=[a_row("a", "says starting"), a_row("b")]) for suite in "xy"]
    after = retaken(before, [Generation(suite="x", versions="", rows=[a_row("a")])])
    assert [[row.right for row in each.rows] for each in after] == [[True, True], [False, True]]
    assert "Taken again by themselves, after the whole run: a." in page(after, 1)
    later = retaken(before, [Generation(suite="y", versions="", rows=[a_row("new")])])
    assert [[row.name for row in each.rows] for each in later] == [["a", "b"], ["a", "b", "new"]]
    assert "Taken again" not in page(before, 1)
