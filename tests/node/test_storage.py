"""Whether a server's disk takes another change, read off the files that a process has open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.node.storage import LEAST_ROOM, Storage, storages
from tests.faults.storage import ext4, has_ext4, stop_at_an_error


def test_databases_are_known_by_their_locks(tmp_path: Path) -> None:
    for name in ("conf.db", ".conf.db.~lock~", "other.db", ".gone.db.~lock~", "server.log"):
        (tmp_path / name).touch()
    with (
        (tmp_path / ".conf.db.~lock~").open("w"),
        (tmp_path / "conf.db").open("a"),
        (tmp_path / "other.db").open("a"),
        (tmp_path / ".gone.db.~lock~").open("w"),
        (tmp_path / "server.log").open("a"),
    ):
        found = storages(os.getpid())
    room = os.statvfs(tmp_path)
    assert [(each.path, each.here) for each in found] == [(str(tmp_path / "conf.db"), True)]
    assert 0.9 * room.f_bavail <= found[0].free / room.f_frsize <= 1.1 * room.f_bfree
    assert found[0].writable


def test_process_without_a_database_and_one_that_is_gone() -> None:
    assert storages(os.getpid()) == []
    assert storages(1 << 23) == []


@pytest.mark.parametrize(
    ("free", "read_only", "writable"),
    [(0, False, False), (LEAST_ROOM - 1, False, False), (LEAST_ROOM, False, True), (1 << 30, True, False)],
)
def test_full_and_read_only_take_no_change(free: int, read_only: bool, writable: bool) -> None:
    assert Storage("/etc/openvswitch/conf.db", free, read_only).writable is writable


@pytest.mark.parametrize(
    ("capabilities", "blocks"), [("000001ffffffffff", "f_bfree"), ("00000000a80425fb", "f_bavail")]
)
def test_what_is_kept_back_is_free_for_who_may_use_it(tmp_path: Path, capabilities: str, blocks: str) -> None:
    """A daemon under a user of its own has no CAP_SYS_RESOURCE."""
    descriptors = tmp_path / "7/fd"
    descriptors.mkdir(parents=True)
    (tmp_path / "7/status").write_text(f"Name:\tovsdb-server\nCapEff:\t{capabilities}\n")
    for number, name in ((3, ".conf.db.~lock~"), (4, "conf.db")):
        (tmp_path / name).touch()
        (descriptors / str(number)).symlink_to(tmp_path / name)
    (found,) = storages(7, tmp_path)
    room = os.statvfs(tmp_path)
    assert found.free / room.f_frsize == pytest.approx(getattr(room, blocks), rel=0.1)


def test_read_only_file_system_is_seen_through_a_descriptor() -> None:
    """The flag is that of the mount: any read-only one of this host shows it."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    places = [fields[1] for fields in map(str.split, lines) if "ro" in fields[3].split(",")]
    place = next((each for each in places if os.access(each, os.R_OK) and os.statvfs(each).f_flag & os.ST_RDONLY), None)
    if place is None:
        pytest.skip("nothing is mounted read-only here")
    descriptor = os.open(place, os.O_RDONLY)
    try:
        assert os.statvfs(f"/proc/self/fd/{descriptor}").f_flag & os.ST_RDONLY
    finally:
        os.close(descriptor)


@pytest.mark.skipif(not has_ext4(), reason="no ext4 can be made here")
async def test_file_system_that_the_kernel_stopped_is_read_only(tmp_path: Path) -> None:
    """Since Linux 6.15 statvfs(3) does not say so."""
    disk = tmp_path / "disk"
    disk.mkdir()
    async with ext4(tmp_path / "image", disk):
        with (disk / ".conf.db.~lock~").open("w"), (disk / "conf.db").open("a"):
            assert [each.writable for each in storages(os.getpid())] == [True]
            stop_at_an_error(disk)
            assert [each.read_only for each in storages(os.getpid())] == [True]
