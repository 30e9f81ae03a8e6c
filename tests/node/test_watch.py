"""A socket that appears is told at once, wherever the run directory comes from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ovsnet.node.watch import EVERYTHING, changes
from tests.patience import PATIENCE


async def told(names: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(names), PATIENCE)


async def until(names: AsyncIterator[str], wanted: str) -> None:
    while await told(names) != wanted:
        pass


async def test_files_that_come_and_go_are_named(tmp_path: Path) -> None:
    names = changes({tmp_path})
    assert await told(names) == EVERYTHING
    (tmp_path / "db.sock").touch()
    assert await told(names) == "db.sock"
    (tmp_path / "db.sock").rename(tmp_path / "br-int.mgmt")
    assert {await told(names), await told(names)} == {"db.sock", "br-int.mgmt"}
    (tmp_path / "br-int.mgmt").unlink()
    assert await told(names) == "br-int.mgmt"


@pytest.mark.parametrize("depth", [1, 2])
async def test_run_directory_that_appears_later_is_watched(tmp_path: Path, depth: int) -> None:
    directory = tmp_path.joinpath(*"ab"[:depth])
    names = changes({directory})
    assert await told(names) == EVERYTHING
    directory.mkdir(parents=True)
    await until(names, EVERYTHING)
    (directory / "first").touch()
    await until(names, "first")


async def test_run_directory_that_was_made_anew_is_watched_again(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    names = changes({directory})
    assert await told(names) == EVERYTHING
    directory.rmdir()
    directory.mkdir()
    await until(names, EVERYTHING)
    (directory / "db.sock").touch()
    await until(names, "db.sock")


async def test_two_directories_are_watched_at_once(tmp_path: Path) -> None:
    one, two = tmp_path / "openvswitch", tmp_path / "ovn"
    one.mkdir()
    two.mkdir()
    names = changes({one, two})
    assert await told(names) == EVERYTHING
    (two / "ovn-controller.1.ctl").touch()
    assert await told(names) == "ovn-controller.1.ctl"
    (one / "db.sock").touch()
    assert await told(names) == "db.sock"
