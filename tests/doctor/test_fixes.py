"""What ``--fix`` does: each fix says how to undo it, and a refusal says why."""

import subprocess
from pathlib import Path

import pytest

from ovsnet.doctor.finding import note, ok, warning
from ovsnet.doctor.fixes import LoadModule, MakeLink, repair, run_command


def refuse(*command: str) -> tuple[int, str]:
    return 1, "modprobe: FATAL: Module geneve not found."


def test_link_is_made_with_its_parents_and_undone_as_told(tmp_path: Path) -> None:
    link = tmp_path / "usr/local/var/run/openvswitch"
    found = MakeLink(link, "/var/run/openvswitch")()
    assert found.done
    assert str(link.readlink()) == "/var/run/openvswitch"
    subprocess.run(found.undo, shell=True, check=True)
    assert list(tmp_path.iterdir()) == []


def test_link_beside_something_undoes_itself_alone(tmp_path: Path) -> None:
    found = MakeLink(tmp_path / "openvswitch", "/var/run/openvswitch")()
    assert found.undo == f"rm {tmp_path / 'openvswitch'}"


def test_nothing_that_stands_there_is_touched(tmp_path: Path) -> None:
    link = tmp_path / "openvswitch"
    link.mkdir()
    found = MakeLink(link, "/var/run/openvswitch")()
    assert not found.done
    assert "File exists" in found.why
    assert link.is_dir()


def test_link_that_cannot_be_made_says_why_and_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    found = MakeLink(tmp_path / "var/run/openvswitch", "/var/run/openvswitch")()
    assert not found.done
    assert "Not a directory" in found.why
    assert found.undo == ""


def test_read_only_file_system_is_told_with_what_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(link: Path, target: str) -> None:
        raise OSError(30, "Read-only file system", target, None, str(link))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    found = MakeLink(tmp_path / "run/openvswitch", "/var/run/openvswitch")()
    assert not found.done
    assert found.why == f"{tmp_path}/run/openvswitch: Read-only file system."
    assert found.undo == f"rmdir {tmp_path}/run"


def test_module_is_loaded_by_modprobe() -> None:
    ran: list[tuple[str, ...]] = []

    def run(*command: str) -> tuple[int, str]:
        ran.append(command)
        return 0, ""

    found = LoadModule("geneve", run)()
    assert ran == [("modprobe", "geneve")]
    assert found.done
    assert found.undo == "modprobe -r geneve"


def test_modprobe_that_refuses_is_quoted() -> None:
    found = LoadModule("geneve", refuse)()
    assert not found.done
    assert "Module geneve not found" in found.why


def test_host_without_modprobe_is_told() -> None:
    found = LoadModule("geneve", lambda *command: run_command("/no/such/modprobe", *command[1:]))()
    assert not found.done
    assert "kmod" in found.why


def test_modprobe_that_does_not_end_is_told() -> None:
    def hang(*command: str) -> tuple[int, str]:
        raise subprocess.TimeoutExpired(command, 30)

    assert "did not finish" in LoadModule("geneve", hang)().why


def test_commands_are_run_for_real() -> None:
    code, said = run_command("sh", "-c", "echo no >&2; exit 4")
    assert (code, said) == (4, "no")


def test_each_finding_has_its_own_fix_applied_and_only_once(tmp_path: Path) -> None:
    link = tmp_path / "openvswitch"
    module = LoadModule("geneve", refuse)
    findings = [
        ok("x"),
        warning("x", "y"),
        note("x", "y", fix=module),
        note("z", "y", fix=module),
        warning("x", "y", fix=MakeLink(link, "/run/openvswitch")),
    ]
    assert [each.done for each in repair(findings)] == [False, True]
    assert link.is_symlink()
