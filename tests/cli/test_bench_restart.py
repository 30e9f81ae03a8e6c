"""``ovsnet bench restart`` as a person meets it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from ovsnet.sandbox.proc import listening_paths
from tests.cli.bench_words import quiet  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet, Program


@pytest.mark.heavy
def test_table_document_and_page_tell_the_same_run(ovsnet: Ovsnet, tmp_path: Path) -> None:
    out, report = tmp_path / "out.json", tmp_path / "page.html"
    ended = ovsnet("bench", "restart", "--rounds", 1, "--variant", "together", "--out", out, "--report", report)
    assert ended.code == 0, ended.err
    assert "ovs-vswitchd, together" in ended.out
    (run,) = json.loads(out.read_bytes())["runs"]
    assert run["measures"]["done"] == 1
    assert len(run["measures"]["ready"]) == 1
    page = report.read_text()
    assert "ovs-vswitchd, together" in page
    assert "<svg" in page


@pytest.mark.heavy
def test_json_is_the_document(ovsnet: Ovsnet) -> None:
    ended = ovsnet("bench", "restart", "--rounds", 1, "--daemon", "ovn-controller", "--json")
    assert ended.code == 0, ended.err
    (run,) = json.loads(ended.out)["runs"]
    assert run["settings"]["daemon"] == "ovn-controller"
    samples = {fact for fact, found in run["measures"].items() if isinstance(found, list)}
    from ovsnet.bench.report_restart import MARKS  # with matplotlib, which each test process would pay for

    assert samples - {"short_of_flows", "all_back"} == set(MARKS)
    assert len(run["measures"]["controller"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--variant", "nonsense"),
        ("--variant", "plain:3"),
        ("--daemon", "southbound", "--variant", "together"),
        ("--strategy", "polite"),
        ("--shard", "1/2"),
        ("--clients", "5000"),
        ("--down", "-1"),
        ("--ports", "0"),
        ("--rundir", "/run/openvswitch"),
        ("--restart-command", "true"),
        ("--allow-disruption",),
        ("--node",),
        ("--allow-disruption", "--restart-command", "true"),
        ("--node", "--allow-disruption", "--restart-command", "'"),
        ("--node", "--allow-disruption", "--restart-command", "true", "--down", "3"),
        ("--allow-disruption", "--restart-command", "true", "--sandbox"),
        ("--node", "--allow-disruption", "--restart-command", "true", "--daemon", "southbound"),
    ],
)
def test_impossible_wish_is_refused_before_anything_is_done(ovsnet: Ovsnet, arguments: tuple[str, ...]) -> None:
    ended = ovsnet("bench", "restart", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err


@pytest.mark.heavy
def test_interrupt_prints_what_was_measured_and_leaves_nothing(
    program: Program, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(temporary))
    process = program(
        "bench", "restart", "--rounds", 1000, "--variant", "together", "--clients", 5, "--down", 0.5, "--any-load"
    )
    while not list(temporary.glob("*/run/br-int.mgmt")):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "ovsnet: Interrupted: these are the measurements so far.\n"
    assert list(temporary.iterdir()) == []
    assert not [path for path in listening_paths() if path.startswith(str(temporary))]
