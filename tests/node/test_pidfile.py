"""The number in a pidfile, and the lock that proves its daemon alive."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from ovsnet.node.pidfile import Lock, LockState, pidfile_locked, read_pidfile
from ovsnet.sandbox.node import Sandbox
from tests.namespaces import OTHER_PID_NAMESPACE
from tests.unprivileged import UNPRIVILEGED

from .conftest import LockFile, told

DAEMONS = ("ovsdb-server", "ovs-vswitchd", "ovn-controller")


def as_seen(path: Path, prefix: tuple[str, ...] = (), first: str = "") -> str:
    """What another process, started through ``prefix``, says of the lock once it did what comes ``first``."""
    code = "import os, sys, pathlib; from ovsnet.node.pidfile import pidfile_locked as ask; "
    code += first + "found = ask(pathlib.Path(sys.argv[1])); print(found.lock, found.holder)"
    return told(code, path, prefix=prefix)


NUMBERS = {
    b"42": 42,
    b"42\n": 42,
    b" 42 ": 42,
    b"": None,
    b"x": None,
    b"-1\n": None,
    b"4_2": None,
    b"\xff": None,
    b"\xc2\xb2": None,
    b"\0": None,
    b"1" * 200: int("1" * 128),
}


@pytest.mark.parametrize("content", NUMBERS)
def test_pidfile_is_a_number_or_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pid").write_bytes(content)
    assert read_pidfile(tmp_path / "pid") == NUMBERS[content]


def test_what_is_no_regular_file_is_neither_read_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for odd in (tmp_path / "fifo", tmp_path, tmp_path / "loop", Path("/dev/zero"), tmp_path / ("x" * 300), Path("/\0")):
        assert read_pidfile(odd) is None
        state = pidfile_locked(odd)
        assert state.lock is Lock.UNREADABLE
        assert state.why


def test_absent_pidfile_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for absent in (tmp_path / "none", tmp_path / "none" / "pid", tmp_path / "file" / "pid"):
        assert read_pidfile(absent) is None
        assert pidfile_locked(absent) == LockState(Lock.MISSING)


def test_lock_names_its_holder_and_ends_with_it(lock: LockFile, tmp_path: Path) -> None:
    path = tmp_path / "ovs-vswitchd.pid"
    holder = lock(path)
    assert pidfile_locked(path) == LockState(Lock.HELD, holder.pid)
    holder.kill()
    holder.wait()
    assert pidfile_locked(path) == LockState(Lock.FREE)


def test_daemon_that_has_not_named_its_pidfile_yet_holds_it(lock: LockFile, tmp_path: Path) -> None:
    """It has deleted the one that a killed daemon left (lib/daemon-unix.c, ``check_already_running``)."""
    path = tmp_path / "ovs-vswitchd.pid"
    holder = lock(tmp_path / "ovs-vswitchd.pid.tmp77")
    assert pidfile_locked(path) == LockState(Lock.HELD, holder.pid)
    path.touch()
    assert pidfile_locked(path) == LockState(Lock.FREE), "the pidfile itself comes first"
    path.unlink()
    holder.kill()
    holder.wait()
    assert pidfile_locked(path) == LockState(Lock.MISSING), "a draft that was left behind proves nothing"


def test_asking_takes_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    assert pidfile_locked(path) == LockState(Lock.FREE)
    assert as_seen(path) == "free 0"


def test_reading_lock_counts_as_held(tmp_path: Path) -> None:
    """Whatever process it is, it lives."""
    path = tmp_path / "pid"
    path.touch()
    with path.open() as stream:
        fcntl.lockf(stream, fcntl.LOCK_SH)
        assert as_seen(path) == f"held {os.getpid()}"


@pytest.mark.parametrize("name", DAEMONS)
async def test_running_daemon_holds_its_pidfile(shared_node: Sandbox, name: str) -> None:
    path = shared_node.rundir / f"{name}.pid"
    assert read_pidfile(path) == shared_node.pid(name)
    assert pidfile_locked(path) == LockState(Lock.HELD, shared_node.pid(name))


async def test_frozen_daemon_holds_its_pidfile_and_a_killed_one_does_not(node: Sandbox) -> None:
    path = node.rundir / "ovs-vswitchd.pid"
    pid = node.pid("ovs-vswitchd")
    await node.freeze("ovs-vswitchd")
    assert pidfile_locked(path) == LockState(Lock.HELD, pid)
    await node.kill("ovs-vswitchd")
    assert pidfile_locked(path) == LockState(Lock.FREE)
    assert read_pidfile(path) == pid
    await node.start("ovs-vswitchd")
    assert pidfile_locked(path) == LockState(Lock.HELD, node.pid("ovs-vswitchd"))


async def test_copy_that_replaced_the_pidfile_is_held_by_nobody(node: Sandbox) -> None:
    """The lock is on the file, not on its name: a copy proves nothing of the daemon, which lives."""
    path = node.rundir / "ovs-vswitchd.pid"
    shutil.copy(path, node.rundir / "copy")
    path.rename(node.rundir / "moved")
    (node.rundir / "copy").rename(path)
    assert pidfile_locked(path) == LockState(Lock.FREE)
    assert read_pidfile(path) == node.pid("ovs-vswitchd")
    assert pidfile_locked(node.rundir / "moved").held


async def test_lock_is_seen_from_another_pid_namespace(node: Sandbox) -> None:
    path = node.rundir / "ovs-vswitchd.pid"
    assert as_seen(path, OTHER_PID_NAMESPACE) == "held 0"
    await node.kill("ovs-vswitchd")
    assert as_seen(path, OTHER_PID_NAMESPACE) == "free 0"


def test_user_who_may_only_read_the_file_sees_the_lock_and_one_who_may_not_knows_nothing(
    lock: LockFile, tmp_path: Path
) -> None:
    path = tmp_path / "ovs-vswitchd.pid"
    holder = lock(path)
    path.chmod(0o444)
    assert as_seen(path, UNPRIVILEGED) == f"held {holder.pid}"
    path.chmod(0o000)
    assert as_seen(path, first="os.getuid() or os.setuid(65534); ") == "unreadable 0"
