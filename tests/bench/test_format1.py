"""Documents of version 0.1.0 are still read, and say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovsnet.bench.files import decode, read
from ovsnet.bench.race import ClientCounts, RaceMeasures
from ovsnet.bench.result import FORMAT
from ovsnet.bench.storm.sweep import figures

RESULTS = Path(__file__).parents[2] / "bench" / "results"
SAVED = sorted([*RESULTS.glob("causes-*.json"), *RESULTS.glob("storm-*.json")])

TIMES = {"counts": {"300": 2}, "total": 600, "lowest": 300, "highest": 300}


def document(**run: object) -> bytes:
    found = {"ovsnet_bench": 1, "command": "c", "began": "b", "machines": [], "runs": [{"name": "n", **run}]}
    return msgspec.json.encode(found)


def test_race_keeps_its_counts_and_latencies() -> None:
    counts = {"started": 5, "EAGAIN": 3, "lost": 2, "lost EAGAIN": 1, "lost closed": 1, "done": 3}
    latencies = {"from connect": TIMES, "bystander at rest": TIMES}
    (run,) = decode(document(kind="race", counts=counts, latencies=latencies)).runs
    found = run.measures
    assert isinstance(found, RaceMeasures)
    assert (found.started, found.backlog_full, found.lost, found.done) == (5, 3, 2, 3)
    assert found.lost_by == {"EAGAIN": 1, "closed": 1}
    assert found.from_connect.count == found.canary_at_rest.count == 2


def test_restart_keeps_its_clients_apart_from_itself() -> None:
    counts = {"hammer started": 9, "hammer lost": 1, "hammer lost ENOENT": 1, "hammer done": 8, "done": 1}
    (run,) = decode(document(kind="restart", counts=counts, samples={"short of flows": [1.5], "ready": [2.0]})).runs
    assert run.done == 1
    assert run.measures.clients == ClientCounts(started=9, lost=1, lost_by={"ENOENT": 1}, done=8)
    assert dict(run.measures.samples()) == {"short_of_flows": [1.5], "ready": [2.0]}


def test_storm_keeps_errors_of_connects_apart_from_timeouts() -> None:
    counts = {"chassis": 4, "done": 4, "connect timeouts": 2, "connect EAGAIN": 3, "closed by the server": 4}
    settings = {"probe interval": 5.0, "over": 0.5, "hold": 10.0, "fault seconds": 2.0}
    (run,) = decode(document(kind="storm", counts=counts, settings=settings)).runs
    found = run.measures
    assert (found.connect_timeouts, found.connect_errors, found.closed_by_server) == (2, {"EAGAIN": 3}, 4)
    assert found.false_disconnects is None
    assert run.settings == {"probe_interval": 5.0, "ramp_seconds": 0.5, "hold_seconds": 10.0, "fault_seconds": 2.0}
    assert figures(run).all_back == 0.0


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_nothing_of_a_saved_result_is_lost(path: Path) -> None:
    """Every number of the file is somewhere in the document that is made of it."""
    found = read(path)
    assert found.ovsnet_bench == FORMAT
    for before, after in zip(json.loads(path.read_bytes())["runs"], found.runs, strict=True):
        built: dict[str, Any] = msgspec.to_builtins(after.measures, str_keys=True)
        left = {key: before.get(key, {}) for key in ("counts", "latencies", "samples")}
        assert sum(left["counts"].values()) == sum(_counted(built))
        assert [each for each in left["latencies"].values() if each not in built.values()] == []
        assert [each for each in left["samples"].values() if each not in built.values()] == []
        assert list(before["settings"].values()) == list(after.settings.values())


def _counted(measures: dict[str, Any]) -> list[int]:
    counts = []
    for field, value in measures.items():
        if isinstance(value, int):
            counts.append(value)
        elif field == "clients" and value is not None:
            counts += _counted(value)
        elif isinstance(value, dict) and "highest" not in value:
            counts += value.values()
    return counts
