"""Which sockets a process listens on, as the kernel knows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.node import unix_sockets as module
from ovsnet.node.unix_sockets import UnixSocket, bound_sockets, unix_sockets
from ovsnet.sandbox.node import Sandbox

HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n"


def line(inode: int, path: str, *, listens: bool = True) -> str:
    return f"0000000000000000: 00000002 00000000 {'00010000' if listens else '00000000'} 0001 01 {inode:5} {path}\n"


def process(proc: Path, pid: int, table: str, *inodes: int) -> None:
    """A made-up process that has these sockets open."""
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "net").mkdir()
    (proc / str(pid) / "net" / "unix").write_bytes(os.fsencode(table))
    for number, inode in enumerate(inodes):
        (proc / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
    (proc / str(pid) / "fd" / "99").symlink_to("/dev/null")


def test_table_is_read_with_paths_of_any_spelling() -> None:
    assert unix_sockets(HEAD + line(7, "/r/a b") + line(12345678, "@abstract", listens=False) + line(8, "")) == [
        UnixSocket(7, "/r/a b", True),
        UnixSocket(12345678, "@abstract", False),
    ]


@pytest.mark.parametrize(
    "odd", ["garbage\n", "\n", "1 2 3 4 5 6 7 8\n", line(7, "/r/x")[:40] + "\n", "x: 1 0 zz 1 1 7 /r\n"]
)
def test_odd_line_is_left_out(odd: str) -> None:
    assert unix_sockets(HEAD + odd + line(7, "/r/db.sock")) == [UnixSocket(7, "/r/db.sock", True)]


def test_only_own_listening_sockets_count(tmp_path: Path) -> None:
    table = HEAD + line(1, "/r/db.sock") + line(2, "/r/db.sock", listens=False) + line(3, "/other/db.sock")
    process(tmp_path, 10, table, 1, 2)
    assert bound_sockets(10, tmp_path) == frozenset({"/r/db.sock"})


def test_path_of_any_bytes_raises_nothing(tmp_path: Path) -> None:
    process(tmp_path, 10, HEAD + line(1, "/r/\udcff"), 1)
    assert bound_sockets(10, tmp_path) == frozenset({"/r/\udcff"})


def test_process_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    assert bound_sockets(10, tmp_path) is None


def test_too_much_to_read_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process(tmp_path, 10, HEAD + line(1, "/r/db.sock"), 1)
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_DESCRIPTORS", 1)
        assert bound_sockets(10, tmp_path) is None
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    assert bound_sockets(10, tmp_path) is None


async def test_daemons_serve_the_sockets_of_their_run_directory(shared_node: Sandbox) -> None:
    def served(name: str) -> set[str]:
        paths = bound_sockets(shared_node.pid(name))
        assert paths is not None
        assert {os.path.dirname(path) for path in paths} == {str(shared_node.rundir)}
        return {os.path.basename(path) for path in paths}

    pids = {name: shared_node.pid(name) for name in ("ovsdb-server", "ovs-vswitchd", "ovn-controller")}
    assert served("ovsdb-server") == {"db.sock", f"ovsdb-server.{pids['ovsdb-server']}.ctl"}
    assert {"br-int.mgmt", f"ovs-vswitchd.{pids['ovs-vswitchd']}.ctl"} <= served("ovs-vswitchd")
    assert served("ovn-controller") == {f"ovn-controller.{pids['ovn-controller']}.ctl"}


async def test_moved_socket_is_still_told_by_the_name_it_was_bound_to(node: Sandbox) -> None:
    (node.rundir / "db.sock").rename(node.rundir / "moved")
    assert str(node.rundir / "db.sock") in (bound_sockets(node.pid("ovsdb-server")) or ())


async def test_killed_daemon_serves_nothing(node: Sandbox) -> None:
    pid = node.pid("ovs-vswitchd")
    await node.kill("ovs-vswitchd")
    assert not bound_sockets(pid)
