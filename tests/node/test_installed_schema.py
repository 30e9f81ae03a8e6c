"""Which schema the program of a process was installed with."""

from __future__ import annotations

from pathlib import Path

import pytest

import ovsnet.node.installed_schema
from ovsnet.node.installed_schema import installed_schema

NAME = "ovn-nb.ovsschema"


@pytest.mark.parametrize(
    ("program", "text", "version"),
    [
        ("/usr/bin/ovn-northd", '{"name": "OVN_Northbound", "version": "7.0.0", "tables": {}}', "7.0.0"),
        ("/usr/bin/ovn-northd (deleted)", '{"version": "7.0.0"}', ""),
        ("/opt/ovn/bin/ovn-northd", '{"version": "7.0.0"}', ""),
        ("/usr/bin/ovn-northd", '{"version": ', ""),
        ("/usr/bin/ovn-northd", '{"name": "OVN_Northbound"}', ""),
    ],
    ids=["its own", "of the next start", "of another OVN", "torn", "without a version"],
)
def test_version_is_that_of_the_file_beside_the_program(tmp_path: Path, program: str, text: str, version: str) -> None:
    file = tmp_path / "root/usr/share/ovn" / NAME
    file.parent.mkdir(parents=True)
    file.write_text(text)
    process = tmp_path / "proc/7"
    process.mkdir(parents=True)
    (process / "root").symlink_to(tmp_path / "root")
    (process / "exe").symlink_to(program)
    assert installed_schema(7, NAME, tmp_path / "proc") == version


def test_program_that_a_loader_runs_is_found_by_its_command_line(tmp_path: Path) -> None:
    process, place = tmp_path / "7", tmp_path / "tree/usr"
    process.mkdir()
    (place / "share/ovn").mkdir(parents=True)
    (place / "share/ovn" / NAME).write_text('{"version": "7.0.0"}')
    (process / "root").symlink_to("/")
    (process / "exe").symlink_to("/usr/lib64/ld-linux-x86-64.so.2")
    words = ("/usr/lib64/ld-linux-x86-64.so.2", "--library-path", "/lib", f"{place}/bin/ovn-northd", "--pidfile")
    (process / "cmdline").write_text("\0".join(words))
    assert installed_schema(7, NAME, tmp_path) == "7.0.0"


def test_process_that_is_gone_says_nothing(tmp_path: Path) -> None:
    assert installed_schema(7, NAME, tmp_path) == ""


def test_file_is_read_again_only_when_it_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has 0.1 MB, and each round of checks wants its version."""
    file, process = tmp_path / "root/usr/share/ovn" / NAME, tmp_path / "proc/7"
    file.parent.mkdir(parents=True)
    process.mkdir(parents=True)
    (process / "root").symlink_to(tmp_path / "root")
    (process / "exe").symlink_to("/usr/bin/ovn-northd")
    read: list[Path] = []

    def noted(path: Path) -> bytes:
        read.append(path)
        return path.read_bytes()

    monkeypatch.setattr(ovsnet.node.installed_schema, "read_bytes", noted)
    file.write_text('{"version": "7.0.0"}')
    assert [installed_schema(7, NAME, tmp_path / "proc") for _ in range(3)] == ["7.0.0"] * 3
    assert len(read) == 1
    (tmp_path / "new").write_text('{"version": "7.1.0"}')
    (tmp_path / "new").replace(file)
    assert installed_schema(7, NAME, tmp_path / "proc") == "7.1.0"
