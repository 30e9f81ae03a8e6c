"""Sections of a page: on which generations they are measured, and that the page says so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench import causes, churn, sections, storms, suites
from bench.page import platform, spread
from ovsnet.bench.cells import ENOUGH
from ovsnet.bench.churn import ChurnMeasures
from ovsnet.bench.machine import this_machine
from ovsnet.bench.result import Document, Run
from ovsnet.bench.rounds import Announce
from ovsnet.bench.workloads.restart import WORKLOAD
from ovsnet.errors import UnfitEnvironment


@dataclass
class OfATest:
    """A section that keeps where it was measured."""

    page: Path
    key: str = "key"
    mark: str = "key"
    stem: str = "key"
    rounds: int = 2
    seconds: float = 60.0
    paths: list[str] = field(default_factory=list)

    async def measure(self, document: Document, announce: Announce, rounds: int) -> None:
        self.paths.append(os.environ["PATH"].partition(os.pathsep)[0])
        for number in range(rounds):
            run = Run(kind=WORKLOAD.kind, name="a restart", round=number, measures=WORKLOAD.measures(done=1))
            document.runs.append(run)

    def content(self, kept: Mapping[str, Document]) -> Sequence[str]:
        return [f"measured on {' '.join(kept)}", ""]


@pytest.fixture
def section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OfATest:
    (page := tmp_path / "page.md").write_text("<!-- key -->\nold\n<!-- /key -->\n")
    monkeypatch.setattr(sections, "RESULTS", tmp_path)
    monkeypatch.setattr(sections, "versions", lambda: {"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 3.5.0"})
    monkeypatch.setattr(suites, "programs", lambda suite: tmp_path / suite)
    return OfATest(page)


def test_each_suite_has_its_programs_and_its_file_and_the_page_names_all(section: OfATest, tmp_path: Path) -> None:
    before = os.environ["PATH"]
    assert sections.main("bench.key", [section], ["--suite", "installed", "--suite", "sid", "--rounds", "3"]) == []
    assert section.paths == [before.partition(os.pathsep)[0], str(tmp_path / "sid")]
    assert os.environ["PATH"] == before
    assert {each.name for each in tmp_path.glob("*.json")} == {"key.json", "key-sid.json"}
    text = section.page.read_text()
    assert "measured on installed sid" in text
    assert text.count("Open vSwitch 3.5.0; n = 3.") == 2


def test_suite_that_cannot_be_had_is_said_and_nothing_is_kept(
    section: OfATest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(suite: str) -> Path:
        raise UnfitEnvironment(f"There is no {suite}.")

    monkeypatch.setattr(suites, "programs", absent)
    with pytest.raises(SystemExit, match="There is no trixie"):
        sections.main("bench.key", [section], ["--suite", "trixie"])
    assert list(tmp_path.glob("*.json")) == []


def test_help_says_how_long_it_takes(section: OfATest, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sections.main("bench.key", [section], ["--help"])
    assert "2 rounds of   60 s,   2 min" in capsys.readouterr().out


def test_median_is_quoted_of_ten_rounds_and_more() -> None:
    assert spread([1.0, 2.0, 3.0]) == "1.00 to 3.00"
    assert spread([2.0]) == spread([2.0, 2.0]) == "2.00"
    assert spread([1.0] * 9 + [5.0]) == "1.00 (5.00)"


def test_causes_and_churn_are_measured_often_enough_for_a_median() -> None:
    assert all(each.rounds >= ENOUGH for each in (*causes.CAUSES, *churn.SECTIONS))
    assert all(each.seconds > 0 for each in (*causes.CAUSES, *churn.SECTIONS, *storms.PARTS))


def test_row_of_a_churn_has_its_costs_for_each_change_and_says_what_it_does_not_know() -> None:
    measures = ChurnMeasures(done=10, recomputes={"ovn-northd": 5, "ovn-controller": 30})
    measures.installed.record(20_000_000)
    used, held = {"ovn-northd": 0.1}, {"ovn-northd": 10 << 20}
    runs = [
        Run(kind="churn", name="3 chassis", round=number, measures=measures, cpu_seconds=used, peak_bytes=held)
        for number in range(2)
    ]
    document = Document(command="", began="", machines=[], versions={"ovn-northd": "ovn-northd 25.03.0"}, runs=runs)
    _, _, row = (line.strip("| ").split(" | ") for line in churn.table({"sid": document}))
    assert row == [
        *("3 chassis", "OVN 25.03.0", "2, 20", "0", "20 ms, 20 ms", "-", "0.50, 3.00"),
        *("10.0 ms, -, -, -", "10 MiB, -, -, -"),
    ]


def test_versions_that_were_not_kept_are_not_made_up() -> None:
    document = Document(command="", began="then", machines=[this_machine()], runs=[])
    document.runs.append(Run(kind=WORKLOAD.kind, name="a restart", measures=WORKLOAD.measures()))
    assert next(platform(document)).startswith("versions not recorded; n = 1. then")
