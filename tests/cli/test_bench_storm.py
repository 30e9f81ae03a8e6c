"""``ovsnet bench storm`` as a person meets it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import listening_paths
from tests.cli.bench_words import quiet, told  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet, Program

pytestmark = pytest.mark.heavy

QUICK = ("--chassis", 20, "--probe-interval", 60, "--hold", 0.1, "--over", 0, "--ports", 2)
SOON = 20.0
"""Seconds in which processes are sure to have begun."""


def test_table_document_and_page_tell_the_same_sweep(ovsnet: Ovsnet, tmp_path: Path) -> None:
    out, report = tmp_path / "out.json", tmp_path / "page.html"
    sweep = (*QUICK, "--probe-interval", 90, "--fault", "freeze", "--fault-time", 0.2)
    ended = ovsnet("bench", "storm", *sweep, "--out", out, "--report", report)
    assert ended.code == 0, ended.err
    place = "20 on unix standalone, freeze 0.2 s"
    verdict = f"{place}: no false disconnects at any of 60 and 90 s; smaller ones were not tried."
    assert verdict in ended.out.splitlines()
    runs = json.loads(out.read_bytes())["runs"]
    assert [run["name"] for run in runs] == [f"{place}, probe 60 s", f"{place}, probe 90 s"]
    assert [run["measures"]["done"] for run in runs] == [20, 20]
    page = report.read_text()
    assert verdict in page
    assert "<svg" in page


def test_json_is_the_document(ovsnet: Ovsnet) -> None:
    ended = ovsnet("bench", "storm", *QUICK, "--fault", "none", "--json")
    assert ended.code == 0, ended.err
    (run,) = json.loads(ended.out)["runs"]
    assert run["kind"] == "storm"
    assert run["settings"]["chassis"] == run["measures"]["chassis"] == 20
    assert all(run["measures"][what]["counts"] for what in ("join_to_synced", "generator_lag"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--chassis", "0"),
        ("--chassis", "10001"),
        ("--probe-interval", "0.5"),
        ("--probe-interval", "-1"),
        ("--fault", "flood"),
        ("--scheme", "udp"),
        ("--hold", "-1"),
        ("--workers", "0"),
        ("--shard", "1/2"),
        ("--address", "nonsense"),
        ("--address", "tcp:127.0.0.1:6642", "--fault", "kill"),
        ("--address", "tcp:127.0.0.1:6642", "--register"),
        ("--address", "tcp:127.0.0.1:6642", "--sandbox"),
        ("--address", "tcp:127.0.0.1:6642", "--shard", "1/200"),
    ],
)
def test_impossible_wish_is_refused_before_anything_is_done(ovsnet: Ovsnet, arguments: tuple[str, ...]) -> None:
    ended = ovsnet("bench", "storm", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err


def test_nobody_at_the_address_is_one_sentence(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("bench", "storm", *QUICK, "--address", f"unix:{tmp_path}/none.sock")
    assert (ended.code, ended.out) == (3, "")
    assert told(ended.err).startswith(f"ovsnet: unix:{tmp_path}/none.sock does not exist.")


async def test_shards_that_start_together_are_joined_exactly(
    node: Sandbox, program: Program, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    """Three processes stand in for three machines."""
    address, start_at = node.southbound_servers["ovn-sb"], time.time() + SOON
    common = (*QUICK, "--chassis", 20, "--address", address, "--start-at", start_at, "--workers", 1)
    files = [tmp_path / f"{number}.json" for number in (1, 2, 3)]
    shards = [
        program("bench", "storm", *common[2:], "--shard", f"{number}/3", "--out", file, "--any-load")
        for number, file in enumerate(files, start=1)
    ]
    for process in shards:
        _, err = process.communicate(timeout=50)
        assert (process.returncode, told(err)) == (0, "")
    ended = ovsnet("bench", "merge", *files, "--out", tmp_path / "all.json", "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    (whole,) = document["runs"]
    parts = [json.loads(file.read_bytes())["runs"][0] for file in files]
    assert document["shards"] == ["1/3", "2/3", "3/3"]
    assert [part["measures"]["chassis"] for part in parts] == [7, 7, 6]
    assert whole["measures"]["done"] == whole["measures"]["chassis"] == 20
    for what in ("join_to_synced", "generator_lag"):
        histogram, each = whole["measures"][what], [part["measures"][what] for part in parts]
        assert histogram["total"] == sum(one["total"] for one in each)
        assert histogram["highest"] == max(one["highest"] for one in each)
        assert sum(histogram["counts"].values()) == sum(sum(one["counts"].values()) for one in each)
    assert whole["began"] == min(part["began"] for part in parts) >= start_at


async def test_southbound_that_dies_is_reported(node: Sandbox, program: Program) -> None:
    pid = node.pid("ovn-sb")
    before = len(os.listdir(f"/proc/{pid}/fd"))
    patience = ("--hold", 5, "--patience", 3)
    process = program("bench", "storm", *QUICK, *patience, "--address", node.southbound_servers["ovn-sb"], "--any-load")
    while len(os.listdir(f"/proc/{pid}/fd")) < before + 20:
        assert process.poll() is None, process.communicate()
    await node.kill("ovn-sb")
    out, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert "closed a held connection." in err
    assert "20 of 20 chassis" in err
    assert "Traceback" not in out + err


def test_interrupt_prints_what_was_measured_and_leaves_nothing(
    program: Program, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(temporary))
    process = program("bench", "storm", *QUICK, "--hold", 600, "--workers", 2, "--any-load")
    while len(workers := workers_of(process.pid)) < 2:
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 130
    assert "ovsnet: Interrupted: these are the measurements so far." in err
    assert "20 on unix standalone, kill 2 s, probe 60 s" in out
    assert list(temporary.iterdir()) == []
    assert not [path for path in listening_paths() if path.startswith(str(temporary))]
    assert not [pid for pid in workers if is_worker(pid)]


def workers_of(pid: int) -> set[int]:
    """Those of this process that have begun."""
    tasks = list(Path("/proc", str(pid), "task").glob("*/children"))
    return {int(child) for task in tasks for child in task.read_text().split() if is_worker(int(child))}


def is_worker(pid: int) -> bool:
    try:
        return b"storm.worker" in Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False
