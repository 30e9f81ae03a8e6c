"""No sandbox is taken over from a directory that another user can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.errors import UsageError
from ovsnet.sandbox import place
from ovsnet.sandbox.node import Sandbox


@pytest.fixture(params=[0o777, 0o770, 0o720])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    directory = tmp_path / "x"
    directory.mkdir()
    directory.chmod(request.param)
    return directory


def test_directory_that_others_may_write_is_refused(shared: Path) -> None:
    with pytest.raises(UsageError, match="may be written by others"):
        place.make(shared)
    with pytest.raises(UsageError, match="may be written by others"):
        Sandbox.attach(shared)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    """Its owner would choose the program that root starts (``binaries_root``), and the process that root ends."""
    os.chown(tmp_path, 65534, 65534)
    try:
        with pytest.raises(UsageError, match="belongs to another user") as told:
            place.make(tmp_path)
        assert "does not exist yet" in told.value.remedy
        with pytest.raises(UsageError, match="belongs to another user"):
            Sandbox.attach(tmp_path)
    finally:
        os.chown(tmp_path, 0, 0)


def test_new_directory_is_for_us_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made, ours = place.make(tmp_path / "new")
    finally:
        os.umask(before)
    assert ours
    assert made.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_below_another_users_is_refused(tmp_path: Path) -> None:
    """Its owner could rename ours, and put one with another record in its place."""
    directory = tmp_path / "theirs" / "ours"
    directory.mkdir(parents=True, mode=0o700)
    os.chown(directory.parent, 65534, 65534)
    for take in (place.make, Sandbox.attach):
        with pytest.raises(UsageError, match=r"lies in .*/theirs, whose owner"):
            take(directory)


def test_directory_below_one_like_tmp_is_taken_and_below_one_that_all_may_write_is_not(tmp_path: Path) -> None:
    directory = tmp_path / "all" / "ours"
    directory.mkdir(parents=True, mode=0o700)
    directory.parent.chmod(0o1777)
    place.require_ours(directory)
    directory.parent.chmod(0o777)
    with pytest.raises(UsageError, match="lies in"):
        place.require_ours(directory)
