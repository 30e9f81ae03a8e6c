"""The control socket that is used, and what is told when none can be."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ovsnet.errors import BacklogFull, ConnectionRefused, SocketMissing
from ovsnet.io.address import Address
from ovsnet.node.control import open_control
from ovsnet.node.rundir import Rundir
from tests.io.test_connect import full_backlog

DAEMON = "ovn-controller"


@pytest.fixture
def rundir(tmp_path_factory: pytest.TempPathFactory) -> Rundir:
    """With what two killed daemons left; the pidfile names the second."""
    directory = tmp_path_factory.mktemp("r")
    for pid in (7, 8):
        with bound(directory, pid):
            pass
    (directory / f"{DAEMON}.pid").write_text("8\n")
    return Rundir(directory, directory)


def bound(directory: Path, pid: int) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(directory / f"{DAEMON}.{pid}.ctl"))
    return made


@pytest.fixture
def full(rundir: Rundir) -> Iterator[Address]:
    """The socket of a third daemon, which accepts nobody."""
    with ExitStack() as stack:
        listener = stack.enter_context(bound(rundir.ovn, 9))
        listener.listen(1)
        address = Address.unix(rundir.ovn / f"{DAEMON}.9.ctl")
        stack.enter_context(full_backlog(address))
        yield address


@pytest.mark.parametrize("pid", [7, 8, 9])
async def test_daemon_that_accepts_nobody_is_told_and_not_what_killed_ones_left(
    rundir: Rundir, full: Address, pid: int
) -> None:
    (rundir.ovn / f"{DAEMON}.pid").write_text(f"{pid}\n")
    with pytest.raises(BacklogFull, match=r"9\.ctl"):
        await open_control(rundir, DAEMON, timeout=0.1)


async def test_of_leftovers_alone_that_of_the_pidfile_is_told(rundir: Rundir) -> None:
    with pytest.raises(ConnectionRefused, match=r"8\.ctl"):
        await open_control(rundir, DAEMON, timeout=0.1)


async def test_without_any_the_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(SocketMissing, match=str(tmp_path)):
        await open_control(Rundir(tmp_path, tmp_path), DAEMON, timeout=0.1)
