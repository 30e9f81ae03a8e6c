"""The directory of a sandbox."""

from pathlib import Path

import pytest

from ovsnet.errors import AddressError, UsageError
from ovsnet.sandbox import place
from ovsnet.sandbox.node import Sandbox


def test_too_long_a_path_is_refused_before_anything_starts(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 90)
    with pytest.raises(AddressError, match="the kernel takes 107") as caught:
        Sandbox(directory)
    assert "shorter path" in caught.value.remedy
    assert not directory.exists()


def test_too_long_a_temporary_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("d" * 90)))
    with pytest.raises(AddressError):
        place.make(None)


def test_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError, match="is not empty") as caught:
        place.make(tmp_path)
    assert "sandbox down" in caught.value.remedy


def test_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot hold a sandbox: Not a directory"):
        place.make(tmp_path / "file" / "node")


def test_what_somebody_else_put_there_is_kept(tmp_path: Path) -> None:
    directory, made = place.make(tmp_path / "node")
    (directory / "mine").touch()
    (directory / "run").mkdir()
    place.clear(directory, remove=made)
    assert [path.name for path in directory.iterdir()] == ["mine"]
