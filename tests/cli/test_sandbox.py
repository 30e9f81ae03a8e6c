"""``ovsnet sandbox``, as a user meets it."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ovsnet.cli.sandbox import sandbox
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import Process

PROGRAM = [sys.executable, "-c", "from ovsnet.cli.sandbox import sandbox; sandbox()"]


def ovsnet(*arguments: object) -> Result:
    result = CliRunner().invoke(sandbox, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("n") / "s"
    yield path
    if path.exists():
        ovsnet("down", path)


def test_node_that_is_up_outlives_the_command_and_obeys_until_down(directory: Path) -> None:
    up = subprocess.run([*PROGRAM, "up", str(directory), "--json"], check=True, stdout=subprocess.PIPE)
    made = json.loads(up.stdout)
    assert made["seconds"] > 0
    assert made["environment"]["OVS_RUNDIR"] == str(Sandbox.attach(directory).rundir)
    states = json.loads(ovsnet("status", directory, "--json").stdout)
    assert {daemon["state"] for daemon in states.values()} == {"running"}

    assert ovsnet("signal", directory, "ovs-vswitchd", "stop").exit_code == 0
    stopped = ovsnet("status", directory)
    assert stopped.exit_code == 1
    assert f"ovs-vswitchd     frozen   {states['ovs-vswitchd']['pid']}" in stopped.stdout
    ovsnet("signal", directory, "ovs-vswitchd", "cont")
    assert ovsnet("status", directory).exit_code == 0

    ovsnet("signal", directory, "ovn-northd", "term")
    ovsnet("signal", directory, "ovs-vswitchd", "kill")
    assert "ovs-vswitchd     gone\n" in ovsnet("status", directory).stdout
    ovsnet("restart", directory, "ovs-vswitchd")
    ovsnet("restart", directory, "ovn-northd")
    again = json.loads(ovsnet("status", directory, "--json").stdout)
    assert again["ovs-vswitchd"]["pid"] != states["ovs-vswitchd"]["pid"]

    ovsnet("down", directory)
    assert not directory.exists()
    assert not [daemon for daemon in again.values() if Process.of(daemon["pid"])]


def test_up_refuses_a_directory_in_use_and_leaves_its_node_alone(directory: Path) -> None:
    ovsnet("up", directory, "--no-ovn", "--ports", 1)
    with pytest.raises(UsageError, match="is not empty"):
        ovsnet("up", directory)
    assert ovsnet("status", directory).exit_code == 0


def test_down_without_a_sandbox_is_refused(directory: Path) -> None:
    with pytest.raises(UsageError, match="no sandbox"):
        ovsnet("down", directory)


def test_owner_reaps_and_removes_what_an_outsider_ended_and_restarted(directory: Path) -> None:
    node = Sandbox(directory, ovn=False)
    asyncio.run(node.up())
    first = node.pid("ovs-vswitchd")
    ovsnet("restart", directory, "ovs-vswitchd")
    second = node.pid("ovs-vswitchd")
    asyncio.run(node.down())
    assert first != second
    assert not Path(f"/proc/{first}").exists()
    assert Process.of(second) is None
    assert not directory.exists()


def test_run_gives_the_command_a_ready_node_and_returns_its_exit_code() -> None:
    script = "ovs-vsctl br-exists br-int && ovn-sbctl show && exit 7"
    command = [*PROGRAM, "run", "--ports", "1", "--", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert "Port_Binding p1" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_without_a_command_ends_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([*PROGRAM, "run"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(number)
    assert process.returncode == 0
    rundir = line.split("OVS_RUNDIR=")[1].split()[0]
    assert not Path(rundir).parent.exists()


def test_run_ends_its_command_on_a_signal() -> None:
    with subprocess.Popen([*PROGRAM, "run", "sh", "-c", "echo $$ $OVS_RUNDIR; exec sleep 3600"], stdout=-1) as process:
        assert process.stdout is not None
        pid, rundir = process.stdout.readline().decode().split()
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    assert Process.of(int(pid)) is None
    assert not Path(rundir).parent.exists()


def test_run_of_an_unknown_command_is_refused() -> None:
    with pytest.raises(UsageError, match="no command /nonexistent"):
        ovsnet("run", "/nonexistent")


def test_fetch_prints_a_line_per_group_of_programs() -> None:
    lines = ovsnet("fetch").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ovs-vswitchd", "ovn-controller"]
    assert all(line.endswith(f", from {binaries.find().source}") for line in lines)


def test_fetch_on_a_machine_that_can_have_none_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_PROGRAM_DIRECTORIES_OF_HOST", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UnfitEnvironment, match="Not on PATH"):
        ovsnet("fetch")
