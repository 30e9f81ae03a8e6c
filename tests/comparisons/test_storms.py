"""The section "Storm" of the page: what is measured for it, and what its tables say."""

from __future__ import annotations

from bench.storms import PARTS, table
from ovsnet.bench.result import ENGINE, Document, Run
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.storm import FaultName, Storm

VERSIONS = {"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 3.5.0", "ovn-northd": "ovn-northd 25.03.0"}


def storm(fault: FaultName = "kill", done: int = 10, lost: int = 0) -> Run[StormMeasures]:
    run = Run(
        kind="storm",
        name="10 on tcp standalone, probe 5 s",
        settings=Storm(10, 5.0, fault=fault).settings(),
        measures=StormMeasures(chassis=10, done=done, lost=lost, false_disconnects=0),
        cpu_seconds={ENGINE: 1.0, "ovn-sb1": 2.0, "ovn-sb2": 3.0},
        peak_bytes={ENGINE: 60 << 20, "ovn-sb1": 10 << 20, "ovn-sb2": 20 << 20},
    )
    for _ in range(10):
        run.measures.join_to_synced.record(10**9)
    run.measures.generator_lag.record(10**6)
    return run


def cells(*rounds: Run[StormMeasures]) -> dict[str, str]:
    document = Document(command="", began="", machines=[], versions=VERSIONS, runs=list(rounds))
    titles, _, row = (line.strip("| ").split(" | ") for line in table([document]))
    return dict(zip(titles, row, strict=True))


def test_row_shows_servers_together_and_the_engine_apart() -> None:
    row = cells(storm())
    assert row["CPU: servers, engine"] == "5.0 s, 1.0 s"
    assert row["memory: server, engine"] == "20 MiB, 60 MiB"
    assert (row["all joined"], row["all synced again"]) == ("1.0 s", "0.0 s")


def test_chassis_that_is_missing_never_came_back_and_without_a_fault_there_is_nothing_to_come_back_from() -> None:
    assert cells(storm(done=9, lost=1))["all synced again"] == "never"
    assert cells(storm("none"))["all synced again"] == "-"


def test_false_disconnects_that_nobody_can_tell_are_not_nought() -> None:
    run = storm()
    run.measures.gave_up_unheard = 2
    assert cells(run)["false disconnects (never heard)"] == "0 (2)"
    run.measures.false_disconnects = None
    assert cells(run)["false disconnects (never heard)"] == "-"


def test_few_rounds_have_no_median_and_a_row_says_of_which_version_it_is() -> None:
    few = cells(storm(done=9, lost=1), storm(), storm())
    assert (few["n"], few["generation"]) == ("3", "Open vSwitch 3.5.0, OVN 25.03.0")
    assert (few["synced at the end"], few["all synced again"]) == ("9 to 10", "0.0 s, never in 1 of 3")
    assert cells(*(storm(done=done) for done in range(1, 11)))["synced at the end"] == "6 (10)"


def test_no_two_storms_of_a_part_have_one_name() -> None:
    for part in PARTS:
        assert len({planned.name for planned in part.planned}) == len(part.planned)
