"""``ovsnet tune``, as a user meets it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from ovsnet.cli import options
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.stalls import Histogram
from tests.cli.conftest import Ended, Ovsnet
from tests.test_files import HOSTILE
from tests.unprivileged import UNPRIVILEGED

PROGRAM = (sys.executable, "-m", "ovsnet")
KUBE_OVN = "OVN_REMOTE_PROBE_INTERVAL=10000\nOVN_REMOTE_OPENFLOW_INTERVAL=180\n"


@pytest.fixture
def switch() -> Iterator[Sandbox]:
    """A node without OVN, for commands that run event loops of their own."""
    node = Sandbox(ovn=False, ports=0)
    anyio.run(node.up)
    yield node
    anyio.run(node.down)


@pytest.fixture
def tune(ovsnet: Ovsnet, switch: Sandbox) -> Ovsnet:
    """``tune("plan", "--set", ...)`` on the switch."""

    def run(*arguments: object) -> Ended:
        command, *rest = arguments
        return ovsnet("tune", command, "--rundir", switch.rundir, *rest)

    return run


def test_lint_of_kube_ovns_environment_is_silent_on_23_03(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "env").write_text(KUBE_OVN)
    ended = ovsnet("tune", "lint", "--from", file, "--ovn-version", "23.03")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith("\n2 effective (ovn-controller 23.03, ovn-northd 23.03)\n")
    assert ended.out.startswith(f"read          {file}: settings of Kube-OVN")
    assert ovsnet("tune", "lint", file, "--ovn-version", "23.03") == ended
    assert ovsnet("tune", "lint", file, "--from", file).code == 2


def test_lint_of_kube_ovns_environment_names_the_dead_interval_and_fails_only_with_strict(
    ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in KUBE_OVN.split():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    ended = ovsnet("tune", "lint", "--environment", "--ovn-version", "25.03")
    assert ended.code == 0
    assert "\ndead          Open_vSwitch.external_ids:ovn-openflow-probe-interval is 180 s (3 min).\n" in ended.out
    assert "It does no harm.\n              -> remove it\n" in ended.out
    assert ovsnet("tune", "lint", "--environment", "--ovn-version", "25.03", "--strict").code == 1


def test_lint_as_json_tells_all_with_the_versions(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "env").write_text(KUBE_OVN)
    ended = ovsnet("tune", "lint", "--from", file, "--ovn-version", "24.03", "--json")
    document = json.loads(ended.out)
    assert ended.code == 0
    assert document["unread"] == []
    assert "Kube-OVN" in document["recognised"][0]
    assert document["versions"]["ovn-controller"] == "24.03"
    assert [each["kind"] for each in document["findings"]] == ["dead", "effective"]


def test_lint_all_shows_what_is_well(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "env").write_text(KUBE_OVN)
    ended = ovsnet("tune", "lint", "--from", file, "--ovn-version", "23.03", "--all")
    assert "ovn-remote-probe-interval is 10000 ms (10 s)." in ended.out


def test_plan_is_a_diff_with_reasons_and_writes_nothing(tune: Ovsnet, switch: Sandbox) -> None:
    planned = tune("plan", "--profile", "small", "--set", "max-idle=20000")
    assert planned.code == 0
    assert f"@@ Open_vSwitch at unix:{switch.rundir}/db.sock @@" in planned.out
    assert (
        "+ Open_vSwitch.external_ids:ovn-remote-probe-interval = 30000 ms (30 s)\n    30 s, as cluster" in planned.out
    )
    assert "northd_probe_interval=30000 is left out: it is in the database OVN_Northbound" in planned.out
    assert tune("lint", "--all").out.startswith("nothing is wrong with what is set")


def test_apply_says_what_it_wrote_and_how_to_take_it_back(tune: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    (file := tmp_path / "tune.toml").write_text("max-idle = 20000\nn-revalidator-threads = 2\n")
    applied = tune("apply", "--file", file)
    assert applied.code == 0
    assert "+ Open_vSwitch.other_config:max-idle = 20000 ms (20 s)\n    " in applied.out
    written, undo = applied.out.splitlines()[-2:]
    assert written.startswith("Written to Open_vSwitch at unix:")
    assert written.endswith(": 2 changes.")
    assert undo == f"To undo: ovsnet tune revert --rundir {switch.rundir}"
    assert tune("apply", "--file", file).out == "There is nothing to change.\n"
    lint = tune("lint")
    assert (lint.code, lint.out.partition(" (")[0]) == (0, "2 effective")
    reverted = json.loads(tune("revert", "--json").out)
    assert {(change["knob"], change["before"], change["after"]) for change in reverted["changes"]} == {
        ("max-idle", "20000", None),
        ("n-revalidator-threads", "2", None),
    }
    assert tune("revert").out == "There is nothing to change.\n"


def test_revert_that_leaves_somebody_elses_change_alone_is_exit_code_1(tune: Ovsnet, switch: Sandbox) -> None:
    tune("apply", "--set", "max-idle=20000")
    anyio.run(switch.run, "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:max-idle=9000")
    ended = tune("revert")
    assert ended.code == 1
    assert "is left alone" in ended.out
    assert tune("revert", "--force").code == 0


def test_plan_of_new_and_old_rows_says_so(tune: Ovsnet) -> None:
    wanted = "--set", "manager-inactivity-probe=60000", "--create", "manager-inactivity-probe=ptcp:0:127.0.0.1"
    assert "+ Manager ptcp:0:127.0.0.1\n" in tune("apply", *wanted).out
    (new,) = json.loads(tune("revert", "--json").out)["old_rows"]
    assert new == {"database": "Open_vSwitch", "table": "Manager", "target": "ptcp:0:127.0.0.1"}
    assert json.loads(tune("plan", *wanted, "--json").out)["new_rows"][0]["value"] == "60000"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("plan",), "No values were given"),
        (("plan", "--set", "max-idle"), "--set knob=value"),
        (("plan", "--set", "max-idle=soon"), "max-idle cannot be 'soon'"),
        (("plan", "--set", "max-idle=0"), "not safe"),
        (("apply", "--set", "flow-restore-wait=true"), "forwards nothing after its next start"),
        (("plan", "--set", "no-such-knob=1"), "no knob 'no-such-knob'"),
        (("plan", "--set", "manager-inactivity-probe=60000"), "--create manager-inactivity-probe=TARGET"),
        (("plan", "--set", "max-idle=20000", "--create", "max-idle"), "does not name a target"),
        (("apply", "--set", "northd_probe_interval=30000"), "Give --nb ADDRESS"),
        (("apply", "--set", "max-idle=20000", "--nb", "nonsense"), "begins with none of"),
        (("plan", "--profile", "gigantic"), "gigantic"),
        (("lint", "--from", "-", "--ovn-version", "newest"), "is not a version"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_sentence(tune: Ovsnet, arguments: tuple[str, ...], word: str) -> None:
    ended = tune(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert word in ended.err


def test_absent_database_is_exit_code_3_and_a_sentence(ovsnet: Ovsnet, tmp_path: Path) -> None:
    for command in (("lint",), ("apply", "--set", "max-idle=20000"), ("revert",)):
        ended = ovsnet("tune", *command, "--rundir", tmp_path)
        assert (ended.code, ended.out) == (3, "")
        assert "Start the daemon that owns the socket" in ended.err


def test_server_that_does_not_answer_is_exit_code_3_in_time(tune: Ovsnet, switch: Sandbox) -> None:
    anyio.run(switch.freeze, "ovsdb-server")
    ended = tune("apply", "--set", "max-idle=20000", "--timeout", "0.2")
    assert ended.code == 3
    assert ended.err.count("\n") == 1


def test_missing_permission_is_exit_code_3_a_sentence_and_nothing_written(tune: Ovsnet, switch: Sandbox) -> None:
    socket = switch.rundir / "db.sock"
    socket.chmod(0)
    argv = [*UNPRIVILEGED, *PROGRAM, "tune", "apply", "--rundir", str(switch.rundir), "--set", "max-idle=20000"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(os.environ))
    socket.chmod(0o700)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Run ovsnet as root" in done.stderr
    assert tune("lint", "--all").out.startswith("nothing is wrong with what is set")


def status(tmp_path: Path) -> Path:
    found = Histogram(observed=86_400.0)
    found.record(0.002, 86_300)
    found.record(8.0, 10)
    document = {"stalls": {"southbound": found.document()}, "interval_seconds": 1.0}
    (path := tmp_path / "status.json").write_text(json.dumps(document))
    return path


def test_advice_shows_what_it_rests_on_and_both_prices(tune: Ovsnet, switch: Sandbox, tmp_path: Path) -> None:
    anyio.run(
        switch.run, "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-remote=tcp:192.0.2.1:6642"
    )
    tune("apply", "--set", "ovn-remote-probe-interval=5000")
    ended = tune("advise", "--status", status(tmp_path))
    assert ended.code == 0
    assert "  southbound: 86310 answers in 24 h, the longest silence 8 s\n" in ended.out
    assert "  10 silences of more than 5 s in 24 h, the longest of 8 s by southbound" in ended.out
    assert "  -> ovn-remote-probe-interval=8000\n" in ended.out
    price = "disconnects from living peers; a dead peer is noticed 10 s after its last message"
    assert f"  now  5 s: 0 to 10 {price}\n" in ended.out
    assert (
        "  then 8 s: no disconnect from a living peer; a dead peer is noticed 16 s after its last message\n"
        in ended.out
    )
    first = json.loads(tune("advise", "--json", "--status", status(tmp_path)).out)[0]
    assert first["values"] == {"ovn-remote-probe-interval": 8000}


def test_advice_without_measurements_is_refused_in_a_sentence(tune: Ovsnet, tmp_path: Path) -> None:
    for text, word in (("{", "not a status document"), ("{}", "holds no stalls")):
        (path := tmp_path / "status.json").write_text(text)
        ended = tune("advise", "--status", path)
        assert (ended.code, ended.out) == (2, "")
        assert word in ended.err
    absent = tune("advise", "--agent", f"unix:{tmp_path}/none")
    assert absent.code == 3
    assert "No agent answers" in absent.err


def test_help_names_every_subcommand(ovsnet: Ovsnet) -> None:
    shown = str(ovsnet("tune", "--help"))
    assert all(name in shown for name in ("lint", "plan", "apply", "revert", "advise"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("argv", [("tune", "plan", "--file"), ("tune", "advise", "--status")])
def test_hostile_document_is_refused_in_a_sentence(
    ovsnet: Ovsnet, tmp_path: Path, make: Callable[[Path], None], argv: tuple[str, ...]
) -> None:
    path = tmp_path / "it"
    make(path)
    ended = ovsnet(*argv, path)
    assert ended.code == 2
    assert f"Invalid value for '{argv[-1]}': Cannot read {path}: " in ended.err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"x" * 101, "Cannot read standard input: it has more than 100 bytes."),
        (b"\xff", "standard input is not UTF-8: invalid start byte at byte 0."),
        (b"{", "standard input is not valid TOML"),
        (b"", "No values were given."),
    ],
)
def test_document_of_standard_input_is_text_within_the_bound(
    ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch, said: bytes, why: str
) -> None:
    monkeypatch.setattr(options, "MOST", 100)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said)))
    ended = ovsnet("tune", "plan", "--file", "-")
    assert ended.code == 2
    assert why in ended.err
