"""Where a release is written: an earlier one is replaced, and nothing else is removed."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from release import __main__ as program


def test_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    done = CliRunner().invoke(program.release, ["python", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "thesis.txt is not part of a release" in done.output
    assert (tmp_path / "thesis.txt").read_text() == "three years"


def test_directory_of_a_source_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ovsnet-0.2.0").mkdir()
    assert CliRunner().invoke(program.release, ["python", "--out", str(tmp_path)]).exit_code == 2
    assert (tmp_path / "ovsnet-0.2.0").is_dir()
