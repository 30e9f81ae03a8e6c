"""One directory, by the names that two processes have for it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from ovsnet.node.mounts import Mount, has_stopped, mounted_alone, mounts, reach

PID = 10


class Processes:
    """A made-up /proc: ours, and one process with a root of its own."""

    def __init__(self, place: Path) -> None:
        self.proc = place / "proc"
        self.root = place / "container"
        for process in ("self", str(PID)):
            (self.proc / process).mkdir(parents=True)
        self.root.mkdir()
        (self.proc / str(PID) / "root").symlink_to(self.root)
        self.mounted("self")
        self.mounted(str(PID))

    def mounted(self, process: str, *rows: str) -> None:
        lines = (f"{number} 1 {row} rw - tmpfs tmpfs rw\n" for number, row in enumerate(rows))
        (self.proc / process / "mountinfo").write_text("".join(lines))

    def reach(self, directory: str) -> Path | None:
        return reach(directory, PID, self.proc)


@pytest.fixture
def world(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_mountinfo_is_read_with_blanks_in_names() -> None:
    text = "36 35 0:25 /a\\040b /run\\134x rw,noatime shared:1 - tmpfs tmpfs rw\ncut off\n\n"
    assert mounts(text) == [Mount("0:25", PurePosixPath("/a b"), PurePosixPath("/run\\x"))]


@pytest.mark.parametrize(
    ("options", "stopped"),
    [
        ("rw - ext4 /dev/sda rw,errors=remount-ro,emergency_ro", True),
        ("rw - ext4 /dev/sda rw,errors=remount-ro", False),
        ("ro - ext4 /dev/sda rw", False),
    ],
)
def test_file_system_that_stopped_at_an_error_is_known_by_its_device(
    tmp_path: Path, options: str, stopped: bool
) -> None:
    """As Linux 6.18 writes it; a mount that is read-only may be one of several."""
    lines = ("1 0 8:1 / / rw - ext4 /dev/sdb rw,emergency_ro", f"2 1 8:2 / /var {options}")
    (tmp_path / "mountinfo").write_text("\n".join(lines))
    assert has_stopped(os.makedev(8, 2), tmp_path) is stopped
    assert not has_stopped(os.makedev(8, 3), tmp_path)


def test_directory_of_a_shared_root_keeps_its_name(world: Processes, tmp_path: Path) -> None:
    (world.proc / str(PID) / "root").unlink()
    (world.proc / str(PID) / "root").symlink_to("/")
    assert world.reach(str(tmp_path)) == tmp_path


def test_mounted_directory_has_the_name_of_our_own_mount(world: Processes, tmp_path: Path) -> None:
    """A container's /run/openvswitch, which is a directory of the host's /run."""
    inside, here = world.root / "run/openvswitch", tmp_path / "host run/ovs"
    inside.mkdir(parents=True)
    here.parent.mkdir()
    here.symlink_to(inside)  # stands in for a mount: one inode by two names
    world.mounted(str(PID), "0:1 / /", "0:25 /ovs /run/openvswitch")
    world.mounted("self", "0:1 / /other", f"0:25 / {tmp_path}/host\\040run")
    assert world.reach("/run/openvswitch") == here


def test_mount_of_ours_that_is_covered_by_another_does_not_count(world: Processes, tmp_path: Path) -> None:
    (world.root / "run/openvswitch").mkdir(parents=True)
    (tmp_path / "host/ovs").mkdir(parents=True)
    world.mounted(str(PID), "0:25 /ovs /run/openvswitch")
    world.mounted("self", f"0:25 / {tmp_path}/host")
    assert world.reach("/run/openvswitch") == world.proc / str(PID) / "root/run/openvswitch"


def test_directory_without_a_name_here_is_reached_through_the_process(world: Processes) -> None:
    (world.root / "run/openvswitch").mkdir(parents=True)
    assert world.reach("/run/openvswitch") == world.proc / str(PID) / "root/run/openvswitch"


def test_links_are_followed_inside_the_processs_root(world: Processes) -> None:
    (world.root / "run/openvswitch").mkdir(parents=True)
    (world.root / "var").mkdir()
    (world.root / "var/run").symlink_to("/run")
    assert world.reach("/var/run/openvswitch") == world.proc / str(PID) / "root/run/openvswitch"


def test_what_cannot_be_reached_is_told(world: Processes) -> None:
    (world.root / "loop").symlink_to("loop")
    assert world.reach("/none") is None
    assert world.reach("/loop") is None
    assert world.reach("/\0") is None
    assert reach("/run", 99, world.proc) is None


def test_mounts_that_cannot_be_read_cost_only_the_name(world: Processes) -> None:
    (world.root / "inside").mkdir()
    (world.proc / str(PID) / "mountinfo").unlink()
    assert world.reach("/inside") == world.proc / str(PID) / "root/inside"


def test_socket_that_is_a_mount_is_told_from_one_in_a_mount(world: Processes, tmp_path: Path) -> None:
    world.mounted(
        "self", "0:25 /run/openvswitch/db.sock /mnt/db.sock", f"0:25 /run {tmp_path}/run", "0:25 /a /var/a.sock"
    )
    assert mounted_alone(["/mnt/other.sock", "/mnt/db.sock"], world.proc) == "/mnt/db.sock"
    assert mounted_alone([f"{tmp_path}/run/db.sock"], world.proc) is None
    (tmp_path / "link").symlink_to("/var/a.sock")
    assert mounted_alone([f"{tmp_path}/link"], world.proc) == f"{tmp_path}/link"
    assert mounted_alone(["/mnt/db.sock"], tmp_path) is None, "where nothing can be read"
