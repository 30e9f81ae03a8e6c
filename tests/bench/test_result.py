"""The document: what adds up, what is kept, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.bench.files import encode, read
from ovsnet.bench.machine import this_machine
from ovsnet.bench.merge import merge
from ovsnet.bench.race import ClientCounts, RaceMeasures
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.result import ENGINE, Document, Run, in_turn, together
from ovsnet.errors import UsageError


def run(number: int, *, name: str = "gated 64", shard: int = 0) -> Run[RaceMeasures]:
    measures = RaceMeasures(done=10, lost=1, lost_by={f"E{shard}": 1})
    measures.from_connect.record(1000 * (shard + 1), 10)
    made = Run(kind="race", name=name, round=number, began=100.0 + shard, ended=102.0 + shard, measures=measures)
    made.cpu_seconds = {ENGINE: 1.0, "ovs-vswitchd": 2.0 + shard}
    return made


def document(*runs: Run[RaceMeasures], shard: str = "") -> Document:
    return Document(
        command="race", began="2026-01-01", machines=[this_machine()], shards=[shard] if shard else [], runs=list(runs)
    )


def test_shards_share_the_time_and_the_daemon() -> None:
    """Each saw the whole of the daemon's CPU time, and paid its own."""
    whole = together([run(0), run(0, shard=1)])
    assert (whole.done, whole.ended - whole.began) == (20, 3.0)
    assert whole.rate == pytest.approx(20 / 3)
    assert whole.cpu_seconds == {ENGINE: 2.0, "ovs-vswitchd": 3.0}
    assert whole.measures.from_connect.count == 20
    assert whole.measures.lost_by == {"E0": 1, "E1": 1}


def test_measures_add_up_field_by_field() -> None:
    parts = [
        RestartMeasures(done=1, flows=[1.0], clients=ClientCounts(done=5, lost=1, lost_by={"ENOENT": 1})),
        RestartMeasures(done=1, flows=[2.0, 3.0], clients=ClientCounts(done=6, lost_by={"ENOENT": 2, "closed": 1})),
        RestartMeasures(),
    ]
    assert RestartMeasures.added(parts) == RestartMeasures(
        done=2, flows=[1.0, 2.0, 3.0], clients=ClientCounts(done=11, lost=1, lost_by={"ENOENT": 3, "closed": 1})
    )
    assert RestartMeasures.added([RestartMeasures()]) == RestartMeasures()


def test_what_was_counted_has_a_title_for_a_person() -> None:
    found = RestartMeasures(done=2, clients=ClientCounts(backlog_full=3, lost=1, lost_by={"ENOENT": 1}))
    assert dict(found.counts()) == {"done": 2, "hammer EAGAIN": 3, "hammer lost": 1, "hammer lost ENOENT": 1}


def test_rounds_add_their_times() -> None:
    whole = in_turn([run(0), run(1)])
    assert whole.rate == 5.0
    assert whole.cpu_us(ENGINE) == pytest.approx(1e5)


def test_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    written = document(run(0))
    path.write_bytes(encode(written))
    assert read(path) == written


def test_log_of_a_container_gives_back_what_was_printed_to_it(tmp_path: Path) -> None:
    """Both streams go to one log, line by line."""
    path = tmp_path / "out.log"
    written = document(run(0))
    path.write_bytes(encode(written).replace(b"\n", b"\novsnet: ovn-sb died during the run.\n"))
    assert read(path) == written


@pytest.mark.parametrize("text", ["", "{}", '{"command": 1}', '{"runs": [{"kind": "unheard-of"}]}', "nonsense"])
def test_other_file_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "out.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"is not a result of ovsnet bench"):
        read(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read"):
        read(tmp_path / "absent.json")


def test_merged_shards_are_one_run() -> None:
    whole = merge([document(run(0), shard="1/2"), document(run(0, shard=1), shard="2/2")])
    assert [each.done for each in whole.runs] == [20]
    assert whole.shards == ["1/2", "2/2"]
    assert len(whole.machines) == 1


def test_shard_that_is_missing_is_reported() -> None:
    """The log of a pod that was lost: what the others measured still counts, and is not the whole."""
    (whole,) = merge([document(run(0), shard="1/3"), document(run(0, shard=1), shard="3/3")]).runs
    assert whole.done == 20
    assert whole.problems == [f"{whole.name}: shard 2/3 is missing."]


def test_rounds_stay_apart_when_shards_are_merged() -> None:
    one, two = document(run(0), run(1), shard="1/2"), document(run(0), run(1), shard="2/2")
    assert [(each.round, each.done) for each in merge([one, two]).runs] == [(0, 20), (1, 20)]


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([document(run(0)), document(run(0), shard="1/2")], "not a shard"),
        ([document(run(0), shard="1/2"), document(run(0), shard="1/2")], "shard 1/2"),
        ([document(run(0), shard="1/2"), document(run(0), shard="2/3")], "do not belong to one bench"),
        ([document(run(0), shard="1/2"), document(run(0, name="naive"), shard="2/2")], "different runs"),
    ],
)
def test_what_is_no_set_of_shards_is_refused(documents: list[Document], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        merge(documents)


def test_problems_are_reported_once() -> None:
    runs = [run(0), run(1)]
    for each in runs:
        each.problems = ["The daemon died."]
    assert document(*runs).problems == ["The daemon died."]
