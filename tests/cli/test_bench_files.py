"""What becomes of the files of ``ovsnet bench``: merged, compared, refused."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import termios
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ovsnet.bench.echo import EchoMeasures
from ovsnet.bench.files import encode
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.race import DEFAULT_LIMIT
from ovsnet.bench.result import Document, Run
from ovsnet.node.process import sample
from ovsnet.sandbox.node import Sandbox
from tests.cli.bench_words import quiet, told  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet, Program

pytestmark = pytest.mark.heavy

RACE = ("race", "openflow", "--strategy", "gated", "--clients", 10, "--count", 100, "--deadline", 50)
ECHO = ("echo", "ovsdb", "--connections", 4, "--window", 8, "--count", 1001, "--deadline", 50)


def soon() -> float:
    """Seconds in which processes are sure to have begun, the more the busier the machine is."""
    return 10.0 + 3.0 * os.getloadavg()[0]


def test_shards_that_start_together_are_joined_exactly(
    ovsnet: Ovsnet, switch: Sandbox, program: Program, tmp_path: Path
) -> None:
    """Three processes stand in for three machines; clients cannot be shared evenly."""
    start_at, files = time.time() + soon(), [tmp_path / f"{number}.json" for number in (1, 2, 3)]
    node = ("--rounds", 1, "--node", "--rundir", switch.rundir, "--start-at", start_at)
    shards = [
        program("bench", *RACE, *node, "--shard", f"{number}/3", "--out", file, "--any-load")
        for number, file in enumerate(files, start=1)
    ]
    for process in shards:
        _, err = process.communicate(timeout=300)
        assert (process.returncode, told(err)) == (0, "")
    race = merged(ovsnet, files)
    assert race["name"] == f"openflow 10 gated:{DEFAULT_LIMIT} closed"
    assert race["settings"]["clients"] == 10
    assert [race["measures"][what] for what in ("started", "done", "lost")] == [100, 100, 0]
    assert race["began"] >= start_at


def test_shards_of_an_echo_are_joined_exactly(ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.json" for number in (1, 2, 3)]
    for number, file in enumerate(files, start=1):
        node = ("--rounds", 1, "--node", "--rundir", switch.rundir, "--shard", f"{number}/3", "--out", file)
        assert ovsnet("bench", *ECHO, *node).code == 0
    echo = merged(ovsnet, files)
    assert (echo["name"], echo["measures"]["done"]) == ("ovsdb 4 x 8", 1001)


def merged(ovsnet: Ovsnet, files: list[Path]) -> dict[str, Any]:
    """The one run of the joined document, after every bucket was checked of every histogram."""
    out = files[0].with_name("all.json")
    ended = ovsnet("bench", "merge", *files, "--out", out, "--json")
    assert (ended.code, told(ended.err)) == (0, "")
    document = json.loads(ended.out)
    assert document == json.loads(out.read_bytes())
    assert document["shards"] == ["1/3", "2/3", "3/3"]
    (whole,) = document["runs"]
    parts = [json.loads(file.read_bytes())["runs"][0] for file in files]
    for what, histogram in histograms(whole).items():
        each = [histograms(part)[what] for part in parts if what in histograms(part)]
        assert Counter(histogram["counts"]) == sum((Counter(one["counts"]) for one in each), Counter())
        assert histogram["total"] == sum(one["total"] for one in each)
        assert histogram["lowest"] == min(one["lowest"] for one in each)
        assert histogram["highest"] == max(one["highest"] for one in each)
    assert whole["cpu_seconds"]["engine"] == pytest.approx(sum(part["cpu_seconds"]["engine"] for part in parts))
    return dict(whole)


def histograms(run: dict[str, Any]) -> dict[str, Any]:
    """Those that hold a value."""
    return {what: found for what, found in run["measures"].items() if isinstance(found, dict) and found.get("counts")}


def test_merged_file_has_a_table_and_a_page(ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for number, file in enumerate(files, start=1):
        common = ("--rounds", 2, "--node", "--rundir", switch.rundir, "--shard", f"{number}/2", "--out", file)
        assert ovsnet("bench", *RACE, *common).code == 0
    page = tmp_path / "page.html"
    ended = ovsnet("bench", "merge", *files, "--out", tmp_path / "all.json", "--report", page)
    assert (ended.code, told(ended.err)) == (0, "")
    assert f"openflow 10 gated:{DEFAULT_LIMIT} closed" in ended.out
    assert "<svg" in page.read_text()


@pytest.mark.parametrize(
    ("shards", "why"),
    [
        (["", "1/2"], "One of the files is not a shard"),
        (["1/2", "1/2"], "Two of the files are shard 1/2"),
        (["1/2", "2/3"], "do not belong to one bench"),
    ],
)
def test_files_that_are_no_set_of_shards_are_not_merged(
    ovsnet: Ovsnet, tmp_path: Path, shards: list[str], why: str
) -> None:
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for shard, file in zip(shards, files, strict=True):
        file.write_bytes(encode(long_document(shard)))
    ended = ovsnet("bench", "merge", *files, "--out", tmp_path / "all.json")
    assert (ended.code, ended.out) == (2, "")
    assert why in ended.err
    assert not (tmp_path / "all.json").exists()


def test_comparison_marks_what_changed_by_more_than_chance(ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    assert ovsnet("bench", *ECHO, "--rounds", 3, "--node", "--rundir", switch.rundir, "--out", before).code == 0
    document = json.loads(before.read_bytes())
    for number, run in enumerate(document["runs"]):
        run["process"] = number
        run["cpu_seconds"]["engine"] = 0.010 + number / 1000  # what was measured may be a tick of the clock, or none
    before.write_text(json.dumps(document))
    for run in document["runs"]:
        run["cpu_seconds"]["engine"] *= 1000
    after.write_text(json.dumps(document))
    ended = ovsnet("bench", "compare", before, after, "--json")
    changes = {change["figure"]: change for change in json.loads(ended.out)}
    assert (ended.code, told(ended.err)) == (0, "")
    engine, daemon = changes["CPU of engine"], changes["CPU of ovsdb-server"]
    assert (engine["certain"], daemon["certain"]) == (True, False)
    assert engine["after"] == pytest.approx(1000 * engine["before"])
    assert engine["low"] <= 1000 <= engine["high"]
    assert changes["rate"]["before"] == changes["rate"]["after"]
    lines = ovsnet("bench", "compare", before, after).out.splitlines()
    (marked,) = [line for line in lines[:-1] if line.startswith("*")]
    assert "CPU of engine" in marked
    assert "1000.00" in marked


def test_single_rounds_are_compared_without_a_verdict(ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    assert ovsnet("bench", *ECHO, "--rounds", 1, "--node", "--rundir", switch.rundir, "--out", file).code == 0
    ended = ovsnet("bench", "compare", file, file)
    assert ended.code == 0
    (rate,) = [line for line in ended.out.splitlines() if "  rate  " in line]
    assert "one process only" in rate


def test_files_without_a_run_in_common_are_not_compared(ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    files = [tmp_path / "race.json", tmp_path / "echo.json"]
    for command, file in zip((RACE, ECHO), files, strict=True):
        assert ovsnet("bench", *command, "--rounds", 1, "--node", "--rundir", switch.rundir, "--out", file).code == 0
    ended = ovsnet("bench", "compare", *files)
    assert (ended.code, ended.out) == (2, "")
    assert "The two files have no run in common." in ended.err


@pytest.mark.parametrize("content", ["", "[]", '{"command": "x"}', "\x00"])
def test_file_of_something_else_is_refused(ovsnet: Ovsnet, tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    for command in (("merge", file, "--out", tmp_path / "all.json"), ("compare", file, file)):
        ended = ovsnet("bench", *command)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"ovsnet: {file} is not a result of ovsnet bench")
        assert len(ended.err.splitlines()) == 1


def test_long_document_reaches_a_slow_reader_whole(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal, or the kernel's own work for io_uring, cuts a write to a full pipe short. Python without a buffer, as
    containers like it, then drops the rest."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    file = tmp_path / "1.json"
    file.write_bytes(encode(long_document()))
    process = program("bench", "merge", file, "--out", tmp_path / "all.json", "--json")
    assert process.stdout is not None
    while unread(process.stdout.fileno()) < fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ):
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    while (stopped := sample(process.pid, 0.0)) is not None and stopped.state != "T":
        time.sleep(0.001)
    process.send_signal(signal.SIGCONT)
    said, err = process.communicate(timeout=300)
    assert (process.returncode, told(err)) == (0, "")
    assert json.loads(said) == json.loads((tmp_path / "all.json").read_bytes())


def long_document(shard: str = "1/1") -> Document:
    """Some hundred kilobytes; without ``shard``, of a bench that was not part of one."""
    histogram = Histogram(counts=dict.fromkeys(range(10_000), 1), total=1, highest=1)
    run = Run(kind="echo", name="long", measures=EchoMeasures(from_request=histogram))
    return Document(command="echo", began="2026-01-01", machines=[], shards=[shard] if shard else [], runs=[run])


def unread(pipe: int) -> int:
    """Bytes that wait in it."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_processes_are_measured_one_after_the_other_and_told_apart(
    ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    where = ("--node", "--rundir", switch.rundir, "--any-load")
    ended = ovsnet("bench", *ECHO, "--rounds", 2, *where, "--processes", 3, "--out", out)
    assert (ended.code, told(ended.err)) == (0, "")
    runs = json.loads(out.read_bytes())["runs"]
    assert [(run["process"], run["round"]) for run in runs] == [(n, r) for n in range(3) for r in range(2)]
    lines = ovsnet("bench", "compare", out, out).out.splitlines()
    assert not any(line.startswith("*  ") for line in lines)
    assert not any("one process only" in line for line in lines)


def test_process_that_cannot_begin_ends_all_in_its_own_words(ovsnet: Ovsnet, tmp_path: Path) -> None:
    where = ("--node", "--address", f"unix:{tmp_path}/none.sock", "--any-load")
    ended = ovsnet("bench", *ECHO, *where, "--processes", 3)
    assert (ended.code, ended.out) == (3, "")
    assert "does not exist" in ended.err
