"""What all commands have in common: help, exit codes, and errors in sentences."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import ovsnet.cli
from ovsnet import __version__
from ovsnet.cli import COMMANDS, main
from tests.cli.conftest import Ovsnet, Program
from tests.golden.faces import commands


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command_and_the_exit_codes(ovsnet: Ovsnet, flag: str) -> None:
    code, out, err = ovsnet(flag)
    assert (code, err) == (0, "")
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "Exit codes: 0" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_and_explains_itself(ovsnet: Ovsnet, command: str) -> None:
    code, out, err = ovsnet(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: ovsnet {command}")


def test_package_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "ovsnet", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ovsnet {__version__}\n"


def test_version(ovsnet: Ovsnet) -> None:
    assert ovsnet("--version") == (0, f"ovsnet {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "No such command 'nope'. The commands are: "),
        (["check", "--nope"], "No such option"),
        (["check", "--timeout", "soon"], "'soon' is not a duration, such as 5, 5s, 500ms or 2m."),
        (["check", "--timeout", "0"], "it must be at least 20ms and at most 1h."),
        (["wait", "--for", "ready", "--timeout", "-1"], "it must be at least 0s."),
        ([], "Usage: ovsnet"),
    ],
)
def test_wrong_usage_is_2_and_said_on_stderr(ovsnet: Ovsnet, arguments: list[str], said: str) -> None:
    code, out, err = ovsnet(*arguments)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["chek"], "check"),
        (["kube"], "kubernetes"),
        (["sandbox", "dwn", "/x"], "down"),
        (["sandbox", "re", "/x"], "restart"),
        (["bench", "storms"], "storm"),
        (["openflow", "dump-flow", "br-int"], "dump-flows"),
        (["ovsdb", "transct"], "transact"),
        (["tune", "plann"], "plan"),
        (["kubernetes", "rendr"], "render"),
        (["check", "ovsdb.ech"], "ovsdb.echo"),
        (["check", "southbound.n"], "southbound.northd"),
        (["check", "openflow"], "openflow.echo, openflow.flows or openflow.accept"),
        (["tune", "plan", "--set", "n-handler-thread=3"], "n-handler-threads"),
    ],
)
def test_misspelt_name_is_2_and_answered_with_the_one_that_was_meant(
    ovsnet: Ovsnet, arguments: list[str], meant: str
) -> None:
    code, out, err = ovsnet(*arguments)
    assert (code, out) == (2, "")
    assert f"Did you mean {meant}?" in err


def test_option_before_a_command_is_not_taken_for_one(ovsnet: Ovsnet) -> None:
    assert "No such option" in ovsnet("--jsn").err


@pytest.fixture
def unknown_key(tmp_path: Path) -> Path:
    path = tmp_path / "c.toml"
    path.write_text("intervall = 1\n")
    return path


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--rundir", "/nonexistent"], 3, "There is no run directory /nonexistent"),
        (["--rundir", "LONG"], 2, "the kernel takes 107"),
        (["--config", "UNKNOWN"], 2, "There is no setting 'intervall'"),
        (["--config", "/nonexistent"], 2, "cannot be read"),
        (["--database", "db.sock"], 2, "begins with none of unix:, tcp: and ssl:"),
        (["--database", "tcp:127.0.0.1"], 2, "lacks a host, or a port"),
        (["--switch", "maybe"], 2, "switch in the command line cannot be 'maybe'. It must be off or on."),
        (["--tls-key", "key.pem"], 2, "go together"),
    ],
)
def test_what_cannot_work_is_one_line_with_its_remedy(
    ovsnet: Ovsnet, tmp_path: Path, unknown_key: Path, command: str, arguments: list[str], code: int, said: str
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    places = {"LONG": str(long), "UNKNOWN": str(unknown_key)}
    ended = ovsnet(command, *(places.get(argument, argument) for argument in arguments))
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert ended.err.startswith("ovsnet: ")
    assert ended.err.count("\n") == 1


def ovsnet_group() -> click.Group:
    return ovsnet.cli.ovsnet


def prints_json(words: tuple[str, ...]) -> bool:
    found: click.Command | None = ovsnet_group()
    for word in words:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    return found is not None and any("--json" in each.opts for each in found.params)


WITH_JSON = [words for words in commands() if prints_json(words)]


@pytest.mark.parametrize("command", WITH_JSON, ids=" ".join)
def test_program_that_asked_for_json_gets_a_wrong_usage_as_json(ovsnet: Ovsnet, command: tuple[str, ...]) -> None:
    ended = ovsnet(*command, "--json", "--nope")
    assert ended.code == 2
    assert "No such option" in ended.err
    error = json.loads(ended.out)["error"]
    assert (error["code"], set(error)) == ("usage", {"code", "summary", "remedy"})


ON_A_NODE = ["check", "wait --for ready", "doctor", "report", "tune lint", "tune plan --set max-idle=5000"]


@pytest.mark.parametrize("command", [*(f"{each} --json" for each in ON_A_NODE), "check --format json"])
def test_program_that_asked_for_json_gets_an_error_as_json(ovsnet: Ovsnet, command: str) -> None:
    ended = ovsnet(*command.split(), "--rundir", "/nonexistent")
    assert ended.code == 3
    error = json.loads(ended.out)["error"]
    assert error["code"] == "environment"
    assert ended.err == f"ovsnet: {error['summary']} {error['remedy']}\n"


def test_unknown_variable_is_2_and_named(ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVSNET_INTERVALL", "1")
    code, _, err = ovsnet("check")
    assert code == 2
    assert "OVSNET_INTERVALL" in err
    assert "docs/settings.md" in err
    assert "Did you mean OVSNET_INTERVAL?" in err


def test_interrupted_command_is_130(ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ovsnet_group(), "main", interrupt)
    assert ovsnet("check").code == 130


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_code_that_a_command_ends_with_is_the_programs(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(ovsnet_group(), "main", lambda *arguments, **options: code or None)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == code


def test_reader_of_a_pipe_may_go(program: Program, tmp_path: Path) -> None:
    """As in ``ovsnet check | true``: no traceback, even where nobody reads."""
    process = program("check", "--rundir", tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_program_ends_with_the_code_too(program: Program, tmp_path: Path) -> None:
    process = program("check", "--rundir", tmp_path / "absent")
    out, err = process.communicate()
    assert (process.returncode, out) == (3, "")
    assert err.startswith("ovsnet: There is no run directory")
    assert os.linesep not in err.rstrip("\n")


PRINTING = ["--version", "tune --help", "completion bash", "kubernetes render npd", "sandbox --help"]


@pytest.mark.parametrize("command", PRINTING)
def test_output_that_cannot_be_written_is_told_in_a_sentence(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words_of(command), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    said = "ovsnet: The output cannot be written: No space left on device. Write it to another place.\n"
    assert done.stderr == said


def test_message_that_cannot_be_written_changes_no_exit_code(tmp_path: Path) -> None:
    command = words_of(f"check --rundir {tmp_path}/absent")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")


def words_of(command: str) -> list[str]:
    return [sys.executable, "-m", "ovsnet", *command.split()]
