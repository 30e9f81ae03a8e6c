"""``ovsnet completion``: what a shell completes, and where its script goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ovsnet.cli import COMMANDS
from ovsnet.cli.completion import script
from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ovsnet

COMPLETE = """\
compopt() { echo "compopt $*"; }
source "$SCRIPT"
COMP_WORDS=(ovsnet "$@")
COMP_CWORD=$#
_ovsnet_completion ovsnet
[[ ${#COMPREPLY[@]} = 0 ]] || printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does when the key is pressed; there it has a ``compopt`` of its own."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell that finds the program, and has read the script that it printed."""
    program = tmp_path / "bin/ovsnet"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovsnet "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(script("bash"))
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "SCRIPT": str(tmp_path / "script")}


def completed(environment: Mapping[str, str], *words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    argv = ["bash", "--norc", "-c", COMPLETE, "bash", *words]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["che"], ["check"]),
        (["check", "ovsdb.ech"], ["ovsdb.echo"]),
        (["check", "ovsdb.echo", "vswitchd.tun"], ["vswitchd.tunnels"]),
        (["tune", "pl"], ["plan"]),
        (["tune", "plan", "--set", "n-handler"], ["compopt -o nospace", "n-handler-threads="]),
        (["tune", "plan", "--profile", "ovn-k"], ["ovn-kubernetes"]),
        (["wait", "--for", "op"], ["openflow"]),
        (["bench", "race", "open"], ["openflow"]),
        (["completion", "f"], ["fish"]),
        (["check", "--form"], ["--format"]),
        (["check", "--from", "rep"], ["compopt -o default"]),
        (["explain", "ovn.l"], ["compopt -o default"]),
        (["nonsense", "x"], []),
    ],
)
def test_bash_completes(environment: Mapping[str, str], words: list[str], offered: list[str]) -> None:
    assert completed(environment, *words) == offered


def test_bash_completes_every_command_and_imports_none(environment: Mapping[str, str]) -> None:
    assert completed(environment, "") == [*COMMANDS]
    profiled = {**environment, "_OVSNET_COMPLETE": "bash_complete", "COMP_WORDS": "ovsnet ", "COMP_CWORD": "1"}
    argv = [sys.executable, "-X", "importtime", "-m", "ovsnet"]
    done = subprocess.run(argv, env=profiled, capture_output=True, text=True, check=True)
    assert "ovsnet.cli" in done.stderr
    assert "ovsnet.health" not in done.stderr


async def test_bash_completes_the_daemons_of_a_sandbox(environment: Mapping[str, str], shared_node: Sandbox) -> None:
    directory = str(shared_node.directory)
    assert completed(environment, "sandbox", "restart", directory, "ovs-") == ["ovs-vswitchd"]
    assert completed(environment, "sandbox", "signal", directory, "ovs-vswitchd", "co") == ["cont"]
    assert completed(environment, "sandbox", "restart", "/nowhere", "ovs-") == []


@pytest.mark.parametrize(("shell", "shown"), [("zsh", "ovsdb.echo\n"), ("fish", "plain,ovsdb.echo\t")])
def test_other_shells_are_given_the_question_of_a_check(environment: Mapping[str, str], shell: str, shown: str) -> None:
    word = {"zsh": "2", "fish": "ovsdb.ech"}[shell]
    asked = {"_OVSNET_COMPLETE": f"{shell}_complete", "COMP_WORDS": "ovsnet check ovsdb.ech", "COMP_CWORD": word}
    done = subprocess.run(["ovsnet"], env={**environment, **asked}, capture_output=True, text=True, check=True)
    assert shown in done.stdout
    assert "ovsdb-server" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_understands_its_script(ovsnet: Ovsnet, shell: str, tmp_path: Path) -> None:
    ended = ovsnet("completion", shell)
    assert (ended.code, ended.err, ended.out) == (0, "", script(shell))
    if shutil.which(shell) is None:
        return  # the next machine has it
    (tmp_path / "script").write_text(ended.out)
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", "data/bash-completion/completions/ovsnet"),
        ("zsh", "data/zsh/site-functions/_ovsnet"),
        ("fish", "config/fish/completions/ovsnet.fish"),
    ],
)
def test_one_command_installs_it(
    ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shell: str, path: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BASH_COMPLETION_USER_DIR", raising=False)
    for _ in range(2):
        ended = ovsnet("completion", shell, "--install")
        assert (ended.code, ended.out) == (0, f"wrote {tmp_path / path}\n")
        assert ended.err.startswith("Next: ")
    assert (tmp_path / path).read_text() == script(shell)


def test_home_that_cannot_be_written_is_reported_in_a_sentence(
    ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    ended = ovsnet("completion", "zsh", "--install")
    assert (ended.code, ended.err.startswith("ovsnet: Cannot write ")) == (3, True)
    assert ovsnet("completion", "tcsh").code == 2
