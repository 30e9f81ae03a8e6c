"""The two steps of ``--fix``: each says how to undo it, and a refusal says why."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ovsnet.doctor.finding import note, ok, warning
from ovsnet.doctor.fixes import load_module, make_link, mend, run_command


def refuse(*command: str) -> tuple[int, str]:
    return 1, "modprobe: FATAL: Module geneve not found."


def test_link_is_made_with_its_parents_and_undone_as_told(tmp_path: Path) -> None:
    link = tmp_path / "usr/local/var/run/openvswitch"
    step = make_link(link, "/var/run/openvswitch")
    assert step.done
    assert str(link.readlink()) == "/var/run/openvswitch"
    subprocess.run(step.undo, shell=True, check=True)
    assert list(tmp_path.iterdir()) == []


def test_link_beside_something_undoes_itself_alone(tmp_path: Path) -> None:
    step = make_link(tmp_path / "openvswitch", "/var/run/openvswitch")
    assert step.undo == f"rm {tmp_path / 'openvswitch'}"


def test_nothing_that_stands_there_is_touched(tmp_path: Path) -> None:
    link = tmp_path / "openvswitch"
    link.mkdir()
    step = make_link(link, "/var/run/openvswitch")
    assert not step.done
    assert "File exists" in step.why
    assert link.is_dir()


def test_link_that_cannot_be_made_says_why_and_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    step = make_link(tmp_path / "var/run/openvswitch", "/var/run/openvswitch")
    assert not step.done
    assert "Not a directory" in step.why
    assert step.undo == ""


def test_read_only_file_system_is_told_with_what_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(link: Path, target: str) -> None:
        raise OSError(30, "Read-only file system", target, None, str(link))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    step = make_link(tmp_path / "run/openvswitch", "/var/run/openvswitch")
    assert not step.done
    assert step.why == f"{tmp_path}/run/openvswitch: Read-only file system."
    assert step.undo == f"rmdir {tmp_path}/run"


def test_module_is_loaded_by_modprobe() -> None:
    ran: list[tuple[str, ...]] = []

    def run(*command: str) -> tuple[int, str]:
        ran.append(command)
        return 0, ""

    step = load_module("geneve", run)
    assert ran == [("modprobe", "geneve")]
    assert step.done
    assert step.undo == "modprobe -r geneve"


def test_modprobe_that_refuses_is_quoted() -> None:
    step = load_module("geneve", refuse)
    assert not step.done
    assert "Module geneve not found" in step.why


def test_host_without_modprobe_is_told() -> None:
    step = load_module("geneve", lambda *command: run_command("/no/such/modprobe", *command[1:]))
    assert not step.done
    assert "kmod" in step.why


def test_modprobe_that_does_not_end_is_told() -> None:
    def hang(*command: str) -> tuple[int, str]:
        raise subprocess.TimeoutExpired(command, 30)

    assert "did not run to its end" in load_module("geneve", hang).why


def test_commands_are_run_for_real() -> None:
    code, said = run_command("sh", "-c", "echo no >&2; exit 4")
    assert (code, said) == (4, "no")


def test_mendable_findings_alone_are_mended(tmp_path: Path) -> None:
    link = tmp_path / "openvswitch"
    findings = [
        ok("x"),
        warning("x", "y"),
        note("x", "y", mendable=True),
        warning("x", "y", mendable=True),
    ]
    codes = ["a.b", "rundir.link", "module.geneve", "rundir.link"]
    coded = [replace(each, code=code) for each, code in zip(findings, codes, strict=True)]
    steps = list(mend(coded, refuse, link))
    assert [step.done for step in steps] == [False, True]
    assert link.is_symlink()
