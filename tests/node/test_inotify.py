"""The kernel's events, and its refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ovsnet.node.inotify import IN_CREATE, IN_DELETE, IN_IGNORED, Inotify
from tests.patience import PATIENCE


async def test_events_come_in_order_with_their_directory_and_name(tmp_path: Path) -> None:
    with Inotify() as inotify:
        inotify.watch(tmp_path, IN_CREATE | IN_DELETE)
        for name in ("one", "zwei-ä", "x" * 200):
            (tmp_path / name).touch()
        (tmp_path / "one").unlink()
        seen = [await asyncio.wait_for(inotify.event(), PATIENCE) for _ in range(4)]
    assert [(event.mask, event.name) for event in seen] == [
        (IN_CREATE, "one"), (IN_CREATE, "zwei-ä"), (IN_CREATE, "x" * 200), (IN_DELETE, "one"),
    ]  # fmt: skip
    assert {event.directory for event in seen} == {tmp_path}


async def test_event_that_comes_later_wakes_who_waits(tmp_path: Path) -> None:
    with Inotify() as inotify:
        inotify.watch(tmp_path, IN_CREATE)
        waiting = asyncio.ensure_future(inotify.event())
        await asyncio.sleep(0)
        (tmp_path / "late").touch()
        assert (await asyncio.wait_for(waiting, PATIENCE)).name == "late"


async def test_directory_that_goes_is_watched_no_longer(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    with Inotify() as inotify:
        inotify.watch(directory, IN_CREATE)
        assert inotify.watched == {directory}
        directory.rmdir()
        assert (await asyncio.wait_for(inotify.event(), PATIENCE)).mask & IN_IGNORED
        assert inotify.watched == set()


@pytest.mark.parametrize("what", ["absent", "file"])
def test_what_is_no_directory_cannot_be_watched(tmp_path: Path, what: str) -> None:
    (tmp_path / "file").touch()
    with Inotify() as inotify, pytest.raises(OSError, match=r"No such file|Not a directory"):
        inotify.watch(tmp_path / what, IN_CREATE)
