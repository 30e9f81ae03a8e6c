"""``ovsnet bench race`` and ``echo`` as a person meets them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from ovsnet.bench.race import DEFAULT_LIMIT
from ovsnet.cli.bench import bench
from ovsnet.sandbox.node import Sandbox
from tests.cli.bench_words import quiet, told  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet, Program

PAGE = Path(__file__).parents[2] / "docs/bench.md"

PATIENT = ("--deadline", 50)
"""No slow machine loses a client."""

QUICK = (*PATIENT, "--clients", 20, "--count", 60, "--rounds", 1)
FEW = (*PATIENT, "--connections", 2, "--window", 4, "--count", 100, "--rounds", 1)


@pytest.mark.heavy
@pytest.mark.parametrize("protocol", ["openflow", "ovsdb"])
def test_race_is_told_by_table_document_and_page(
    ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path, protocol: str
) -> None:
    out, report = tmp_path / "out.json", tmp_path / "page.html"
    node = ("--node", "--rundir", switch.rundir, "--seed", 7)
    ended = ovsnet("bench", "race", protocol, *QUICK, *node, "--out", out, "--report", report)
    assert (ended.code, told(ended.err)) == (0, "")
    document = json.loads(out.read_bytes())
    names = [f"{protocol} 20 {strategy} closed" for strategy in ("naive", "retry", f"gated:{DEFAULT_LIMIT}")]
    assert [run["name"] for run in document["runs"]] == names
    assert all(run["measures"].keys() >= {"from_connect", "canary"} for run in document["runs"])
    assert_platform_is_known(document)
    assert document["seed"] == 7
    assert_all_is_shown(ended.out, report.read_text(), names, document)


@pytest.mark.heavy
@pytest.mark.parametrize("protocol", ["openflow", "ovsdb", "unixctl"])
def test_echo_is_told_by_table_document_and_page(
    ovsnet: Ovsnet, switch: Sandbox, tmp_path: Path, protocol: str
) -> None:
    out, report = tmp_path / "out.json", tmp_path / "page.html"
    ended = ovsnet(
        "bench", "echo", protocol, *FEW, "--node", "--rundir", switch.rundir, "--out", out, "--report", report
    )
    assert (ended.code, told(ended.err)) == (0, "")
    document = json.loads(out.read_bytes())
    assert [run["measures"]["done"] for run in document["runs"]] == [100]
    assert_platform_is_known(document)
    assert_all_is_shown(ended.out, report.read_text(), [f"{protocol} 2 x 4"], document)


def assert_platform_is_known(document: dict[str, Any]) -> None:
    (machine,) = document["machines"]
    assert machine.keys() >= {"node", "cpu", "cores", "load", "kernel", "python", "libraries"}
    assert "Open vSwitch" in document["versions"]["ovs-vswitchd"]


def assert_all_is_shown(table: str, page: str, names: list[str], document: dict[str, Any]) -> None:
    machine, version = document["machines"][0]["cpu"], document["versions"]["ovs-vswitchd"]
    for text in (table, page):
        assert all(shown in text for shown in (*names, machine, version, "p99.99"))
        assert not re.search(r"\b(inf|nan)\b", text)
    assert "<svg" in page
    assert f"seed {document['seed']}" in page


@pytest.mark.heavy
def test_json_is_the_document_with_every_round(ovsnet: Ovsnet, switch: Sandbox) -> None:
    node = ("--node", "--rundir", switch.rundir, "--strategy", "gated:8", "--json")
    ended = ovsnet("bench", "race", "openflow", *QUICK, "--rounds", 2, *node)
    assert (ended.code, told(ended.err)) == (0, "")
    runs = json.loads(ended.out)["runs"]
    assert [run["round"] for run in runs] == [0, 1]
    for run in runs:
        assert [run["measures"][what] for what in ("started", "done", "lost")] == [60, 60, 0]
        assert run["settings"] | {"clients": 20, "count": 60, "strategy": "gated:8", "rate": None} == run["settings"]
        latency = run["measures"]["from_connect"]
        assert sum(latency["counts"].values()) == 60
        assert 0 < latency["lowest"] <= latency["highest"] <= latency["total"]
        assert run["cpu_seconds"].keys() == {"engine", "ovs-vswitchd"}


def test_open_loop_tells_its_own_lag(ovsnet: Ovsnet, switch: Sandbox) -> None:
    """Whether it kept up depends on the machine, and so does the exit code."""
    node = ("--node", "--rundir", switch.rundir, "--strategy", "gated", "--rounds", 1, "--json")
    ended = ovsnet("bench", "race", "openflow", "--clients", 8, "--count", 50, "--rate", 500, *node)
    (run,) = json.loads(ended.out)["runs"]
    assert ended.code == (1 if run["problems"] else 0)
    assert sum(run["measures"]["generator_lag"]["counts"].values()) == run["measures"]["done"] == 50
    assert run["settings"]["rate"] == 500


def test_address_of_another_node_needs_no_run_directory(ovsnet: Ovsnet, switch: Sandbox) -> None:
    ended = ovsnet("bench", "echo", "ovsdb", *FEW, "--node", "--address", f"unix:{switch.rundir}/db.sock", "--json")
    assert (ended.code, told(ended.err)) == (0, "")
    assert json.loads(ended.out)["runs"][0]["settings"]["address"] == f"unix:{switch.rundir}/db.sock"


def test_sandbox_is_made_for_the_run_and_gone_after_it(
    ovsnet: Ovsnet, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("OVSNET_DATABASE", "tcp:192.0.2.1:6640")  # of this host's node, which is not meant
    ended = ovsnet("bench", "echo", "ovsdb", *FEW, "--sandbox", "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["runs"][0]["settings"]["address"].startswith(f"unix:{temporary}/")
    assert "ovn-controller" in document["versions"]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("race",),
        ("race", "unixctl"),
        ("race", "openflow", "--clients", "0"),
        ("race", "openflow", "--clients", "4097"),
        ("race", "openflow", "--count", "0"),
        ("race", "openflow", "--rounds", "0"),
        ("race", "openflow", "--rate", "-5"),
        ("race", "openflow", "--rate", "nan"),
        ("race", "openflow", "--deadline", "0"),
        ("race", "openflow", "--strategy", "polite"),
        ("race", "openflow", "--strategy", "gated:0"),
        ("race", "openflow", "--seed", "x"),
        ("race", "openflow", "--shard", "3/2"),
        ("race", "openflow", "--clients", "2", "--shard", "1/3"),
        ("race", "openflow", "--start-at", "yesterday"),
        ("race", "openflow", "--address", "/run/openvswitch/br-int.mgmt"),
        ("race", "openflow", "--address", "unix:/br-int.mgmt", "--sandbox"),
        ("race", "openflow", "--address", "unix:/br-int.mgmt"),
        ("race", "openflow", "--rundir", "/run/openvswitch"),
        ("race", "openflow", "--node", "--processes", "2", "--shard", "1/2"),
        ("race", "openflow", "--sandbox", "--shard", "1/2"),
        ("race", "openflow", "--out", "/nowhere/out.json"),
        ("race", "openflow", "--report", "/nowhere/page.html"),
        ("echo", "http"),
        ("echo", "openflow", "--connections", "0"),
        ("echo", "openflow", "--window", "0"),
        ("echo", "openflow", "--count", "0"),
        ("echo", "openflow", "--deadline", "nan"),
        ("echo", "openflow", "--connections", "1", "--shard", "1/2"),
        ("echo", "openflow", "--address", "nonsense"),
        ("merge",),
        ("merge", "/nowhere/a.json"),
        ("merge", "/nowhere/a.json", "--out", "/nowhere/b.json"),
        ("compare", "/nowhere/a.json"),
        ("compare", "/nowhere/a.json", "/nowhere/b.json"),
    ],
    ids=" ".join,
)
def test_impossible_wish_is_refused_in_one_sentence(ovsnet: Ovsnet, arguments: tuple[str, ...]) -> None:
    ended = ovsnet("bench", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert len([line for line in ended.err.splitlines() if line.startswith(("Error: ", "ovsnet: "))]) == 1
    assert "Traceback" not in ended.err


def test_moment_that_has_passed_is_refused(ovsnet: Ovsnet, switch: Sandbox) -> None:
    ended = ovsnet("bench", "race", "openflow", "--node", "--rundir", switch.rundir, "--start-at", 1000)
    assert (ended.code, ended.out) == (2, "")
    assert told(ended.err).startswith("ovsnet: --start-at is not within the next day.")


@pytest.mark.parametrize("command", ["race", "echo"])
def test_nobody_at_the_address_is_one_sentence(ovsnet: Ovsnet, tmp_path: Path, command: str) -> None:
    ended = ovsnet("bench", command, "openflow", "--node", "--address", f"unix:{tmp_path}/none.mgmt")
    assert (ended.code, ended.out) == (3, "")
    assert told(ended.err).startswith(f"ovsnet: unix:{tmp_path}/none.mgmt does not exist.")
    assert len(told(ended.err).splitlines()) == 1


@pytest.mark.parametrize("command", ["race", "echo"])
def test_ssl_without_key_and_certificates_is_one_sentence(ovsnet: Ovsnet, command: str) -> None:
    ended = ovsnet("bench", command, "ovsdb", "--node", "--address", "ssl:127.0.0.1:6642")
    assert (ended.code, ended.out) == (2, "")
    assert told(ended.err).startswith("ovsnet: ssl:127.0.0.1:6642 needs TLS files, and none are configured.")
    assert len(told(ended.err).splitlines()) == 1


@pytest.mark.heavy
async def test_race_and_echo_go_over_ssl(program: Program) -> None:
    async with Sandbox(door="ssl") as node:
        await node.wait_ready()
        (address,) = node.doors.values()
        tls = ("--tls-key", node.tls.key, "--tls-certificate", node.tls.certificate, "--tls-ca", node.tls.ca)
        for command in (("race", *QUICK, "--count", 20, "--strategy", "gated"), ("echo", *FEW)):
            process = program("bench", *command, "ovsdb", "--node", "--address", address, *tls, "--json", "--any-load")
            said, err = process.communicate(timeout=50)
            assert (process.returncode, told(err)) == (0, "")
            assert all(run["measures"]["done"] for run in json.loads(said)["runs"])


def test_report_without_matplotlib_says_what_to_install(ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ended = ovsnet("bench", "race", "openflow", "--report", "page.html")
    assert ended.code == 2
    assert "pip install 'ovsnet[bench]'" in ended.err


def shown() -> list[list[str]]:
    """The commands of docs/bench.md, split into words."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line, comments=True)[2:] for line in lines if line.startswith("    ovsnet bench ")]


@pytest.mark.parametrize("words", shown(), ids=" ".join)
def test_command_of_the_page_is_understood(words: list[str]) -> None:
    command = bench.get_command(click.Context(bench), words[0])
    assert command is not None
    command.make_context(words[0], words[1:])  # or it raises


def test_page_shows_every_bench() -> None:
    assert {words[0] for words in shown()} == set(bench.list_commands(click.Context(bench)))
