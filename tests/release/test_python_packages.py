"""Wheel and source archive are the same bytes wherever and whenever they are built, and hold what git knows."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from release.pins import SOURCE
from release.python_packages import build, epoch, snapshot

pytestmark = pytest.mark.skipif(not (SOURCE / ".git").exists(), reason="a release is made from a clone")


def test_two_builds_are_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From two directories, under two umasks, with files of another age."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = build(tmp_path / "first")
    other = tmp_path / "other/source"
    snapshot(other)
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    subprocess.run(["git", "-C", str(other), "add", "--all", "--force"], check=True)
    (other / "ovsnet/left-behind.py").write_text("not of the release")
    before = os.umask(0o077)
    try:
        second = build(tmp_path / "second", other)
    finally:
        os.umask(before)
    assert [path.name for path in first] == [path.name for path in second]
    for one, another in zip(first, second, strict=True):
        assert hashlib.sha256(one.read_bytes()).hexdigest() == hashlib.sha256(another.read_bytes()).hexdigest()
    with tarfile.open(first[1]) as archive:
        names = archive.getnames()
    assert any(name.endswith("/constraints.txt") for name in names)
    shutil.rmtree(other)


def test_time_of_a_release_is_that_of_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert epoch() > 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12")
    assert epoch() == 12
